// Every page renders, hydrates without a word in the browser's console, and stands in both colour schemes.
import assert from "node:assert/strict";
import { api, follows, logIn } from "../lib/pages.mjs";

const PAGES = ["/overview", "/machines", "/images", "/preseeds", "/preseeds/new", "/leases", "/bmcs", "/networks", "/archs", "/users", "/discovery", "/audit", "/account"];

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  const machine = await page.getByTestId("machine-row").first().getByRole("link").first().getAttribute("href");
  for (const path of [...PAGES, machine]) {
    await report.check(`${path} hydrates in silence`, async () => {
      const answer = await page.goto(`${server.url}${path}`);
      assert.equal(answer.status(), 200);
      await follows(page);
      assert.ok((await page.locator("h1").count()) === 1, "not exactly one main heading");
      browser.assertQuiet();
    });
  }
  await report.check("L9: an address of the original's pages leads to what it showed", async () => {
    const [network] = await api(page, "GET", "/network");
    await page.goto(`${server.url}/networks/${network.id}`);
    assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, `/networks?q=${network.name}`);
    await page.locator(`[data-network="${network.name}"]`).waitFor();
    await page.goto(`${server.url}/self/tokens`);
    assert.equal(new URL(page.url()).pathname + new URL(page.url()).hash, "/account#tokens");
    await page.locator("#tokens").waitFor();
    browser.assertQuiet();
  });
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
  for (const [width, height] of [[360, 740], [3840, 2160]]) {
    await report.check(`${width} px wide: no sideways scrolling, and what is done in a row is within reach`, async () => {
      await page.setViewportSize({ width, height });
      for (const path of [...PAGES, machine]) {
        await page.goto(`${server.url}${path}`);
        await follows(page);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(over <= 0, `${path}: ${over} px too wide`);
        // the panels of a machine and of an account scroll their tables
        const cut = ["/account", machine].includes(path)
          ? []
          : await page.locator("main tbody tr :is(button, a.btn)").evaluateAll((all) => all.filter((one) => one.getBoundingClientRect().right > innerWidth).map((one) => one.title || one.textContent));
        assert.deepEqual(cut, [], `${path}: out of reach`);
        const longest = await page.locator("main :is(input, select, p)").evaluateAll((all) => {
          const range = document.createRange();
          const width = (one) => (one.matches("p") ? (range.selectNodeContents(one), range) : one).getBoundingClientRect().width;
          return Math.max(0, ...all.map(width));
        });
        assert.ok(longest <= 1800, `${path}: a line of ${longest} px`);
        await browser.screenshot(page, `${width}${path.replaceAll("/", "-")}`);
      }
    });
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  await report.check("the pages' tables are there for those who read without JavaScript", async () => {
    const html = await (await page.context().request.get(`${server.url}/machines`)).text();
    assert.match(html, /data-testid="machine-row"/);
  });
}
