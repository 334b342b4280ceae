// What a page asks of the browser beyond Leptos' reach. Only ever called from effects and event handlers, but for
// `cookies`, `cameBack`, `localTime` and `smallLetters`, which drawing needs.

const FIELD = ":is(input, select, textarea):not(:disabled)";

/** Dialogs in the order in which they were opened. */
let shown = [];

function topDialog() {
  shown = shown.filter((dialog) => dialog.open && dialog.isConnected);
  return shown.at(-1);
}

/** The messages, and a mark where they stand while no dialog is open. */
let messages;
const home = document.createComment("");

/** What lies outside of an open dialog can be neither clicked nor read out: the messages go into the topmost one. */
function placeMessages() {
  messages ??= document.querySelector(".toast[role=status]");
  if (!messages) return;
  if (!home.isConnected) messages.before(home);
  const parent = topDialog() ?? home.parentNode;
  if (messages.parentNode === parent) return;
  const before = parent === home.parentNode ? home.nextSibling : null;
  // nothing that moves starts anew
  if (parent.moveBefore && messages.isConnected) parent.moveBefore(messages, before);
  else parent.insertBefore(messages, before);
}

export function showDialog(dialog) {
  if (dialog.open) return;
  returnFocus(dialog);
  dialog.showModal();
  shown.push(dialog);
  placeMessages();
  const root = document.documentElement;
  // the page keeps the width that its scroll bar leaves it
  root.dataset.modal = innerWidth > root.clientWidth ? "scrolled" : "";
  dialog.addEventListener("close", releaseScroll, { once: true });
  // the browser takes the first button, which closes it
  const taken = document.activeElement;
  const field = () => dialog.querySelector(":is(input, select, textarea)[data-first]:not(:disabled)") ?? dialog.querySelector(FIELD);
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

/** All that may be closed now: not those that wait for an answer, or show what is shown only once. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll('dialog[open]:not([closedby="none"])')) dialog.close();
}

/** The page behind a dialog can be scrolled again, when the dialog is closed or has gone with its page. */
export function releaseScroll() {
  requestAnimationFrame(() => {
    placeMessages();
    if (!document.querySelector("dialog[open]")) delete document.documentElement.dataset.modal;
  });
}

/** Whether the foot of the page is high: messages leave it free. */
export function highFoot(high) {
  document.documentElement.toggleAttribute("data-high-foot", high);
}

/** The browser gives the focus back to what opened the dialog. What was done in it may take that away, or draw it elsewhere, later. */
function returnFocus(dialog) {
  const keep = keepPlace();
  dialog.addEventListener("close", keep, { once: true });
}

/** How long after a change its rows may take to be drawn anew: a list is asked for again first. */
const DRAWN = 5000;

/**
 * For something that may take the focused element away, or to another place, which loses the focus: gives it back, or to what the next
 * row has in its place, or to what adds a row. Watches from the call of what it returns until the user does something else.
 */
function keepPlace() {
  const own = document.activeElement;
  const row = own?.closest("tr, [data-row]");
  const rows = row?.parentElement;
  const part = own?.closest("main section, main");
  if (!own || own === document.body || !part) return () => {};
  const place = rows ? [...rows.children].indexOf(row) : 0;
  const buttonsOf = (element) => [...(element?.querySelectorAll("button, a[href]") ?? [])];
  const number = buttonsOf(row).indexOf(own);
  const word = (button) => button.getAttribute("aria-label")?.split(" ")[0];
  const next = () => {
    const other = rows?.isConnected ? rows.children[Math.min(place, rows.children.length - 1)] : undefined;
    const buttons = buttonsOf(other);
    if (buttons.length > 0) return buttons.find((button) => word(button) === word(own)) ?? buttons[number] ?? buttons.at(-1);
    const within = part.isConnected ? part : document.querySelector("main");
    const heading = within?.querySelector("h1, h2");
    heading?.setAttribute("tabindex", "-1");
    return within?.querySelector("[data-testid^=add-]") ?? heading;
  };
  return () => {
    const back = () => {
      const at = document.activeElement;
      // what is within a closed dialog loses the focus only when it is painted next
      if (at && at !== document.body && !at.closest("dialog:not([open])")) return;
      const usable = own.isConnected && own.checkVisibility() && !own.disabled;
      (usable ? own : next())?.focus({ preventScroll: true });
    };
    const drawn = new MutationObserver(back);
    const stop = () => {
      drawn.disconnect();
      for (const event of ["pointerdown", "keydown"]) document.removeEventListener(event, stop, true);
    };
    for (const event of ["pointerdown", "keydown"]) document.addEventListener(event, stop, true);
    setTimeout(stop, DRAWN);
    drawn.observe(document.body, { childList: true, subtree: true });
    requestAnimationFrame(back);
  };
}

/** The same for a button in a row that does its work at once. */
export function keepRow() {
  keepPlace()();
}

export function closeDialog(dialog) {
  if (!dialog.open) return;
  dialog.close();
  placeMessages();
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

/** To the item that an arrow, Home or End leads to. */
export function stepInMenu(menu, key) {
  const items = [...menu.querySelectorAll("[role=menuitem]:not(:disabled)")];
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at < 0 ? -1 : at - 1, Home: 0, End: -1 }[key];
  items.at(to % items.length)?.focus();
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
    (topDialog() ?? document.body).append(area);
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

/** Loads a page anew: nothing of the old one stays in memory, nor comes back with the browser's Back button as it was left. */
export function leaveFor(path) {
  addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
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

export const smallLetters = (text) => text.toLowerCase();

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

/** After an entry's own button took the entry away: to that of the one in its place, or the last one's, else to what `otherwise` finds. */
export function focusEntry(list, place, otherwise) {
  const buttons = list.querySelectorAll("li button");
  (buttons[Math.min(place, buttons.length - 1)] ?? document.querySelector(otherwise))?.focus();
}

export function choose(id, value) {
  const select = document.getElementById(id);
  select.value = value;
  select.dispatchEvent(new Event("change", { bubbles: true }));
}

export function openSelect(id) {
  const select = document.getElementById(id);
  select?.focus();
  try {
    select?.showPicker?.();
  } catch {
    // the browser leaves that to the next key
  }
}

/** After a form was sent: to the first field that is wrong, else back to the button, should it have lost the focus. */
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

/** How many CSS pixels there are from the top of the table's rows, which may be above the window, to the window's lower edge. */
export function roomBelow(area) {
  return Math.max(0, innerHeight - area.querySelector("tbody").getBoundingClientRect().top);
}

export function isUsed(id) {
  return document.getElementById(id)?.matches(":hover, :focus-within") ?? false;
}

/** Narrower than what is styled as `md:`. */
export function isPhone() {
  return matchMedia("(width < 48rem)").matches;
}

/** Headings stick to the window's edge only in a box that does not scroll. It has to where the table is wider; elsewhere it only cuts. */
export function stickHead(area) {
  const table = area.firstElementChild;
  const fit = () => area.toggleAttribute("data-fits", table.offsetWidth <= area.clientWidth);
  const watch = new ResizeObserver(fit);
  watch.observe(area);
  watch.observe(table);
}

// Where lists were left, by their address: a mark of the list's own, and how far it was scrolled.
const places = new Map();
let noted;
/** Whether the last thing the user did was a step of history. */
let stepped = false;
const look = ({ type }) => {
  stepped = type === "popstate";
  // whatever leads away begins with one of these, while the list is still there
  if (stepped || noted?.path !== location.pathname) return;
  noted.scroll = scrollY;
  if (noted.loose) places.set(here(), noted);
};
for (const type of ["click", "keydown", "popstate"]) addEventListener(type, look, true);

/** The list that is shown, and its mark. */
export function notePlace(address, mark) {
  noted = { path: address.split("?")[0], scroll: 0, ...places.get(address), mark };
  places.set(address, noted);
}

/** For whoever comes back by a step of history, or loads the list again: scrolls to where it was left, and answers its mark. */
export function placeBack(address) {
  const place = stepped ? places.get(address) : leftBefore();
  if (place?.scroll) requestAnimationFrame(() => scrollTo(0, place.scroll));
  return place?.mark;
}

// The browser cannot scroll to rows that are not drawn yet.
const LEFT = "left";
// asked when a page ends, `scrollY` would have the whole of it styled once more
let scrolled = 0;
addEventListener("scroll", () => (scrolled = scrollY), { passive: true });
addEventListener("pagehide", () => sessionStorage.setItem(LEFT, JSON.stringify({ address: here(), scroll: scrolled })));

/** How far down this very page was left when the document before it ended, the first time it is asked for. */
function leftBefore() {
  const text = sessionStorage.getItem(LEFT);
  sessionStorage.removeItem(LEFT);
  if (!text || performance.getEntriesByType("navigation")[0]?.type === "navigate") return undefined;
  const { address, scroll } = JSON.parse(text);
  return address === here() && scroll > 0 ? { scroll, mark: "" } : undefined;
}

export function cameBack() {
  return stepped;
}

/** What headed the page on which the user did something last, and its words. */
let headed;
const lookAtHeading = () => {
  const heading = document.querySelector("main h1");
  headed = { heading, text: heading?.textContent };
};
for (const type of ["click", "keydown", "popstate"]) addEventListener(type, lookAtHeading, true);

/**
 * On the way to another page: its heading gets the focus once it is drawn, unless something else on that page has taken it, as a list
 * that was come back to may. Watches until the user does something else, or some seconds after the heading was there.
 */
export function focusPage() {
  const before = headed;
  let ending;
  const take = () => {
    const heading = document.querySelector("main h1");
    if (!heading || (heading === before?.heading && heading.textContent === before.text)) return;
    ending ??= setTimeout(stop, DRAWN);
    const at = document.activeElement;
    if (at && at !== document.body && at.closest("main, dialog[open], :popover-open, details[open]")) return;
    heading.setAttribute("tabindex", "-1");
    heading.focus({ preventScroll: true });
  };
  const drawn = new MutationObserver(take);
  const acts = ["pointerdown", "keydown", "popstate"];
  const stop = () => {
    drawn.disconnect();
    clearTimeout(ending);
    for (const act of acts) removeEventListener(act, stop, true);
  };
  for (const act of acts) addEventListener(act, stop, true);
  drawn.observe(document.body, { childList: true, subtree: true, characterData: true });
  requestAnimationFrame(take);
}

/** Both for a list without marks, whose address may change while it is shown: when its rows have been drawn. */
export function keepScroll() {
  const scroll = (stepped ? places.get(here())?.scroll : undefined) ?? 0;
  if (scroll) requestAnimationFrame(() => scrollTo(0, scroll));
  noted = { path: location.pathname, scroll, loose: true };
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

/** A click elsewhere, the focus elsewhere, or Escape, closes the header's menus. Once per document. */
export function dismissMenus() {
  const close = (stays) => {
    for (const menu of document.querySelectorAll("details.dropdown[open]")) if (!stays(menu)) menu.open = false;
  };
  document.addEventListener("pointerdown", ({ target }) => close((menu) => menu.contains(target)));
  // a dialog gives the focus back to the menu that opened it
  document.addEventListener("focusin", ({ target }) => {
    if (!target.closest("dialog")) close((menu) => menu.contains(target));
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    const focused = document.activeElement?.closest("details.dropdown[open]");
    close(() => false);
    focused?.querySelector("summary").focus();
  });
}

/** Where something is not saved yet; undefined when nothing is. */
let held;
/** What the user was about to do. */
let way;

export function holdPage() {
  held = location.href;
}

export function releasePage() {
  held = undefined;
}

/** Does what leaves the whole application, after the question whether what was typed may be lost. */
export function leaveBy(action) {
  if (held) ask(action);
  else action();
}

function ask(go) {
  way = go;
  dispatchEvent(new Event("leaving"));
}

export function leavePage() {
  held = undefined;
  way?.();
  way = undefined;
}

/** Whether the user is asked before this page is left for another one of the application. */
export function heldFrom(path) {
  if (!held || new URL(path, location.href).pathname === location.pathname) return false;
  ask(() => {
    const link = document.createElement("a");
    link.href = path;
    document.body.append(link);
    link.click();
    link.remove();
  });
  return true;
}

addEventListener("beforeunload", (event) => {
  if (held) event.preventDefault();
});

// Before the router's own listeners, which stand on the window too.
addEventListener(
  "click",
  (event) => {
    if (!held || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest?.("a[href]");
    if (!link || link.hasAttribute("download") || (link.target && link.target !== "_self") || link.rel === "external") return;
    if (link.origin !== location.origin || link.pathname === location.pathname) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    ask(() => link.click());
  },
  true,
);
addEventListener(
  "popstate",
  (event) => {
    if (!held || new URL(held).pathname === location.pathname) return;
    event.stopImmediatePropagation();
    // one step on from where the user has gone: from here, back is there
    history.pushState(null, "", held);
    ask(() => history.back());
  },
  true,
);
