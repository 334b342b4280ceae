// The server restarts under open pages: they say so, come back by themselves and show what changed meanwhile.
import assert from "node:assert/strict";
import { api, logIn } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

const AWAY = [/ERR_INTERNET_DISCONNECTED|ERR_CONNECTION|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_EMPTY_RESPONSE|ERR_NETWORK|Failed to load resource/, /^50[0-9] /];

export async function spec({ server, browser, report }) {
  const list = await browser.page();
  await report.need("log in", () => logIn(list, server));
  const [first, second] = await api(list, "GET", "/machine?show_all=true");
  const { secret } = await api(list, "POST", "/self/token", { description: "elsewhere" });
  const [machine, overview] = [await browser.page(), await browser.page()];
  const pages = [list, machine, overview];
  const status = (page, word) => page.locator(`[data-testid=live-status][data-status=${word}]`);
  await report.need("three open pages, live", async () => {
    await machine.goto(`${server.url}/machines/${first.id}`);
    await overview.goto(`${server.url}/overview`);
    for (const page of pages) {
      await status(page, "open").waitFor();
      await page.evaluate(() => (window.stillHere = true));
    }
    browser.assertQuiet();
  });
  await report.check("the server goes, and every page says so", async () => {
    // so that no page is back before the change is made
    await list.context().setOffline(true);
    await server.killAndStartAgain();
    for (const page of pages) {
      await status(page, "lost").getByText("Connection lost, reconnecting").waitFor({ timeout: 20_000 });
    }
  });
  await report.check("somebody else changes the lab meanwhile", async () => {
    const put = async (path, body) => {
      const response = await fetch(`${server.url}/api/v1${path}`, {
        method: "PUT",
        headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      assert.ok(response.ok, `${path}: ${response.status} ${await response.text()}`);
    };
    await put(`/machine/${first.id}`, { kernel_opts: "changed=meanwhile" });
    await put(`/machine/${first.id}/state`, { state: "error" });
    await put(`/machine/${second.id}`, { name: "renamed-meanwhile" });
  });
  await report.check("the pages come back by themselves", async () => {
    await list.context().setOffline(false);
    for (const page of pages) await status(page, "open").waitFor({ timeout: 30_000 });
  });
  await report.check("and show what is true now, without a reload", async () => {
    await machine.locator("h1 ~ [data-testid=state][data-state=error], [data-testid=state][data-state=error]").first().waitFor();
    await until("the form follows", 10, async () => (await machine.locator("#kernel-opts").inputValue()) === "changed=meanwhile");
    await list.getByTestId("machine-row").filter({ hasText: "renamed-meanwhile" }).waitFor();
    await until("the overview counts it", 10, async () => Number(await overview.locator("[data-testid=by-state] [data-slice=error] [data-count]").textContent()) >= 1);
    for (const page of pages) assert.equal(await page.evaluate(() => window.stillHere), true);
  });
  await report.check("nothing else was complained of", () => browser.assertQuiet(AWAY));
}
