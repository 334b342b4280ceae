// axe-core's rules on what a page shows.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const SOURCE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Fails with what axe finds wrong, within `selector` if one is given. WCAG 2.2 A and AA. */
export async function assertAccessible(page, selector) {
  // evaluated by the debugger, as the page's own policy allows no foreign script
  await page.evaluate(SOURCE);
  // a dialog that is still fading in has other colours; what turns for ever has no end to wait for
  await page.evaluate(() => {
    const ends = document.getAnimations().filter(({ playState, effect }) => playState === "running" && Number.isFinite(effect?.getComputedTiming().endTime));
    return Promise.allSettled(ends.map((animation) => animation.finished)).then(() => undefined);
  });
  const violations = await page.evaluate(async (selector) => {
    const found = await globalThis.axe.run(selector ?? document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
      resultTypes: ["violations"],
    });
    return found.violations.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.map(({ html, target }) => `    ${target}  ${html.slice(0, 200)}`).join("\n")}`);
  }, selector);
  if (violations.length > 0) throw new Error(`axe finds ${violations.length} kinds of faults:\n${violations.join("\n")}`);
}
