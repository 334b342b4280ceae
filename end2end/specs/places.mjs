// Back to a list: as far down as it was left.
import assert from "node:assert/strict";
import { api, logIn, visit } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  await report.need("lists that are longer than the window", async () => {
    for (let number = 1; number <= 60; number += 1) {
      await api(page, "POST", "/network", { name: `net-${number}`, subnet: `10.8.${number}.0/24` });
      await api(page, "POST", "/user", { username: `person-${number}` });
      await api(page, "POST", "/preseed", { name: `preseed-${number}`, description: "", content: "d-i", type: "preseed" });
    }
  });
  const scrolled = () => page.evaluate(() => Math.round(scrollY));
  const home = page.getByRole("link", { name: "Machines", exact: true }).last();
  const away = async () => {
    await home.click();
    await page.waitForURL(/\/machines$/);
    await page.getByTestId("machines").waitFor();
  };
  for (const [path, row] of [["/networks", "[data-network]"], ["/users", "[data-testid=users] tbody tr"], ["/preseeds", "[data-preseed]"], ["/audit", "[data-testid=audit] li"]]) {
    await report.check(`${path}, and a link to it begins at its top`, async () => {
      await visit(page, server, path);
      await page.locator(row).nth(40).waitFor();
      await page.evaluate(() => scrollTo(0, 700));
      await away();
      await page.goBack();
      await page.locator(row).nth(40).waitFor();
      await until("as far down", 5, async () => Math.abs((await scrolled()) - 700) < 3).catch(async () => assert.fail(`at ${await scrolled()}`));
      await away();
      await page.evaluate((to) => {
        const link = Object.assign(document.createElement("a"), { href: to, textContent: "there" });
        document.querySelector("main").append(link);
        link.click();
      }, path);
      await page.locator(row).nth(40).waitFor();
      await page.waitForTimeout(300);
      assert.equal(await scrolled(), 0);
    });
  }
  await report.check("also where it was filtered meanwhile", async () => {
    await visit(page, server, "/networks");
    await page.getByTestId("filter").fill("net");
    await page.waitForURL(/q=net/);
    await page.evaluate(() => scrollTo(0, 500));
    await away();
    await page.goBack();
    await page.locator("[data-network]").nth(40).waitFor();
    await until("as far down", 5, async () => Math.abs((await scrolled()) - 500) < 3).catch(async () => assert.fail(`at ${await scrolled()}`));
  });
  await report.check("no page complained", () => browser.assertQuiet());
}
