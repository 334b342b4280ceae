// What a page asks of the browser beyond Leptos' reach. Only ever called from effects and event handlers.

export function showDialog(dialog) {
  if (!dialog.open) dialog.showModal();
}

export function closeDialog(dialog) {
  if (dialog.open) dialog.close();
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
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "sr-only";
    // inside an open dialog everything outside of it is inert
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
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

/** Scheme, host and port that the page came from. */
export function origin() {
  return location.origin;
}

export function here() {
  return location.pathname + location.search;
}

/** Keeps the view in the address without a step of history for every key. */
export function replaceQuery(query) {
  history.replaceState(history.state, "", location.pathname + (query ? `?${query}` : ""));
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
