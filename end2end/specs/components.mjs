// The page of components, which debug builds have: all of it as the server draws it.
import assert from "node:assert/strict";
import { assertLooks } from "../lib/looks.mjs";
import { logIn } from "../lib/pages.mjs";

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  // what the browser runs here is a release, which has no such page
  await page.route(/\/assets\/boot-.*\.js/, (route) => route.abort());
  await report.check("every part is there", async () => {
    const answer = await page.goto(`${server.url}/dev/components`);
    assert.equal(answer.status(), 200);
    for (const name of ["Colours", "Fields", "Forms", "Words and marks", "Data", "Over the page", "Icons"]) {
      await page.getByRole("heading", { level: 2, name }).waitFor();
    }
  });
  await report.check("axe, both colour schemes, desk and telephone", () => assertLooks(browser, page, "components"));
  browser.takeMessages([/ERR_FAILED|Failed to load resource/]);
}
