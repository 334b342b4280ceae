// From page to page: where the focus goes, what is said, and what the bar's menus do.
import assert from "node:assert/strict";
import { api, logIn, visit } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  const [machine] = await api(page, "GET", "/machine?show_all=true");
  const header = page.locator("header");
  const focused = () => page.evaluate(() => `${document.activeElement?.tagName} ${document.activeElement?.textContent.trim()}`);
  const said = page.getByTestId("page-change");
  /** There, and still there when everything has been drawn. */
  const headed = async (text) => {
    await until(`the focus is on the heading ${text}`, 5, async () => (await focused()) === `H1 ${text}`).catch(async () => assert.fail(`the focus is on ${await focused()}`));
    await page.waitForTimeout(500);
    assert.equal(await focused(), `H1 ${text}`);
    assert.equal(await said.textContent(), text);
  };

  await report.check("a page that is loaded leaves the focus alone, and says nothing twice", async () => {
    await visit(page, server, "/images");
    assert.match(await focused(), /^BODY/);
    assert.equal((await said.textContent()).trim(), "");
    assert.deepEqual([await said.getAttribute("role"), await said.getAttribute("aria-live")], ["status", "polite"]);
  });
  await report.check("a link of the bar leads to the page's heading, and the page is named", async () => {
    await header.getByRole("link", { name: "Preseeds", exact: true }).click();
    await headed("Preseeds");
    // nobody who points sees a ring around it
    assert.equal(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "none");
    assert.equal(await page.evaluate(() => document.activeElement.tabIndex), -1);
  });
  await report.check("so does one of a menu, one within a page, and the palette", async () => {
    await page.getByTestId("admin-menu").click();
    await page.getByRole("link", { name: "Networks" }).click();
    await headed("Networks");
    await header.getByRole("link", { name: "Machines", exact: true }).click();
    await headed("Machines");
    await page.getByTestId("machine-row").getByRole("link", { name: machine.name, exact: true }).first().click();
    await headed(machine.name);
    await page.keyboard.press("Control+k");
    const palette = page.getByTestId("palette");
    await palette.getByTestId("palette-input").fill("Leases");
    await palette.getByRole("option", { name: "Leases" }).waitFor();
    await page.keyboard.press("Enter");
    await headed("Leases");
  });
  await report.check("who has gone on meanwhile is not called back", async () => {
    await header.getByRole("link", { name: "Images", exact: true }).click();
    await headed("Images");
    await page.keyboard.press("Tab");
    const there = await focused();
    assert.ok(!there.startsWith("H1"), there);
    await page.waitForTimeout(500);
    assert.equal(await focused(), there);
  });
  await report.check("another query is no other page", async () => {
    await visit(page, server, "/preseeds");
    const search = page.getByTestId("filter");
    await search.fill("x");
    await page.waitForURL(/q=x/);
    await page.waitForTimeout(500);
    assert.ok(await search.evaluate((own) => own === document.activeElement));
    assert.equal((await said.textContent()).trim(), "");
  });
  await report.check("back to the list: as far down as it was left, and not lost", async () => {
    await page.setViewportSize({ width: 1280, height: 300 });
    await visit(page, server, "/machines");
    const last = page.getByTestId("machine-row").last().getByTestId("open");
    await last.scrollIntoViewIfNeeded();
    const far = await page.evaluate(() => scrollY);
    assert.ok(far > 0, "the list is too short");
    await last.click();
    await page.waitForURL(/\/machines\/\d+$/);
    await page.getByTestId("machine-name").waitFor();
    await page.waitForTimeout(300);
    await page.goBack();
    await page.getByTestId("machine-row").first().waitFor();
    await until("as far down", 5, async () => Math.abs((await page.evaluate(() => scrollY)) - far) < 2);
    await page.waitForTimeout(500);
    assert.ok(Math.abs((await page.evaluate(() => scrollY)) - far) < 2, "it jumped");
    assert.match(await focused(), /^H1/);
    await page.setViewportSize({ width: 1280, height: 800 });
  });
  await report.check("a menu closes when the focus leaves it", async () => {
    await visit(page, server, "/images");
    for (const menu of [page.getByTestId("admin-menu"), page.getByTestId("user-menu")]) {
      await menu.focus();
      await page.keyboard.press("Enter");
      const details = page.locator("header details[open]");
      await details.waitFor();
      await page.keyboard.press("Tab");
      assert.equal(await details.count(), 1, "it closed while the focus is within");
      for (let press = 0; press < 10 && (await details.count()) > 0; press += 1) await page.keyboard.press("Tab");
      assert.equal(await details.count(), 0);
      await menu.focus();
      await page.keyboard.press("Enter");
      await details.waitFor();
      await page.keyboard.press("Shift+Tab");
      await details.waitFor({ state: "detached" });
    }
  });
  await report.check("no page complained", () => browser.assertQuiet());
}
