// A page as everybody may see it: both colour schemes, on a desk and on a telephone.
import { assertAccessible } from "./axe.mjs";

const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 360, height: 740 } };

/**
 * axe on what the page shows now in light and dark at both sizes, no sideways scrolling, and a screenshot of each as
 * `out/<name>-<size>-<scheme>.png`. Leaves the page light and on the desk.
 */
export async function assertLooks(browser, page, name) {
  try {
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      for (const colorScheme of ["light", "dark"]) {
        // without transitions: axe would see colours half way from one scheme to the other
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await page.evaluate(settled);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (over > 0) throw new Error(`${name} on a ${size} is ${over} px too wide`);
        await assertAccessible(page).catch((error) => {
          throw new Error(`${name}, ${size}, ${colorScheme}: ${error.message}`);
        });
        await browser.screenshot(page, `${name}-${size}-${colorScheme}`);
      }
    }
  } finally {
    await page.emulateMedia({ colorScheme: "light", reducedMotion: "no-preference" });
    await page.setViewportSize(SIZES.desktop);
  }
}

/** Within the page: resolves when it is painted and nothing is half way any more; even a transition of no length takes a frame. */
async function settled() {
  for (let frame = 0; frame < 2; frame += 1) await new Promise((painted) => requestAnimationFrame(painted));
  const transitions = document.getAnimations().filter((animation) => animation instanceof CSSTransition);
  // one within a closed menu does not run, and never ends
  const late = new Promise((resolve) => setTimeout(resolve, 1000));
  await Promise.race([Promise.allSettled(transitions.map((transition) => transition.finished)), late]);
}

/** Whether the element that is shown can be reached with the Tab key alone, within so many presses. */
export async function reachedByTab(page, locator, presses = 60) {
  for (let press = 0; press < presses; press += 1) {
    await page.keyboard.press("Tab");
    if (await locator.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`not reached within ${presses} presses of Tab`);
}
