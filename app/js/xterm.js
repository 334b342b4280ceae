// The heavy part of the console: loaded with the first terminal that is shown.
import { Terminal } from "@xterm/xterm";
import { FitAddon } from "@xterm/addon-fit";
import { SearchAddon } from "@xterm/addon-search";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { WebglAddon } from "@xterm/addon-webgl";

// A strict style-src refuses two things xterm does, and xterm has no option for either: it fills <style>
// elements (theme, sizes), which need the page's nonce, and its DOM renderer sets true colours with
// setAttribute("style"), where the same through .style is allowed. xterm's `documentOverride` does not
// reach all of its code (6.0.0: CoreBrowserTerminal.ts:461), so the document itself helps, from the first
// console on.
const nonce = document.querySelector("script[nonce]")?.nonce ?? "";
document.createElement = function (name, options) {
  const element = Document.prototype.createElement.call(this, name, options);
  if (name === "style") element.nonce = nonce;
  else if (name === "span") element.setAttribute = setAttribute;
  return element;
};
function setAttribute(name, value) {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}

export function createTerminal(element, fontSize) {
  const terminal = new Terminal({
    scrollback: 20_000,
    // marks for what was found
    allowProposedApi: true,
    cursorBlink: true,
    fontSize,
    // at 1.0 the next row cuts off underscores
    lineHeight: 1.1,
    fontFamily: "ui-monospace, 'DejaVu Sans Mono', 'Liberation Mono', Menlo, Consolas, monospace",
    theme: { background: "#000000", black: "#000000", foreground: "#d8dee6", cursor: "#7df0ff" },
    // the firmware's menus are drawn for letters of any colour on any other
    minimumContrastRatio: 3,
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.loadAddon(new WebLinksAddon());
  terminal.search = new SearchAddon({ highlightLimit: 1000 });
  terminal.loadAddon(terminal.search);
  // how many there are is told only when they are marked
  terminal.searchLooks = {
    decorations: {
      matchBackground: "#5a4a00",
      matchOverviewRuler: "#b08d00",
      activeMatchBackground: "#8a3f00",
      activeMatchColorOverviewRuler: "#ff9d4d",
    },
  };
  terminal.open(element);
  // text in the document, for tests and screen readers
  if (new URLSearchParams(location.search).get("renderer") !== "dom") {
    try {
      const webgl = new WebglAddon();
      webgl.onContextLoss(() => webgl.dispose());
      terminal.loadAddon(webgl);
    } catch {
      // no WebGL2: xterm keeps its DOM renderer
    }
  }
  fit.fit();
  const observer = new ResizeObserver(() => fit.fit());
  observer.observe(element);
  terminal.refit = () => fit.fit();
  const dispose = terminal.dispose.bind(terminal);
  terminal.dispose = () => {
    observer.disconnect();
    dispose();
  };
  terminal.focus();
  return terminal;
}
