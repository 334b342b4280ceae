// A page's code comes with the page, and with no other. A part that is gone (the server was updated) or cannot be fetched ends in words.
import assert from "node:assert/strict";
import { assertLooks } from "../lib/looks.mjs";
import { follows, logIn } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

const GONE = [/404/, /HTTP status code is not ok/, /Failed to load resource/, /failed to load split module/];

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  const of = (part) => new RegExp(`/assets/part_${part}-[A-Z0-9]+\\.wasm$`);
  const fetched = (part) => browser.requests.filter((path) => of(part).test(path)).length;
  const gone = () => page.getByText("This page could not be loaded", { exact: true });
  const live = () => follows(page);
  // from a page with room for the bar of links
  const follow = async (name) => {
    await page.getByTestId("admin-menu").click();
    await page.getByRole("link", { name }).first().click();
  };
  await report.need("log in", () => logIn(page, server));
  const parts = () => browser.requests.filter((path) => path.startsWith("/assets/part_"));
  await report.check("a page is loaded with its own code, once, and without other pages'", async () => {
    await page.getByTestId("machine-row").first().waitFor();
    await live();
    browser.requests.length = 0;
    await page.goto(`${server.url}/users`);
    await live();
    assert.equal(fetched("users"), 1, browser.requests.join("\n"));
    for (const other of ["machine", "console", "networks", "overview", "audit"]) assert.equal(fetched(other), 0, other);
    browser.assertQuiet();
  });
  await report.check("the document says what to load before the script can ask for it", async () => {
    const html = await (await page.context().request.get(`${server.url}/users`)).text();
    const preloaded = [...html.matchAll(/<link rel="preload" href="(\/assets\/part_[^"]+)"/g)].map(([, address]) => address);
    assert.ok(preloaded.length > 0);
    assert.deepEqual(preloaded.sort(), [...new Set(parts())].sort());
  });
  await report.check("the start page comes with the application", async () => {
    browser.requests.length = 0;
    await page.goto(`${server.url}/machines`);
    await live();
    await page.getByTestId("machine-row").first().waitFor();
    assert.deepEqual(parts(), []);
  });
  await report.check("another page is fetched when it is gone to, without loading the application anew", async () => {
    await page.evaluate(() => (window.stillHere = true));
    await follow("Users");
    await page.getByRole("heading", { name: "Users", level: 1 }).waitFor();
    assert.equal(fetched("users"), 1);
    assert.equal(await page.evaluate(() => window.stillHere), true);
    browser.assertQuiet();
  });
  await report.check("who types and goes on at once gets there, however late that page's code is", async () => {
    await page.goto(`${server.url}/machines`);
    await live();
    const [first] = await page.locator("[data-testid=machine-row] [data-testid=open]").evaluateAll((links) => links.map((link) => link.textContent));
    const late = async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 700));
      await route.continue();
    };
    await page.route(of("machine"), late);
    await page.keyboard.press("/");
    await page.keyboard.type(first.slice(0, -1), { delay: 20 });
    // the address follows the last key only after a pause, which ends when the page is left already
    await page.locator("[data-testid=machine-row] [data-testid=open]").first().click();
    await page.getByTestId("machine-name").filter({ hasText: first.slice(0, -1) }).waitFor();
    await page.waitForTimeout(300);
    assert.match(new URL(page.url()).pathname, /^\/machines\/\d+$/);
    await page.unroute(of("machine"), late);
    browser.assertQuiet();
  });
  await report.check("a dialog's code comes when it is opened, and the focus goes into it", async () => {
    await page.goto(`${server.url}/machines`);
    await live();
    browser.requests.length = 0;
    await page.getByTestId("add-machine").click();
    await page.getByTestId("new-machine").getByLabel("Name").waitFor();
    await until("the focus is in the first field", 5, () =>
      page.getByTestId("new-machine").getByLabel("Name").evaluate((field) => field === document.activeElement),
    );
    assert.equal(fetched("new_machine"), 1);
    await page.keyboard.press("Escape");
    await page.getByTestId("add-machine").click();
    await page.getByTestId("new-machine").getByLabel("Name").waitFor();
    assert.equal(fetched("new_machine"), 1);
    await page.keyboard.press("Escape");
    browser.assertQuiet();
  });
  const lost = (route) => route.fulfill({ status: 404, body: "no such file\n" });
  await report.check("a part that is gone: the page says so, and the rest lives on", async () => {
    await page.evaluate(() => (window.stillHere = true));
    await page.route(of("networks"), lost);
    await follow("Networks");
    await gone().waitFor();
    assert.equal(new URL(page.url()).pathname, "/networks");
    await assertLooks(browser, page, "parts-gone");
    await page.getByRole("link", { name: "Machines", exact: true }).first().click();
    await page.getByTestId("machine-row").first().waitFor();
    assert.equal(await page.evaluate(() => window.stillHere), true);
    browser.assertQuiet(GONE);
  });
  await report.check("a dialog's part that is gone: the dialog says so, and has it when it is opened again", async () => {
    await page.route(of("reserve"), lost, { times: 1 });
    await page.getByTestId("reserve-machine").click();
    await page.getByTestId("reserve").getByText("The server was updated since you opened the page").waitFor();
    await page.keyboard.press("Escape");
    await page.getByTestId("reserve-machine").click();
    await page.getByTestId("reserve").getByLabel("Reason").waitFor();
    await page.keyboard.press("Escape");
    await page.unroute(of("reserve"));
    browser.assertQuiet(GONE);
  });
  await report.check("its reload brings the page", async () => {
    await follow("Networks");
    await gone().waitFor();
    await page.unroute(of("networks"));
    await page.getByTestId("reload").click();
    await page.getByRole("heading", { name: "Networks", level: 1 }).waitFor();
    await live();
    assert.equal(await page.evaluate(() => window.stillHere), undefined);
    browser.assertQuiet(GONE);
  });
  await report.check("a part that failed once is asked for again", async () => {
    await page.route(of("bmcs"), lost, { times: 2 });
    await follow("BMCs");
    await gone().waitFor();
    await page.unroute(of("bmcs"));
    await page.getByRole("link", { name: "Machines", exact: true }).first().click();
    await page.getByTestId("machine-row").first().waitFor();
    await follow("BMCs");
    await page.getByRole("heading", { name: "BMCs", level: 1 }).waitFor();
    browser.assertQuiet(GONE);
  });
  for (const [what, file] of [["its own part", of("audit")], ["the application", /\/assets\/app_bg-[A-Z0-9]+\.wasm$/]]) {
    await report.check(`a first load without ${what}: the page is there to be read, and says that it is dead`, async () => {
      await page.route(file, lost);
      await page.goto(`${server.url}/audit`);
      await page.getByRole("heading", { name: "Audit log", level: 1 }).waitFor();
      await page.getByText("This page could not be loaded completely").waitFor();
      await browser.screenshot(page, "parts-not-started");
      await page.unroute(file);
      await page.getByRole("link", { name: "Reload" }).click();
      await live();
      assert.equal(await page.getByText("This page could not be loaded completely").isVisible(), false);
      browser.assertQuiet(GONE);
    });
  }
}
