// Every page renders, hydrates without a word in the browser's console, and stands in both colour schemes.
import assert from "node:assert/strict";
import { logIn } from "../lib/pages.mjs";

const PAGES = ["/overview", "/machines", "/images", "/preseeds", "/preseeds/new", "/leases", "/bmcs", "/networks", "/archs", "/users", "/discovery", "/audit", "/account"];

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  const machine = await page.getByTestId("machine-row").first().getByRole("link").first().getAttribute("href");
  for (const path of [...PAGES, machine]) {
    await report.check(`${path} hydrates in silence`, async () => {
      const answer = await page.goto(`${server.url}${path}`);
      assert.equal(answer.status(), 200);
      await page.locator("[data-testid=live-status][data-status=open]").waitFor();
      assert.ok((await page.locator("h1").count()) === 1, "not exactly one main heading");
      browser.assertQuiet();
    });
  }
  await report.check("the policy against foreign code is strict, and pages are not kept", async () => {
    const answer = await page.goto(`${server.url}/machines`);
    const headers = answer.headers();
    assert.match(headers["content-security-policy"], /script-src[^;]*'nonce-/);
    assert.ok(!headers["content-security-policy"].includes("unsafe-inline") && !headers["content-security-policy"].includes("'unsafe-eval'"));
    assert.match(headers["cache-control"], /no-store/);
  });
  await report.check("what the browser downloads is compressed and kept for ever", async () => {
    const [asset] = browser.requests.filter((path) => path.endsWith(".wasm"));
    const answer = await page.context().request.get(`${server.url}${asset}`, { headers: { "accept-encoding": "br" } });
    assert.equal(answer.headers()["content-encoding"], "br");
    assert.equal(answer.headers()["content-type"], "application/wasm");
    assert.match(answer.headers()["cache-control"], /immutable/);
  });
  await report.check("light and dark, by the system's wish and by the button", async () => {
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.emulateMedia({ colorScheme: "light" });
    const light = await background();
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await background();
    assert.notEqual(light, dark);
    await page.getByRole("button", { name: "Switch between light and dark" }).click();
    assert.equal(await background(), light);
    await page.reload();
    assert.equal(await background(), light);
  });
  await report.check("a telephone's width needs no sideways scrolling", async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    for (const path of ["/machines", machine]) {
      await page.goto(`${server.url}${path}`);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${path}: ${over} px too wide`);
    }
  });
  await report.check("the pages' tables are there for those who read without JavaScript", async () => {
    const html = await (await page.context().request.get(`${server.url}/machines`)).text();
    assert.match(html, /data-testid="machine-row"/);
  });
}
