// What a page is for those who do not see it: its roles, names and states, kept in `end2end/aria` and compared.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), "..", "aria");
/** What is another one with every run. */
const PASSING = [
  [/\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}/g, "<time>"],
  [/\d{4}-\d{2}-\d{2}/g, "<day>"],
  [/\b\d{2}-\d{2} \d{2}:\d{2}:\d{2}/g, "<time>"],
  [/\b[0-9a-f]{12}…/g, "<hash>…"],
  [/\.[0-9a-f]{8}\b/g, ".<hash>"],
  [/port \d+/g, "port <port>"],
  [/(Chromium|Chrome|HeadlessChrome|Firefox)[/ ][\d.]+/g, "<browser>"],
];

/** Compares the accessibility tree with `aria/<name>.yml`; with UPDATE_ARIA=1 writes it instead. */
export async function assertAria(locator, name) {
  const path = join(FOLDER, `${name}.yml`);
  const snapshot = await locator.ariaSnapshot();
  const text = `${PASSING.reduce((text, [pattern, mask]) => text.replace(pattern, mask), snapshot)}\n`;
  if (process.env.UPDATE_ARIA) {
    writeFileSync(path, text);
    return;
  }
  if (!existsSync(path)) throw new Error(`there is no ${name}.yml yet: run with UPDATE_ARIA=1, and read it`);
  const kept = readFileSync(path, "utf8");
  if (kept !== text) throw new Error(`${name} is not as ${name}.yml has it (meant? run with UPDATE_ARIA=1):\n${difference(kept.split("\n"), text.split("\n"))}`);
}

/** The lines that only one of them has. */
function difference(before, after) {
  const only = (lines, others, sign) => {
    const left = new Map();
    for (const line of others) left.set(line, (left.get(line) ?? 0) + 1);
    return lines.flatMap((line) => {
      const count = left.get(line) ?? 0;
      left.set(line, count - 1);
      return count > 0 ? [] : [`${sign} ${line}`];
    });
  };
  const lines = [...only(before, after, "-"), ...only(after, before, "+")];
  return lines.length === 0 ? "the lines are the same, in another order" : lines.slice(0, 40).join("\n");
}
