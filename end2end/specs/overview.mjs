// The overview: what the lab is doing now, followed live.
import assert from "node:assert/strict";
import { assertLooks } from "../lib/looks.mjs";
import { api, follows, logIn } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

const REFUSED = [/^50[0-9] /, /Failed to load resource: the server responded with a status of 50/];

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  const machines = await api(page, "GET", "/machine?show_all=true");
  browser.requests.length = 0;
  const count = (chart, slice) => page.locator(`[data-testid=${chart}] [data-slice=${slice}] [data-count]`).textContent().then(Number);
  const sum = async (chart, slices) => (await Promise.all(slices.map((slice) => count(chart, slice)))).reduce((a, b) => a + b, 0);

  await report.check("it is the first entry of the navigation", async () => {
    const first = page.getByRole("navigation", { name: "Main" }).getByRole("link").first();
    assert.equal(await first.textContent(), "Overview");
    await first.click();
    await page.waitForURL(/\/overview$/);
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    assert.equal(await first.getAttribute("aria-current"), "page");
  });
  await report.check("it is drawn on the server, and hydrates in silence", async () => {
    const html = await (await page.context().request.get(`${server.url}/overview`)).text();
    assert.match(html, /data-slice="ready"/);
    await page.goto(`${server.url}/overview`);
    await follows(page);
    browser.assertQuiet();
  });
  await report.check("machines are counted by state and by power, in a chart and in a table", async () => {
    await until("all are on or off", 20, async () => (await sum("by-power", ["on", "off"])) === machines.length, 250);
    assert.equal(await sum("by-state", ["provisioning", "ready", "error", "unknown"]), machines.length);
    for (const chart of ["Machines by state", "Machines by power"]) {
      await page.getByRole("table", { name: chart }).getByRole("row").nth(4).waitFor();
    }
    // what the eye sees is not read twice
    assert.equal(await page.locator("[data-testid=by-state] > svg").getAttribute("aria-hidden"), "true");
  });
  await report.check("each part of a chart leads to its machines", async () => {
    for (const [chart, slice, query] of [["by-power", "on", '(= power "on")'], ["by-power", "off", '(= power "off")'], ["by-state", "error", '(= state "error")']]) {
      await page.goto(`${server.url}/overview`);
      await follows(page);
      const expected = await count(chart, slice);
      await page.locator(`[data-testid=${chart}] [data-slice=${slice}]`).getByRole("link").click();
      await page.waitForURL((url) => url.pathname === "/machines" && url.searchParams.get("q") === query);
      await until("as many machines", 5, async () => (await page.getByTestId("machine-row").count()) === Math.min(expected, 100));
    }
    await page.goto(`${server.url}/overview`);
    await follows(page);
  });
  await report.check("who holds what, and how many are free", async () => {
    const held = machines.filter(({ assignees }) => assignees.length > 0).length;
    const free = machines.length - held;
    await page.getByTestId("free").filter({ hasText: free === 0 ? "No machine" : free === 1 ? "One machine" : String(free) }).waitFor();
  });

  const own = machines.find(({ assignees }) => assignees.length === 0) ?? machines[0];
  await report.check("somebody who is given a machine appears without loading the page again", async () => {
    await api(page, "POST", "/user", { username: "olga" });
    await api(page, "POST", `/machine/${own.id}/assignee`, { user: "olga", reason: "kernel tests" });
    const row = page.locator("[data-testid=holders] [data-user=olga]");
    await row.getByRole("link", { name: own.name }).waitFor();
  });
  await report.check("meanwhile the focus stays on whom and what it is on", async () => {
    const row = page.locator("[data-testid=holders] [data-user=olga]");
    const { id } = await api(page, "POST", "/machine", { name: "held-too", arch: own.arch });
    for (const link of [row.getByRole("link", { name: "olga" }), row.getByRole("link", { name: own.name, exact: true })]) {
      await link.focus();
      const { id: assignment } = await api(page, "POST", `/machine/${id}/assignee`, { user: "olga" });
      await row.getByRole("link", { name: "held-too" }).waitFor();
      await page.waitForTimeout(300);
      assert.ok(await link.evaluate((own) => own === document.activeElement), "the focus is gone");
      await api(page, "DELETE", `/machine/${id}/assignee/${assignment}`);
      await row.getByRole("link", { name: "held-too" }).waitFor({ state: "detached" });
    }
    await api(page, "DELETE", `/machine/${id}`);
  });
  await report.check("who holds what leads to it: free machines, a user's, and those that are not named", async () => {
    const made = [];
    for (let number = 1; number <= 11; number += 1) {
      const { id } = await api(page, "POST", "/machine", { name: `held-${number}`, arch: own.arch });
      made.push(id);
      await api(page, "POST", `/machine/${id}/assignee`, { user: "olga" });
    }
    const row = page.locator("[data-testid=holders] [data-user=olga]");
    const links = [
      [page.getByTestId("free").getByRole("link"), "(= assignee_count 0)"],
      [row.getByRole("link", { name: "olga" }), '(= assignee "olga")'],
      [row.getByRole("link", { name: "and 2 more" }), '(= assignee "olga")'],
    ];
    for (const [link, query] of links) {
      await link.click();
      await page.waitForURL((url) => url.pathname === "/machines" && url.searchParams.get("q") === query);
      await page.goBack();
      await page.getByTestId("free").waitFor();
    }
    for (const id of made) await api(page, "DELETE", `/machine/${id}`);
    await row.getByRole("link", { name: "and 2 more" }).waitFor({ state: "detached" });
  });
  await report.check("power and state follow the lab", async () => {
    const before = await count("by-power", "on");
    const power = (await api(page, "GET", `/machine/${own.id}/power`)).state;
    await api(page, "POST", `/machine/${own.id}/power`, { state: power === "on" ? "off" : "on" });
    await until("the chart follows", 10, async () => (await count("by-power", "on")) === before + (power === "on" ? -1 : 1));
    const failed = await count("by-state", "error");
    await api(page, "PUT", `/machine/${own.id}/state`, { state: "error" });
    await until("the chart follows", 10, async () => (await count("by-state", "error")) === failed + 1);
  });
  await report.check("a failure is listed as it happens, and still after loading the page again", async () => {
    const failure = page.getByTestId("failures").getByRole("listitem").filter({ hasText: own.name }).first();
    await failure.waitFor();
    // it was one, whatever the machine is now
    await api(page, "PUT", `/machine/${own.id}/state`, { state: "ready" });
    await page.reload();
    await failure.waitFor();
    await follows(page);
  });
  const booted = machines.find(({ id }) => id !== own.id);
  await report.check("a running provisioning shows its steps as they come", async () => {
    const images = await api(page, "GET", "/image?show_all=true");
    const image = (kind) => images.find(({ type, arch }) => type === kind && arch === booted.arch).id;
    await api(page, "PUT", `/machine/${booted.id}`, { kernel_id: image("Kernel"), initrd_id: image("Initrd") });
    await api(page, "POST", `/machine/${booted.id}/state`, { state: "provision" });
    const entry = page.locator(`[data-testid=running] [data-machine="${booted.name}"]`);
    await entry.waitFor({ timeout: 10_000 });
    await entry.getByText("since").waitFor();
    await until("a step is told", 20, async () => /\d\d:\d\d:\d\d: /.test(await entry.getByTestId("step").textContent()));
  });
  await report.check("a BMC that falls silent is listed with its fault and its machines", async () => {
    const silent = machines.find(({ id, bmc_id: bmc }) => bmc !== null && id !== booted.id && id !== own.id);
    const bmc = (await api(page, "GET", "/bmc")).find(({ id }) => id === silent.bmc_id);
    // nobody listens there
    await api(page, "PUT", `/bmc/${bmc.id}`, { name: bmc.name, ip: "127.0.0.1", port: 9 });
    const entry = page.locator(`[data-testid=sick] [data-bmc="${bmc.name}"]`);
    await entry.locator("[data-health=unreachable]").waitFor({ timeout: 40_000 });
    await entry.getByRole("link", { name: silent.name, exact: true }).waitFor();
    assert.match(await entry.getByTestId("bmc-health-note").textContent(), /./);
  });
  await report.check("axe, both colour schemes, desk and telephone", () => assertLooks(browser, page, "overview"));
  await report.check("a click on a machine leads to it, and back leads back", async () => {
    await page.locator("[data-testid=holders] [data-user=olga]").getByRole("link", { name: own.name }).click();
    await page.getByTestId("machine-name").filter({ hasText: own.name }).waitFor();
    await page.goBack();
    await page.getByTestId("by-state").waitFor();
  });
  await report.check("of all that it asked for the short account only, and not for the whole list of machines", async () => {
    browser.requests.length = 0;
    await page.reload();
    await follows(page);
    await api(page, "PUT", `/machine/${machines[0].id}`, { kernel_opts: "quiet splash" });
    await until("the page asks again", 5, () => browser.requests.includes("/api/v1/overview"));
    const asked = browser.requests.filter((path) => path.startsWith("/api/v1/"));
    assert.ok(asked.includes("/api/v1/overview"), asked.join("\n"));
    for (const list of ["/api/v1/machine", "/api/v1/event"]) assert.ok(!asked.includes(list), asked.join("\n"));
  });
  await report.check("a server that starts again is caught up with", async () => {
    await server.killAndStartAgain();
    await follows(page, { timeout: 30_000 });
    await until("all are counted", 30, async () => (await sum("by-state", ["provisioning", "ready", "error", "unknown"])) === machines.length);
  });
  browser.takeMessages([...REFUSED, /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/]);
}
