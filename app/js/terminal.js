// Small and always loaded; xterm itself comes by a dynamic import, which esbuild turns into a chunk of its
// own. Binary frames go from the socket to xterm without a detour through wasm; text frames are control
// messages, which the page understands.

const FIRST_DELAY = 500;
const LONGEST_DELAY = 8000;
/** What a log download can hold; older bytes give way. */
const LOG_LIMIT = 32 * 1024 * 1024;
const FONT_KEY = "console-font-size";

export async function openTerminal(element, path, onLink, onText) {
  const { createTerminal } = await import("console-xterm");
  const terminal = createTerminal(element, Number(localStorage.getItem(FONT_KEY)) || 14);
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const encoder = new TextEncoder();
  let socket = null;
  let delay = FIRST_DELAY;
  let timer = 0;
  let closed = false;
  let log = [];
  let logged = 0;

  function connect() {
    socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      delay = FIRST_DELAY;
      // the server plays back what it remembers: what is on the screen would stand there twice
      terminal.reset();
      log = [];
      logged = 0;
      onLink("open");
    };
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") {
        onText(data);
        return;
      }
      const bytes = new Uint8Array(data);
      log.push(bytes);
      logged += bytes.length;
      while (logged > LOG_LIMIT && log.length > 1) logged -= log.shift().length;
      terminal.write(bytes);
    };
    socket.onclose = () => {
      socket = null;
      // before the callback: it may call stop()
      timer = setTimeout(connect, delay);
      delay = Math.min(delay * 2, LONGEST_DELAY);
      onLink("lost");
    };
  }

  function disconnect() {
    closed = true;
    clearTimeout(timer);
    if (socket) {
      // the Rust closures behind the callbacks are about to be freed
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
      socket = null;
    }
  }

  const open = () => socket?.readyState === WebSocket.OPEN;
  terminal.onData((text) => open() && socket.send(encoder.encode(text)));
  // what is no valid UTF-8, e.g. mouse reports
  terminal.onBinary((text) => open() && socket.send(Uint8Array.from(text, (c) => c.charCodeAt(0))));
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
    downloadLog(name) {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob(log, { type: "application/octet-stream" }));
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    },
    focus() {
      terminal.focus();
    },
    stop() {
      if (!closed) disconnect();
    },
    close() {
      if (!closed) disconnect();
      terminal.dispose();
    },
  };
}
