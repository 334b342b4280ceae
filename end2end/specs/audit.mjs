// The audit log's page: who changed what.
import assert from "node:assert/strict";
import { assertLooks, reachedByTab } from "../lib/looks.mjs";
import { api, follows, logIn } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

const REFUSED = [/^40[0-9] /, /Failed to load resource: the server responded with a status of 40/];

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  const [machine] = await api(page, "GET", "/machine?show_all=true");
  const { password } = await api(page, "POST", "/user", { username: "adam", email: "adam@lab.example", admin: false });
  await api(page, "PUT", `/machine/${machine.id}`, { kernel_opts: "quiet console=ttyS1", netboot_enabled: !machine.netboot_enabled });
  // more than fits on a page
  for (let number = 0; number < 60; number += 1) await api(page, "POST", "/network", { name: `net-${number}`, subnet: `10.88.${number}.0/24` });
  const entries = page.getByTestId("audit").locator("> li");

  await report.check("the administrators' menu leads to it", async () => {
    await page.getByTestId("admin-menu").click();
    await page.getByRole("link", { name: "Audit log" }).click();
    await page.waitForURL(/\/audit$/);
    await entries.first().waitFor();
    assert.equal(await page.getByTestId("admin-menu").locator("..").getAttribute("open"), null);
  });
  await report.check("the newest come first; older ones when asked for, each once", async () => {
    assert.equal(await entries.count(), 50);
    assert.match(await entries.first().textContent(), /admin.*added network.*net-59/s);
    await page.getByTestId("older").click();
    await page.getByText("net-0", { exact: true }).first().waitFor();
    await page.getByTestId("audit-said").filter({ hasText: /\d+ entries/ }).waitFor({ state: "attached" });
    await until("the focus is where one was", 5, () => page.evaluate(() => document.activeElement !== document.body));
    const texts = await entries.locator("time").evaluateAll((times) => times.map((time) => time.dateTime));
    assert.deepEqual(texts, [...texts].sort().reverse());
    const names = await entries.filter({ hasText: "added network" }).count();
    assert.equal(names, 60 + (await api(page, "GET", "/admin/audit?action=network.create&limit=1000")).filter(({ subject }) => !subject.startsWith("net-")).length);
  });
  await report.check("what has no page of its own is found in its list", async () => {
    const link = page.getByTestId("audit").getByRole("link", { name: "net-7", exact: true }).first();
    assert.equal(await link.getAttribute("href"), "/networks?q=net-7");
  });
  await report.check("the filter's buttons stand in line with its fields", async () => {
    const bottoms = await page.getByTestId("audit-filter").locator("input, select, button, a").evaluateAll((all) => all.map((own) => own.getBoundingClientRect().bottom));
    assert.ok(Math.max(...bottoms) - Math.min(...bottoms) < 1, bottoms.join());
  });
  await report.check("a change is told member by member, before and after", async () => {
    await page.goto(`${server.url}/audit?kind=machine&subject_id=${machine.id}`);
    await page.getByTestId("of-one").filter({ hasText: machine.name }).waitFor();
    const changes = page.locator("[data-action='machine.change']").first().getByTestId("changes");
    const row = changes.locator("div").filter({ hasText: "kernel opts" });
    assert.equal(await row.locator("ins").textContent(), "quiet console=ttyS1");
    assert.equal(await row.locator("del").count(), 1);
    const netboot = changes.locator("div").filter({ hasText: "netboot enabled" });
    assert.deepEqual([await netboot.locator("del").textContent(), await netboot.locator("ins").textContent()], machine.netboot_enabled ? ["yes", "no"] : ["no", "yes"]);
  });
  await report.check("filters by who, what, action and since go into the address, and back takes them back", async () => {
    await page.goto(`${server.url}/audit`);
    await page.getByLabel("What").selectOption("user");
    await page.getByLabel("Action").selectOption("user.create");
    await page.getByLabel("Who").fill("admin");
    await page.getByLabel("Since").fill("2020-01-02T03:04");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.waitForURL(/user=admin&action=user\.create&since=2020-01-02T03%3A04%3A00Z/);
    await entries.filter({ hasText: "adam" }).waitFor();
    assert.equal(await entries.filter({ hasText: "network" }).count(), 0);
    await page.goBack();
    await page.waitForURL(/\/audit$/);
    await entries.filter({ hasText: "added network" }).first().waitFor();
    assert.equal(await page.getByLabel("What").inputValue(), "");
  });
  await report.check("whose history it is stays with the other filters, and is taken away by itself", async () => {
    await page.goto(`${server.url}/audit?kind=machine&subject_id=${machine.id}`);
    await follows(page);
    const history = page.getByTestId("of-one").filter({ hasText: `History of machine ${machine.name}` });
    await history.waitFor();
    await page.getByLabel("Since").fill("2020-01-02T03:04");
    await page.getByLabel("Action").selectOption("machine.change");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.waitForURL((url) => url.searchParams.get("subject_id") === String(machine.id) && url.searchParams.get("action") === "machine.change" && url.searchParams.has("since"));
    await page.getByTestId("audit-said").filter({ hasText: /entr/ }).waitFor({ state: "attached" });
    await history.getByRole("link").click();
    await page.waitForURL((url) => !url.searchParams.has("subject_id") && url.searchParams.get("kind") === "machine" && url.searchParams.has("since"));
    await page.getByTestId("of-one").waitFor({ state: "detached" });
    // ids are of a kind
    await page.goto(`${server.url}/audit?kind=machine&subject_id=${machine.id}`);
    await follows(page);
    await page.getByLabel("What").selectOption("network");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.waitForURL((url) => url.searchParams.get("kind") === "network" && !url.searchParams.has("subject_id"));
  });
  await report.check("newer entries are counted as they come, and shown when one asks for them", async () => {
    await page.goto(`${server.url}/audit?kind=network`);
    await follows(page);
    const first = await entries.first().getAttribute("data-entry");
    for (const number of [1, 2]) await api(page, "POST", "/network", { name: `late-${number}`, subnet: `10.89.${number}.0/24` });
    const newer = page.getByTestId("newer");
    await newer.filter({ hasText: "Show 2 newer entries" }).waitFor({ timeout: 10_000 });
    assert.equal(await entries.first().getAttribute("data-entry"), first);
    await newer.click();
    await entries.first().filter({ hasText: "late-2" }).waitFor();
    assert.equal(await entries.nth(2).getAttribute("data-entry"), first);
    assert.equal(await newer.count(), 0);
    await until("the focus is in the first of them", 5, () => entries.first().evaluate((entry) => entry.contains(document.activeElement)));
  });
  await report.check("a filter in the address fills the form; what fits nothing says so", async () => {
    await page.goto(`${server.url}/audit?action=machine.power&user=nobody`);
    assert.equal(await page.getByLabel("What").inputValue(), "machine");
    assert.equal(await page.getByLabel("Action").inputValue(), "machine.power");
    await page.getByText("No entry fits").waitFor();
    await page.getByRole("link", { name: "Clear" }).click();
    await entries.first().waitFor();
  });
  await report.check("a time that is none is refused in the words of the API", async () => {
    await page.goto(`${server.url}/audit?since=yesterday`);
    await page.getByTestId("load-error").filter({ hasText: "since must be a time such as" }).waitFor();
    browser.takeMessages(REFUSED);
  });
  await report.check("an export is every entry that fits, one per line", async () => {
    await page.goto(`${server.url}/audit?action=network.create`);
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("export").click()]);
    assert.equal(download.suggestedFilename(), "audit.jsonl");
    const answer = await page.context().request.get(download.url());
    const lines = (await answer.text()).trim().split("\n").map((line) => JSON.parse(line));
    assert.ok(lines.length >= 60 && lines.every(({ action }) => action === "network.create"));
  });
  await report.check("it works by the keyboard", async () => {
    await page.goto(`${server.url}/audit`);
    await follows(page);
    await reachedByTab(page, page.getByLabel("Who"));
    await page.keyboard.type("admin");
    await page.keyboard.press("Enter");
    await page.waitForURL(/user=admin/);
  });
  await report.check("axe, both colour schemes, desk and telephone", async () => {
    await page.goto(`${server.url}/audit?kind=machine`);
    await entries.first().waitFor();
    await assertLooks(browser, page, "audit");
  });
  browser.assertQuiet();
  await report.check("who is no administrator is told so, with status 403, and sees no way there", async () => {
    await page.getByTestId("user-menu").click();
    await page.getByTestId("logout").click();
    await page.waitForURL(/\/login/);
    await logIn(page, server, { username: "adam", password });
    assert.equal(await page.getByTestId("admin-menu").count(), 0);
    const answer = await page.goto(`${server.url}/audit`);
    assert.equal(answer.status(), 403);
    await page.getByTestId("load-error").filter({ hasText: "only an admin" }).waitFor();
    assert.equal(await page.getByTestId("audit-filter").count(), 0);
    await assertLooks(browser, page, "audit-refused");
    browser.takeMessages(REFUSED);
  });
}
