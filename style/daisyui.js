// daisyUI without the rules that make a browser style a whole page anew for a small change.
//
// - A rule about links in articles, of which there are none here: it asks whether *any* element around a link has a class.
// - Everything that asks what an element has within itself (`:has()`). With such rules Chromium styles the whole document anew when a
//   text is put into it: 60 ms and more for the table of machines, at every key and every message of the lab. What of them is needed
//   here, the layout of messages and the page that stays while a dialog is open, is said otherwise in app.css.
import daisyui from "daisyui";

/** The parts of a text between commas outside of parentheses and brackets. */
function parts(list) {
  const found = [""];
  let depth = 0;
  for (const letter of list) {
    if ("([".includes(letter)) depth += 1;
    if (")]".includes(letter)) depth -= 1;
    if (letter === "," && depth === 0) found.push("");
    else found[found.length - 1] += letter;
  }
  return found;
}

/** Where the parenthesis that is opened at `open` is closed. */
function closing(text, open) {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if (text[at] === "(") depth += 1;
    if (text[at] === ")" && (depth -= 1) === 0) return at;
  }
  throw new Error(`no end of the parenthesis in ${text}`);
}

/** A selector's alternatives that do not ask for `:has()`; empty if there is none. */
function quick(selector) {
  return parts(selector)
    .map((part) => {
      // within :is() and :where() are alternatives, too
      let rest = part;
      let out = "";
      for (let found; (found = /:(is|where)\(/.exec(rest)); ) {
        const open = found.index + found[0].length - 1;
        const end = closing(rest, open);
        const inner = quick(rest.slice(open + 1, end));
        if (inner === "") return "";
        out += rest.slice(0, open + 1) + inner + ")";
        rest = rest.slice(end + 1);
      }
      out += rest;
      return out.includes(":has(") ? "" : out;
    })
    .filter((part) => part !== "")
    .join(",");
}

function without(styles) {
  const kept = {};
  for (const [selector, content] of Object.entries(styles)) {
    if (selector.includes("not-prose")) continue;
    const name = selector.startsWith("@") || typeof content !== "object" ? selector : quick(selector);
    if (name === "") continue;
    const own = Array.isArray(content) ? content.map((one) => (typeof one === "object" ? without(one) : one)) : typeof content === "object" ? without(content) : content;
    // a block of which nothing is left
    if (typeof own === "object" && Object.keys(own).length === 0 && Object.keys(content).length > 0) continue;
    kept[name] = name in kept && typeof own === "object" ? { ...kept[name], ...own } : own;
  }
  return kept;
}

const plugin = (options) => {
  const { handler, config } = daisyui(options);
  const filtered = (api) =>
    handler({
      ...api,
      addBase: (styles) => api.addBase(without(styles)),
      addComponents: (styles) => api.addComponents(without(styles)),
      addUtilities: (styles) => api.addUtilities(without(styles)),
    });
  return { handler: filtered, config };
};
plugin.__isOptionsFunction = true;

export default plugin;
