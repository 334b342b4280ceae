// Small and always loaded; xterm itself comes by a dynamic import, which esbuild turns into a chunk of its
// own. Binary frames go from the socket to xterm without a detour through wasm; text frames are control
// messages, which the page understands.

const FIRST_DELAY = 500;
const LONGEST_DELAY = 8000;
const FONT_KEY = "console-font-size";

/**
 * `onFound` gets which of how many places is shown; `onKeys` what keys were pressed for: to `search`, to `leave` the terminal, or to be
 * `dropped`, as nothing goes to the line.
 */
export async function openTerminal(element, path, onLink, onText, onFound, onKeys) {
  const { createTerminal } = await import("console-xterm");
  const terminal = createTerminal(element, Number(localStorage.getItem(FONT_KEY)) || 14);
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const encoder = new TextEncoder();
  let socket = null;
  let delay = FIRST_DELAY;
  let timer = 0;
  let stopped = false;
  let disposed = false;

  function connect() {
    socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      delay = FIRST_DELAY;
      // the server plays back what it remembers: what is on the screen would stand there twice
      terminal.reset();
      onLink("open");
    };
    socket.onmessage = ({ data }) => (typeof data === "string" ? onText(data) : terminal.write(new Uint8Array(data)));
    socket.onclose = () => {
      socket = null;
      // before the callback: it may call stop()
      timer = setTimeout(connect, delay);
      delay = Math.min(delay * 2, LONGEST_DELAY);
      onLink("lost");
    };
  }

  function disconnect() {
    stopped = true;
    clearTimeout(timer);
    if (socket) {
      // nothing more of this one; the Rust closures behind the callbacks may be about to be freed
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
      socket = null;
    }
  }

  function keys(event) {
    // Tab is the machine's: without a key that leads out nobody without a mouse gets any further (WCAG 2.1.2). To the machine it would be
    // the same as Escape; to a browser it is its task manager, unless the page takes it.
    if (event.type === "keydown" && event.key === "Escape" && event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      onKeys("leave");
      return false;
    }
    // Ctrl+F belongs to what runs on the machine, as long as the keys go there.
    if (event.type !== "keydown" || !event.ctrlKey || event.altKey || event.metaKey) return true;
    const key = event.key.toLowerCase();
    if (key === "f" && (event.shiftKey || terminal.options.disableStdin)) {
      event.preventDefault();
      onKeys("search");
      return false;
    }
    if (key === "c" && event.shiftKey) {
      // also without a selection: the browser would open its tools for developers
      event.preventDefault();
      copySelection();
      return false;
    }
    // the browser pastes by itself; xterm must not send a ^V
    return !(key === "v" && event.shiftKey);
  }

  async function copySelection() {
    if (!terminal.hasSelection()) return;
    try {
      await navigator.clipboard.writeText(terminal.getSelection());
    } catch {
      // no clipboard but on HTTPS and localhost; xterm answers the document's own "copy"
      document.execCommand("copy");
    }
  }

  // the same keys beside the terminal
  const onKey = (event) => {
    const wanted = event.key.toLowerCase() === "f" && event.ctrlKey && !event.altKey && !event.metaKey;
    if (!wanted || element.contains(event.target) || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    onKeys("search");
  };
  document.addEventListener("keydown", onKey);
  terminal.attachCustomKeyEventHandler(keys);
  terminal.search.onDidChangeResults(({ resultIndex, resultCount }) => disposed || onFound(resultIndex, resultCount));

  const open = () => socket?.readyState === WebSocket.OPEN;
  terminal.onData((text) => open() && socket.send(encoder.encode(text)));
  // what is no valid UTF-8, e.g. mouse reports
  terminal.onBinary((text) => open() && socket.send(Uint8Array.from(text, (c) => c.charCodeAt(0))));
  // xterm says nothing of what it drops
  const dropped = () => terminal.options.disableStdin && onKeys("dropped");
  terminal.onKey(dropped);
  // before xterm, which lets it get no further
  element.addEventListener("paste", dropped, true);
  // told in the page, where everybody can read it
  terminal.textarea.setAttribute("aria-describedby", "terminal-way-out");
  connect();

  return {
    send(text) {
      if (open()) socket.send(text);
    },
    setWritable(writable) {
      terminal.options.disableStdin = !writable;
      terminal.options.cursorBlink = writable;
    },
    zoom(steps) {
      const size = Math.min(28, Math.max(8, terminal.options.fontSize + steps));
      terminal.options.fontSize = size;
      terminal.refit();
      localStorage.setItem(FONT_KEY, String(size));
    },
    /** Marks all places and goes to the next one above (-1) or below (1); 0 stays where it is if that still fits. */
    find(text, direction) {
      if (!text) {
        // what was found last stays selected: to be copied
        terminal.search.clearDecorations();
        onFound(-1, 0);
      } else if (direction > 0) terminal.search.findNext(text, terminal.searchLooks);
      else terminal.search.findPrevious(text, { ...terminal.searchLooks, incremental: direction === 0 });
    },
    focus() {
      // outside of an open dialog nothing gets the focus, and when it closes what opened it gets it back
      const dialog = document.querySelector("dialog[open]");
      if (dialog) dialog.addEventListener("close", () => disposed || terminal.focus(), { once: true });
      else terminal.focus();
    },
    /** What is selected, or else all that the terminal still holds, with wrapped lines whole. */
    text() {
      if (terminal.hasSelection()) return terminal.getSelection();
      const { active } = terminal.buffer;
      let text = "";
      for (let at = 0; at < active.length; at += 1) {
        const line = active.getLine(at);
        text += `${line.isWrapped || at === 0 ? "" : "\n"}${line.translateToString(!active.getLine(at + 1)?.isWrapped)}`;
      }
      return text.trim();
    },
    stop: disconnect,
    start() {
      if (!stopped) return;
      stopped = false;
      delay = FIRST_DELAY;
      connect();
    },
    close() {
      disposed = true;
      document.removeEventListener("keydown", onKey);
      disconnect();
      terminal.dispose();
    },
  };
}

/** The whole document, so that dialogs and messages are seen there too; the page's style hides what is not the console. */
export async function toggleFullScreen() {
  if (document.fullscreenElement) await document.exitFullscreen();
  else await document.documentElement.requestFullscreen();
}
