// What a page asks of the browser beyond Leptos' reach. Only ever called from effects and event handlers, but for
// `cookies` and `localTime`, which drawing needs.

const FIELD = ":is(input, select, textarea):not(:disabled)";

export function showDialog(dialog) {
  if (dialog.open) return;
  const back = wayBack(document.activeElement);
  dialog.addEventListener("close", back, { once: true });
  dialog.showModal();
  // the browser takes the first button, which closes it
  const taken = document.activeElement;
  const field = () => dialog.querySelector(":is(input, select, textarea)[autofocus]:not(:disabled)") ?? dialog.querySelector(FIELD);
  if (field()) return field().focus();
  // what it shows may have to be fetched first
  const coming = new MutationObserver(() => {
    if (!field()) return;
    coming.disconnect();
    if (document.activeElement === taken || document.activeElement === document.body) field().focus();
  });
  coming.observe(dialog, { childList: true, subtree: true });
  dialog.addEventListener("close", () => coming.disconnect(), { once: true });
}

export function closeDialog(dialog) {
  if (dialog.open) dialog.close();
}

/**
 * Where the focus is, remembered by more than the element. Saving in a dialog has the row drawn anew whose button opened
 * it, deleting takes it away: the browser then has nothing to give the focus back to. The answer sees to it for a while.
 */
function wayBack(from) {
  if (!from || from === document.body) return () => {};
  const { pathname } = location;
  const usable = (element) => element && element.isConnected && element.checkVisibility() && !element.disabled;
  const around = [];
  for (let at = from.parentElement; at; at = at.parentElement) around.push(at);
  const row = from.closest("tr, li");
  const controls = (area) => [...area.querySelectorAll("button, a[href], summary")];
  const place = row ? controls(row).indexOf(from) : -1;
  const name = from.getAttribute("aria-label") ?? from.textContent;
  const alike = (element) => element.tagName === from.tagName && (element.getAttribute("aria-label") ?? element.textContent) === name;
  const find = (area) => {
    const same = controls(area).filter(alike);
    const here = [from.id && document.getElementById(from.id), same.length === 1 && same[0], row?.isConnected && controls(row)[place]].find(usable);
    if (here) return here;
    return area.closest("section, dialog, main")?.querySelector("h1, h2") ?? document.querySelector("main h1");
  };
  const look = () => {
    if (document.activeElement !== document.body || usable(from) || location.pathname !== pathname) return;
    const area = around.find((own) => own.isConnected);
    const open = document.querySelector("dialog[open]");
    if (!area || (open && !open.contains(area))) return;
    const target = find(area);
    if (!target) return;
    // a heading takes the focus only from here
    if (!target.matches("button, a, summary, input, select, textarea")) {
      target.tabIndex = -1;
      target.addEventListener("blur", () => target.removeAttribute("tabindex"), { once: true });
    }
    target.focus({ preventScroll: true });
  };
  return () => {
    const changes = new MutationObserver(look);
    changes.observe(document.body, { childList: true, subtree: true });
    requestAnimationFrame(look);
    // what was changed may have to be fetched again first
    setTimeout(() => changes.disconnect(), 3000);
  };
}

/** Opens a popover below the button that asked for it, kept inside the window. */
export function openMenu(popover, anchor) {
  popover.showPopover();
  const at = anchor.getBoundingClientRect();
  const width = popover.offsetWidth;
  const height = popover.offsetHeight;
  const below = at.bottom + 4 + height <= innerHeight;
  popover.style.left = `${Math.max(4, Math.min(at.right - width, innerWidth - width - 4))}px`;
  popover.style.top = `${below ? at.bottom + 4 : Math.max(4, at.top - height - 4)}px`;
  popover.querySelector("button:not(:disabled), a")?.focus();
}

export function closeMenu(popover) {
  if (popover.matches(":popover-open")) popover.hidePopover();
}

/** `navigator.clipboard` exists on HTTPS and localhost only; labs often have neither. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const focused = document.activeElement;
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "sr-only";
    // inside an open dialog everything outside of it is inert
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    focused?.focus({ preventScroll: true });
    return done;
  }
}

/** A cookie, not local storage: the server reads it, so the first painting already has the theme. */
export function toggleTheme() {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const next = (root.dataset.theme ?? system) === "dark" ? "light" : "dark";
  root.dataset.theme = next;
  document.cookie = `theme=${next}; path=/; max-age=31536000; samesite=lax`;
}

export function restoreTheme() {
  const chosen = document.cookie.match(/(?:^|; )theme=(light|dark)(?:;|$)/)?.[1];
  if (chosen) document.documentElement.dataset.theme = chosen;
}

/** Loads a page anew: nothing of the old one stays in memory. */
export function leaveFor(path) {
  location.assign(path);
}

export function reload() {
  location.reload();
}

export function timeZone() {
  return Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC";
}

const clocks = new Map();

/** `2026-11-22 12:08:02`; nothing where there is no such zone, or the text is no time. */
export function localTime(at, zone) {
  try {
    if (!clocks.has(zone)) {
      const two = "2-digit";
      const shown = { year: "numeric", month: two, day: two, hour: two, minute: two, second: two, hourCycle: "h23" };
      clocks.set(zone, new Intl.DateTimeFormat("en", { ...shown, timeZone: zone }));
    }
    // milliseconds are all that every browser reads
    const moment = new Date(at.replace(/(\.\d{3})\d+/, "$1"));
    const { year, month, day, hour, minute, second } = Object.fromEntries(
      clocks.get(zone).formatToParts(moment).map(({ type, value }) => [type, value]),
    );
    return `${year}-${month}-${day} ${hour}:${minute}:${second}`;
  } catch {
    return undefined;
  }
}

export function instantOf(text) {
  const moment = new Date(text);
  return Number.isNaN(moment.getTime()) ? "" : moment.toISOString().replace(".000Z", "Z");
}

/** Scheme, host and port that the page came from. */
export function origin() {
  return location.origin;
}

export function here() {
  return location.pathname + location.search;
}

export function cookies() {
  return document.cookie;
}

/** For choices that the server's rendering must know; a name and a value without special characters. */
export function keepCookie(name, value) {
  document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`;
}

/** Local storage may be full, or forbidden altogether. */
export function stored(name) {
  try {
    return localStorage.getItem(name) ?? undefined;
  } catch {
    return undefined;
  }
}

export function store(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // it then holds until the page is left
  }
}

export function forget(name) {
  try {
    localStorage.removeItem(name);
  } catch {
    // nothing was kept
  }
}

/** The first field that can be typed into. */
export function focusFirst(area) {
  area.querySelector(FIELD)?.focus();
}

/** After a form was sent: to the first field that is wrong, else back to the button, which was disabled while the call ran. */
export function focusRefused(form) {
  const wrong = form.querySelector("[aria-invalid=true]:not(:disabled)");
  if (wrong) {
    for (let area = wrong.closest("details"); area; area = area.parentElement.closest("details")) area.open = true;
    wrong.focus();
  } else if (document.activeElement === document.body) {
    form.querySelector("[type=submit]:not(:disabled)")?.focus();
  }
}

/** Whether all that was typed has a value, which half a date has not. The fields are told. */
export function isReadable(form) {
  const unread = [...form.elements].filter((field) => field.validity?.badInput);
  for (const field of unread) field.dispatchEvent(new Event("invalid"));
  return unread.length === 0;
}

export function dialogIsOpen() {
  return document.querySelector("dialog[open]") !== null;
}

/** Whether Enter does nothing where the focus is. */
export function focusIsIdle() {
  return !document.activeElement?.matches("a, button, summary, textarea, select, input:not([type=checkbox])");
}

/** Whether a key is a command now: nobody types, and nothing is open that has keys of its own. */
export function keysAreFree() {
  if (document.querySelector("dialog[open], :popover-open, details.dropdown[open]")) return false;
  const at = document.activeElement;
  if (!at || at === document.body) return true;
  return !at.isContentEditable && !at.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=button])");
}

/** Rows that change places lose the focus: gives it back once they have been drawn. */
export function keepFocus(area) {
  const focused = document.activeElement;
  if (!focused || !area.contains(focused)) return;
  const back = () => {
    if (document.activeElement === document.body && focused.isConnected) focused.focus({ preventScroll: true });
  };
  requestAnimationFrame(back);
  setTimeout(back, 100);
}

export function windowHeight() {
  return innerHeight;
}

/** Keeps the area as high as it is, so that nothing jumps while most of it is gone. Not if that would take the focus away. */
export function holdHeight(area) {
  if (area.querySelector("tbody")?.contains(document.activeElement)) return false;
  area.style.minHeight = `${area.offsetHeight}px`;
  return true;
}

export function releaseHeight(area) {
  area.style.minHeight = "";
}

/** Puts the focus on the first element that fits, wholly visible. */
export function focusWithin(selector) {
  const found = document.querySelector(selector);
  found?.focus();
  found?.scrollIntoView({ block: "nearest" });
  return found ?? undefined;
}

export function scrollToEntry(id) {
  document.getElementById(id)?.scrollIntoView({ block: "nearest" });
}

export function followScroll(gutter, area) {
  gutter.scrollTop = area.scrollTop;
}

/** A click elsewhere, or Escape, closes the header's menus. Once per document. */
export function dismissMenus() {
  const close = (stays) => {
    for (const menu of document.querySelectorAll("details.dropdown[open]")) if (!stays(menu)) menu.open = false;
  };
  document.addEventListener("pointerdown", ({ target }) => close((menu) => menu.contains(target)));
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    const focused = document.activeElement?.closest("details.dropdown[open]");
    close(() => false);
    focused?.querySelector("summary").focus();
  });
}
