// ML1–ML6: the list of machines of a lab with more of them than a page shows.
import assert from "node:assert/strict";
import { assertLooks } from "../lib/looks.mjs";
import { allRows, api, follows, logIn } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

const MACHINES = 320;

export const options = { args: ["--machines", String(MACHINES)] };

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  const machines = await api(page, "GET", "/machine?show_all=true");
  const named = (name) => machines.find((machine) => machine.name === name);

  const rows = page.getByTestId("machine-row");
  const row = (name) => page.locator(`[data-testid=machine-row][data-machine="${name}"]`);
  const names = () => rows.evaluateAll((all) => all.map(({ dataset }) => dataset.machine));
  const count = async (text) => {
    await page.getByTestId("machine-count").filter({ hasText: text }).waitFor();
    await allRows(page);
  };
  const live = () => follows(page);
  const search = (text) => page.getByTestId("search").fill(text);
  const address = (query) => page.waitForURL((url) => url.pathname === "/machines" && decodeURIComponent(url.search) === query);
  const open = async (query = "") => {
    await page.goto(`${server.url}/machines${query}`);
    await live();
    await allRows(page);
  };
  const toast = (text) => page.getByTestId("toasts").getByText(text).first().waitFor();
  // the terminal of the console pages says so on a busy machine
  const quiet = () => browser.assertQuiet([/task queue exceeded allotted deadline/]);

  // ------------------------------------------------------------------ ML2, ML3: pages, sort, search, query

  /** How many rows a page has that the server draws, when the browser asks for it. */
  const served = (html) => html.match(/data-testid="machine-row"/g).length;
  await report.check("ML3 a page has 100 of them, by name as people count, as many as a window shows drawn by the server", async () => {
    const { request } = page.context();
    const fetched = async () => (await request.get(`${server.url}/machines`)).text();
    await page.context().clearCookies({ name: "page-machines-seen" });
    assert.equal(served(await fetched()), 40);
    await open();
    assert.equal(await rows.count(), 100);
    const seen = served(await fetched());
    assert.ok(seen > 10 && seen < 40, `${seen} rows`);
    // nothing is missing where one looks before the application runs
    const plain = await browser.page();
    await plain.route(/\.(js|wasm)$/, (route) => route.abort());
    await plain.goto(`${server.url}/machines`);
    const { y, height } = await plain.getByTestId("machine-row").last().boundingBox();
    assert.ok(y + height >= 800, `the last row ends at ${y + height}`);
    await plain.close();
    browser.takeMessages();
    await count(`1–100 of ${MACHINES} machines`);
    const shown = await names();
    assert.ok(shown.indexOf("arm64-2") < shown.indexOf("arm64-10"), "arm64-2 stands behind arm64-10");
    quiet();
  });
  await report.check("ML3 other rows: those that are seen come first, and nothing jumps; all at once where the focus is among them", async () => {
    await open();
    /** How many rows there were each time they changed, and whether the page was ever less high. */
    const watched = async (act) => {
      await page.evaluate(() => {
        const body = document.querySelector("[data-testid=machines] tbody");
        const height = document.documentElement.scrollHeight;
        window.watched = { counts: [], sank: false };
        window.watching?.disconnect();
        window.watching = new MutationObserver(() => {
          window.watched.counts.push(body.rows.length);
          window.watched.sank ||= document.documentElement.scrollHeight < height;
        });
        window.watching.observe(body, { childList: true });
      });
      await act();
      await until("all rows", 10, () => page.evaluate(() => window.watched.counts.at(-1) === 100));
      return page.evaluate(() => window.watched);
    };
    const sorted = await watched(() => page.getByRole("button", { name: "Name" }).click());
    // and then as many again with every frame
    assert.deepEqual(sorted.counts.slice(1), sorted.counts.slice(0, -1).map((rows) => Math.min(2 * rows, 100)));
    const fits = await page.locator("[data-testid=machines] tbody").evaluate((body) => Math.ceil((innerHeight - body.getBoundingClientRect().top) / 28));
    assert.ok(fits > 10 && fits < 25, `${fits} fit into the window`);
    assert.equal(sorted.counts[0], fits);
    assert.equal(sorted.sank, false);
    await until("no height is kept", 5, () => page.locator("div:has(> [data-testid=machines])").evaluate(({ style }) => style.minHeight === ""));
    await rows.first().getByTestId("open").focus();
    const { counts } = await watched(() => page.evaluate(() => history.back()));
    assert.deepEqual(counts, [100]);
    // scrolled down by some rows, these are above the window and drawn as well
    await page.evaluate(() => (document.activeElement.blur(), scrollTo(0, 600)));
    const lower = await watched(() => page.evaluate(() => document.querySelector("[data-testid=machines] th button").click()));
    assert.ok(lower.counts[0] >= fits + 600 / 28 - 1 && lower.counts[0] < 60, `${lower.counts}`);
    quiet();
  });
  await report.check("ML3 next, last, previous and first page stand in the address; Back leads back", async () => {
    await open();
    const first = await names();
    await page.getByTestId("page-next").click();
    await address("?page=2");
    await count(`101–200 of ${MACHINES} machines`);
    assert.ok(!(await names()).some((name) => first.includes(name)), "a machine is on both pages");
    await page.getByTestId("page-last").click();
    await count(`301–${MACHINES} of ${MACHINES} machines`);
    assert.equal(await rows.count(), 20);
    await page.goBack();
    await count(`101–200 of ${MACHINES}`);
    await page.getByTestId("page-first").click();
    await count(`1–100 of ${MACHINES}`);
    assert.deepEqual(await names(), first);
  });
  await report.check("a page beyond the last leads to the last", async () => {
    await open("?page=99");
    await count(`301–${MACHINES} of ${MACHINES}`);
    await address("?page=4");
  });
  await report.check("ML2 a click on a heading sorts, the next one turns the order, and both stand in the address", async () => {
    await open();
    const ascending = await names();
    await page.getByRole("button", { name: "Name" }).click();
    await address("?sort=-name");
    await until("the order is turned", 10, async () => (await names())[0] === "x86-uefi-b80");
    assert.equal(await page.locator("th[aria-sort=descending]").textContent(), "Name▾");
    await page.getByRole("button", { name: "MAC addresses" }).click();
    await address("?sort=macs");
    const [{ name: first }] = await api(page, "GET", "/machine?show_all=true&sort=macs&limit=1");
    await until("sorted by MAC", 10, async () => (await names())[0] === first);
    await page.goBack();
    await until("the old order", 10, async () => (await names())[0] === "x86-uefi-b80");
    await page.goBack();
    await until("the first order", 10, async () => (await names())[0] === ascending[0]);
    await page.goForward();
    await until("and again", 10, async () => (await names())[0] === "x86-uefi-b80");
  });
  await report.check("ML3 the search box finds by name, MAC, BMC, user and reason; Back brings the whole list back", async () => {
    await open();
    const wanted = named("arm64-33");
    for (const [text, fits] of [
      ["ARM64-33", 1],
      [wanted.macs[0], 1],
      ["arm64-33-bmc", 1],
      ["first steps", 1],
      ["no such machine", 0],
    ]) {
      await search(text);
      await count(fits === 1 ? "1–1 of 1 machine" : "0 machines");
    }
    await page.getByText("No machine matches").waitFor();
    await address("?search=no such machine");
    // all of it was typed: one step back is before it
    await page.goBack();
    await count(`1–100 of ${MACHINES}`);
    assert.equal(await page.getByTestId("search").inputValue(), "");
    await page.goForward();
    await count("0 machines");
    assert.equal(await page.getByTestId("search").inputValue(), "no such machine");
    quiet();
  });
  await report.check("an address with everything in it is drawn so by the server", async () => {
    const html = await (await page.context().request.get(`${server.url}/machines?search=arm64&sort=-name`)).text();
    assert.equal(/data-machine="([^"]+)"/.exec(html)[1], "arm64-80");
    assert.match(html, /1–80 of 80 machines/);
  });
  await report.check("a query finds; a wrong one is told at the field, with its place, and the rows stay", async () => {
    await open();
    await page.getByTestId("query-toggle").click();
    await page.getByTestId("query").fill('(and (= arch "arm64") (=~ name "-8"))');
    await count("1–2 of 2 machines");
    await page.getByTestId("query").fill('(= arhc "arm64")');
    await page.getByTestId("query-fault").getByText("`arhc` is not a valid symbol, at character 4.").waitFor();
    assert.equal(await page.getByTestId("query-mark").textContent(), "a");
    assert.equal(await page.getByTestId("query").getAttribute("aria-invalid"), "true");
    assert.equal(await rows.count(), 2);
    await page.getByTestId("query-help").click();
    await page.getByRole("table", { name: "Symbols of the query language" }).getByText("assignee_count", { exact: true }).waitFor();
    await page.keyboard.press("Escape");
    // the address can be sent to somebody: it says the same there
    await page.reload();
    await page.getByTestId("query-fault").getByText("at character 4").waitFor();
    await live();
    // a change of the lab, which has the page ask anew, is no reason to ask with the fault
    const passing = await api(page, "POST", "/machine", { name: "zz-passing", arch: "arm64" });
    await api(page, "DELETE", `/machine/${passing.id}`);
    await page.waitForTimeout(2_500);
    quiet();
    await page.getByTestId("query").fill("");
    await count(`1–100 of ${MACHINES}`);
    quiet();
  });
  await report.check("ML4 only my machines", async () => {
    await open();
    await page.getByTestId("only-mine").check();
    await address("?mine=1");
    await count("1–1 of 1 machine");
    assert.deepEqual(await names(), ["x86-uefi-1"]);
    await page.goBack();
    await count(`1–100 of ${MACHINES}`);
    assert.equal(await page.getByTestId("only-mine").isChecked(), false);
  });
  await report.check("ML4 only my machines, as it was left, when the list is opened; links with a query show what they say", async () => {
    const shown = () => page.getByTestId("only-mine").isChecked();
    // drawn so by the server
    await open();
    await address("?mine=1");
    await count("1–1 of 1 machine");
    assert.ok(await shown());
    for (const query of ["?search=arm64", "?mine=0", "?sort=-name"]) {
      await open(query);
      assert.equal(await shown(), false, query);
    }
    await count(`1–100 of ${MACHINES}`);
    // and so when one comes from another page
    await rows.first().getByTestId("open").click();
    await page.getByTestId("machine-name").waitFor();
    await page.goBack();
    await count(`1–100 of ${MACHINES}`);
    await page.getByRole("link", { name: "Images", exact: true }).first().click();
    await page.waitForURL(/\/images$/);
    await page.getByRole("link", { name: "Machines", exact: true }).first().click();
    await address("?mine=1");
    await count("1–1 of 1 machine");
    assert.ok(await shown());
    await page.getByTestId("only-mine").uncheck();
    await address("");
    await count(`1–100 of ${MACHINES}`);
    await open();
    await count(`1–100 of ${MACHINES}`);
    assert.equal(new URL(page.url()).search, "");
    quiet();
  });
  await report.check("older answers that come late are dropped", async () => {
    await open();
    await page.route(/search=arm/, async (route) => {
      if (/search=arm&/.test(route.request().url())) await new Promise((resolve) => setTimeout(resolve, 1500));
      await route.continue();
    });
    const asked = page.waitForRequest(/search=arm&/);
    await search("arm");
    await asked;
    await search("arm64-12");
    await count("1–1 of 1 machine");
    await page.waitForTimeout(2000);
    assert.deepEqual(await names(), ["arm64-12"]);
    await page.unroute(/search=arm/);
  });

  // ------------------------------------------------------------------ choices that the browser keeps

  await report.check("a view is saved under a name, applied and deleted", async () => {
    await open("?search=arm64&sort=-name");
    await page.getByTestId("filters").click();
    await page.getByTestId("filter-name").fill("ARM backwards");
    await page.getByTestId("filter-name").press("Enter");
    await toast("Saved as ARM backwards.");
    await open();
    await page.getByTestId("filters").click();
    await page.getByTestId("filter-menu").getByRole("link", { name: "ARM backwards" }).click();
    await address("?search=arm64&sort=-name");
    await count("1–80 of 80 machines");
    assert.equal(await page.getByTestId("search").inputValue(), "arm64");
    await page.getByTestId("filters").click();
    await page.getByRole("button", { name: "Delete filter ARM backwards" }).click();
    await page.getByText("No filter is saved yet.").waitFor();
  });
  await report.check("columns and rows are chosen once, and the server draws them so", async () => {
    await open();
    await page.getByTestId("columns").click();
    await page.locator("[data-column=tags]").check();
    await page.locator("[data-column=bmc]").uncheck();
    await page.getByRole("columnheader", { name: "Tags" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByTestId("rows").selectOption("50");
    await count(`1–50 of ${MACHINES}`);
    const html = await (await page.context().request.get(`${server.url}/machines`)).text();
    // the server knows of it, and draws no more than a window shows
    assert.ok(html.includes("1–50 of") && served(html) < 50, `${served(html)} rows`);
    assert.ok(/<th[^>]*>(<button[^>]*>)?Tags/.test(html) && !/<th[^>]*>(<button[^>]*>)?BMC/.test(html));
    await open();
    assert.equal(await rows.count(), 50);
    quiet();
    await page.getByTestId("columns").click();
    await page.locator("[data-column=updated_at]").check();
    await page.keyboard.press("Escape");
    const changed = named("arm64-60");
    await api(page, "PUT", `/machine/${changed.id}`, { kernel_opts: "quiet" });
    await page.getByRole("button", { name: "Last change" }).click();
    await address("?sort=updated_at");
    await page.getByRole("button", { name: "Last change" }).click();
    await until("what was changed last is first", 10, async () => (await names())[0] === "arm64-60");
    assert.match(await row("arm64-60").textContent(), /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/);
    await page.getByTestId("columns").click();
    await page.getByRole("button", { name: "As at first" }).click();
    await page.keyboard.press("Escape");
    await page.setViewportSize({ width: 360, height: 740 });
    await page.getByTestId("rows").selectOption("100");
    await count(`1–100 of ${MACHINES}`);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  // ------------------------------------------------------------------ live

  await report.check("ML6 power, state, assignees and tags of a row change as they happen; the focus stays", async () => {
    await open("?search=arm64-7");
    await count("1–11 of 11 machines");
    const own = named("arm64-7");
    const link = row("arm64-7").getByTestId("open");
    await link.focus();
    await until("its power is known", 30, async () => /on|off/.test(await row("arm64-7").getByTestId("power").getAttribute("data-power")));
    const power = await row("arm64-7").getByTestId("power").getAttribute("data-power");
    const next = power === "on" ? "off" : "on";
    await api(page, "POST", `/machine/${own.id}/power`, { state: next });
    await row("arm64-7").locator(`[data-power=${next}]`).waitFor();
    await api(page, "PUT", `/machine/${own.id}/state`, { state: "error" });
    await row("arm64-7").locator("[data-state=error]").waitFor();
    await api(page, "POST", "/user", { username: "nina" });
    await api(page, "POST", `/machine/${own.id}/assignee`, { user: "nina", reason: "kernel tests" });
    await row("arm64-7").getByText("nina (kernel tests)").waitFor();
    assert.ok(await link.evaluate((element) => element === document.activeElement), "the focus is lost");
  });
  await report.check("a machine that is added or deleted comes and goes by itself", async () => {
    await open("?search=zz-new");
    await count("0 machines");
    const made = await api(page, "POST", "/machine", { name: "zz-new-1", arch: "arm64" });
    await row("zz-new-1").waitFor({ timeout: 10_000 });
    await api(page, "DELETE", `/machine/${made.id}`);
    await row("zz-new-1").waitFor({ state: "detached", timeout: 10_000 });
    quiet();
  });
  await report.check("a machine that is renamed moves, and the focus moves with it", async () => {
    await open("?search=arm64-1");
    const own = named("arm64-11");
    await row("arm64-11").getByTestId("open").focus();
    await api(page, "PUT", `/machine/${own.id}`, { name: "arm64-199" });
    await until("it is the last", 10, async () => (await names()).at(-1) === "arm64-199");
    await until("the focus is on it", 5, () => row("arm64-199").getByTestId("open").evaluate((element) => element === document.activeElement));
    await api(page, "PUT", `/machine/${own.id}`, { name: "arm64-11" });
    await until("it is back", 10, async () => (await names()).at(-1) !== "arm64-11" && (await names()).includes("arm64-11"));
  });

  // ------------------------------------------------------------------ many at once

  const tick = (name, options) => row(name).getByTestId("tick").click(options);
  const selected = (text) => page.getByTestId("bulk-count").filter({ hasText: text }).waitFor();
  await report.check("rows are ticked one by one, as a range, all of the page, and over several pages", async () => {
    await open("?search=arm64");
    const shown = await names();
    await tick(shown[2]);
    await selected("1 selected");
    await tick(shown[6], { modifiers: ["Shift"] });
    await selected("5 selected");
    await page.getByTestId("tick-all").check();
    await selected("80 selected");
    await page.getByTestId("tick-all").uncheck();
    await page.getByTestId("bulk-bar").waitFor({ state: "hidden" });
    await tick(shown[0]);
    await search("x86-bios-1");
    await count("of 11 machines");
    await tick("x86-bios-1");
    await selected("2 selected, 1 of them not shown");
    await page.getByTestId("bulk-clear").click();
    await page.getByTestId("bulk-bar").waitFor({ state: "hidden" });
  });
  await report.check("a power command to many asks first, says whose they are, and tells how it went", async () => {
    await open("?search=arm64-7");
    await page.getByTestId("tick-all").check();
    await selected("11 selected");
    await page.getByTestId("bulk-power-on").click();
    const dialog = page.getByTestId("bulk-dialog");
    await dialog.getByText("One of them is somebody else's: arm64-7 (nina).").waitFor();
    await assertLooks(browser, page, "machines-bulk");
    await dialog.getByTestId("bulk-confirm").click();
    await toast("Power on: done with 11 machines.");
    await until("all are on", 20, async () => (await page.locator("[data-testid=machine-row] [data-power=on]").count()) === 11);
  });
  await report.check("a user is given many, and they are taken again", async () => {
    await page.getByTestId("bulk-assign").click();
    const dialog = page.getByTestId("bulk-dialog");
    await dialog.locator("#bulk-user").selectOption("nina");
    await dialog.locator("#bulk-reason").fill("release");
    await dialog.getByTestId("bulk-confirm").click();
    // one had her already
    const failures = page.getByTestId("bulk-failures");
    const failure = failures.getByTestId("bulk-failure").filter({ hasText: "this user has the machine already" });
    await failure.getByText("1 machine: arm64-7").waitFor();
    await page.keyboard.press("Escape");
    await toast("Assign: 1 of 11 machines failed.");
    await until("the rows say so", 10, async () => (await rows.getByText("nina (release)").count()) === 10);
    await page.getByTestId("bulk-release").click();
    await dialog.locator("#bulk-user").selectOption("nina");
    await dialog.getByTestId("bulk-confirm").click();
    await toast("Release: done with 11 machines.");
    await until("nobody has them", 10, async () => (await rows.getByText("nina").count()) === 0);
  });
  await report.check("tags are added to many and removed from them, and can be searched", async () => {
    await page.getByTestId("bulk-tags").click();
    const dialog = page.getByTestId("bulk-dialog");
    await dialog.getByTestId("bulk-confirm").click();
    await dialog.getByText("Name a tag to add or to remove.").waitFor();
    await dialog.locator("#bulk-add").fill("10g, rack 4");
    await dialog.getByTestId("bulk-confirm").click();
    await toast("Tags: done with 11 machines.");
    await search("rack");
    await count("1–11 of 11 machines");
    await page.getByTestId("bulk-tags").click();
    await dialog.locator("#bulk-remove").fill("rack 4");
    await dialog.getByTestId("bulk-confirm").click();
    await count("0 machines");
  });
  await report.check("provisioning many tells of each what is missing", async () => {
    await search("arm64-8");
    await count("1–2 of 2 machines");
    await page.getByTestId("bulk-clear").click();
    await page.getByTestId("tick-all").check();
    await page.getByTestId("bulk-provision").click();
    await page.getByTestId("bulk-confirm").click();
    const failures = page.getByTestId("bulk-failures");
    await failures.getByText("Provision: 2 of 2 machines failed.").waitFor();
    await failures.getByTestId("bulk-failure").filter({ hasText: "provisioning requires a kernel" }).getByText("2 machines: arm64-8, arm64-80").waitFor();
    await page.keyboard.press("Escape");
    await page.getByTestId("bulk-clear").click();
    quiet();
  });

  // ------------------------------------------------------------------ the keyboard

  const focused = () => page.evaluate(() => document.activeElement?.closest("tr")?.dataset.machine);
  await report.check("/ searches, j and k go up and down, x ticks, Enter opens", async () => {
    await open();
    await page.keyboard.press("/");
    await page.keyboard.type("arm64-1");
    await count("of 11 machines");
    assert.equal(await page.getByTestId("search").inputValue(), "arm64-1", "keys are no commands while one types");
    await page.getByTestId("search").blur();
    const shown = await names();
    await page.keyboard.press("j");
    assert.equal(await focused(), shown[0]);
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    assert.equal(await focused(), shown[1]);
    assert.equal(await row(shown[1]).getAttribute("aria-current"), "true");
    await page.keyboard.press("x");
    await selected("1 selected");
    await page.keyboard.press("x");
    await page.getByTestId("bulk-bar").waitFor({ state: "hidden" });
    await page.keyboard.press("Enter");
    await page.getByTestId("machine-name").filter({ hasText: shown[1] }).waitFor();
    await page.goBack();
    await count("of 11 machines");
  });
  await report.check("p opens the power menu, c the console", async () => {
    await open("?search=arm64-20");
    await page.keyboard.press("j");
    await page.keyboard.press("p");
    const menu = page.getByTestId("power-menu");
    await menu.getByText("arm64-20").waitFor();
    assert.ok(await menu.evaluate((menu) => menu.contains(document.activeElement)));
    await page.keyboard.press("Escape");
    await menu.waitFor({ state: "hidden" });
    await page.keyboard.press("c");
    await page.waitForURL(/\/machines\/\d+\/console$/);
    await page.locator("[data-testid=console-status][data-line=connected]").waitFor({ timeout: 20_000 });
    await page.goBack();
    await row("arm64-20").waitFor();
  });
  await report.check("a MAC and an address are copied by a click, which leaves the focus where it is", async () => {
    const own = named("arm64-20");
    const tell = await page.context().request.post(`${server.url}/dhcp/ipv4/lease`, { data: { mac: own.macs[0], ipv4: "10.0.0.20", duration: 3600 } });
    assert.ok(tell.ok());
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
    await open("?search=arm64-2");
    await page.getByTestId("columns").click();
    await page.locator("[data-column=leases]").check();
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    const held = await focused();
    await row("arm64-20").getByRole("button", { name: "Copy MAC address" }).click();
    await toast(`Copied ${own.macs[0]}.`);
    assert.equal(await clipboard(), own.macs[0]);
    assert.equal(await focused(), held);
    assert.equal(await row("arm64-20").getAttribute("aria-current"), "true", "keys are about the row that was pressed");
    await row("arm64-20").getByRole("button", { name: "Copy IP address" }).click();
    await toast("Copied 10.0.0.20.");
    assert.equal(await clipboard(), "10.0.0.20");
  });
  await report.check("m copies the row's MAC, i its address, and none of the buttons is a stop of the Tab key", async () => {
    const own = named("arm64-20");
    await open("?search=arm64-20");
    const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
    await page.keyboard.press("j");
    await page.keyboard.press("m");
    await toast(`Copied ${own.macs[0]} of arm64-20.`);
    assert.equal(await clipboard(), own.macs[0]);
    await page.keyboard.press("i");
    await toast("Copied 10.0.0.20 of arm64-20.");
    assert.equal(await clipboard(), "10.0.0.20");
    await open("?search=arm64-21");
    await page.keyboard.press("j");
    await page.keyboard.press("i");
    await toast("arm64-21 has no IP address.");
    assert.deepEqual(await rows.locator("[data-copy]").evaluateAll((all) => [...new Set(all.map(({ tabIndex }) => tabIndex))]), [-1]);
    await page.getByTestId("columns").click();
    await page.getByRole("button", { name: "As at first" }).click();
    await page.keyboard.press("Escape");
  });
  await report.check("where the browser forbids the clipboard, as without HTTPS, the focus comes back after copying by other means", async () => {
    await open("?search=arm64-20");
    await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined, configurable: true }));
    await page.keyboard.press("j");
    await page.keyboard.press("m");
    await toast(`Copied ${named("arm64-20").macs[0]} of arm64-20.`);
    assert.equal(await focused(), "arm64-20");
  });
  await report.check("? tells of the keys, and single characters can be switched off", async () => {
    await open();
    await page.keyboard.press("?");
    const help = page.getByTestId("key-help");
    await help.getByText("Search", { exact: true }).waitFor();
    await assertLooks(browser, page, "machines-keys");
    await help.getByTestId("single-keys").uncheck();
    await page.keyboard.press("Escape");
    await help.waitFor({ state: "hidden" });
    await page.keyboard.press("j");
    assert.equal(await focused(), undefined);
    await page.reload();
    await live();
    await page.keyboard.press("j");
    assert.equal(await focused(), undefined);
    await page.getByRole("button", { name: "Keyboard shortcuts" }).click();
    await help.getByTestId("single-keys").check();
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    assert.equal(await focused(), (await names())[0]);
  });
  await report.check("Ctrl K leads to pages and machines, from everywhere", async () => {
    await page.goto(`${server.url}/leases`);
    await live();
    await page.keyboard.press("Control+k");
    const palette = page.getByTestId("palette");
    const typing = palette.getByTestId("palette-input");
    const ready = () => until("the focus is in it", 5, () => typing.evaluate((element) => element === document.activeElement));
    await ready();
    await page.keyboard.type("arm64-42");
    await palette.getByRole("option", { name: "arm64-42" }).waitFor();
    await assertLooks(browser, page, "palette");
    await page.keyboard.press("Enter");
    await page.getByTestId("machine-name").filter({ hasText: "arm64-42" }).waitFor();
    await page.getByTestId("palette-button").click();
    await ready();
    await page.keyboard.type("console");
    await palette.getByRole("option", { name: "Console arm64-42" }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/machines\/\d+\/console$/);
    // on the console Ctrl K is the terminal's
    await page.getByTestId("palette-button").click();
    await ready();
    await page.keyboard.type("overv");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/overview$/);
    quiet();
  });

  await report.check("axe, both colour schemes, desk and telephone", async () => {
    await open();
    await browser.screenshot(page, "machines-whole");
    // few rows: of many, one may be half behind the foot, which axe takes for a small target
    await open("?search=arm64-8");
    await tick("arm64-8");
    await tick("arm64-80");
    await page.getByTestId("query-toggle").click();
    await assertLooks(browser, page, "machines");
    await page.getByTestId("bulk-clear").click();
  });
  await report.check("ML6 whoever may not change machines is offered no power and no assigning, but any free machine", async () => {
    const { password } = await api(page, "POST", "/user", { username: "eve" });
    await page.getByTestId("user-menu").click();
    await page.getByTestId("logout").click();
    await page.waitForURL(/\/login/);
    await logIn(page, server, { username: "eve", password });
    await rows.first().waitFor();
    assert.equal(await page.getByTestId("row-power").count(), 0);
    assert.equal(await page.getByTestId("row-console").count(), 0);
    await page.getByTestId("search").fill("arm64-3");
    await page.waitForURL(/search=arm64-3/);
    await page.getByTestId("reserve-machine").click();
    const dialog = page.getByTestId("reserve");
    // what is looked at
    await dialog.locator("#reserve-search").waitFor();
    assert.equal(await dialog.locator("#reserve-search").inputValue(), "arm64-3");
    await dialog.locator("#reserve-query").fill("(= nome 1)");
    await dialog.getByTestId("reserve-one").click();
    await dialog.getByText("`nome` is not a valid symbol, at character 4").waitFor();
    await dialog.locator("#reserve-query").fill('(= arch "x86_64")');
    await dialog.getByTestId("reserve-one").click();
    await dialog.getByText("no matching machine").waitFor();
    assert.deepEqual(browser.takeMessages([/^404 .*\/machine\/reservation$/, /status of 404/]), []);
    await dialog.locator("#reserve-query").fill("");
    await dialog.getByLabel("Reason").fill("by the query");
    await dialog.getByTestId("reserve-one").click();
    await page.waitForURL(/\/machines\/\d+$/);
    const [mine] = await api(page, "GET", "/machine");
    assert.match(mine.name, /^arm64-3/);
    assert.deepEqual(mine.assignees.map(({ user, reason }) => [user, reason]), [["eve", "by the query"]]);
    await page.getByTestId("machine-name").filter({ hasText: mine.name }).waitFor();
    await open();
    await tick("arm64-2");
    assert.equal(await page.getByTestId("bulk-assign").count(), 0);
    await page.getByTestId("bulk-power-on").click();
    await page.getByTestId("bulk-hindered").getByText("It will fail with all of them: 1 is not yours.").waitFor();
    await page.getByTestId("bulk-confirm").click();
    await page.getByTestId("bulk-failures").getByText("1 machine: arm64-2").waitFor();
    quiet();
  });
  await report.check("J8: so is any free one that is looked at, which is given back there, and had again", async () => {
    const free = (await api(page, "GET", "/machine?show_all=true")).find(({ assignees, bmc_id }) => assignees.length === 0 && bmc_id !== null);
    await open(`?search=${free.name}`);
    await row(free.name).waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("p");
    await page.getByTestId("toasts").getByText(`${free.name} is not yours: its power is not for you.`).waitFor();
    await page.goto(`${server.url}/machines/${free.id}`);
    await follows(page);
    await page.getByTestId("reserve-this").click();
    const own = page.getByTestId("assignees").getByRole("row").filter({ hasText: "eve" });
    await own.getByRole("button", { name: "Give back" }).click();
    await page.locator("dialog[open]").getByText("Give the machine back? You can then no longer change it").waitFor();
    await page.locator("dialog[open]").getByTestId("confirm-action").click();
    await own.waitFor({ state: "detached" });
    await page.getByTestId("toasts").locator("[data-toast]").filter({ hasText: "given the machine back" }).getByRole("button", { name: "Undo" }).click();
    await own.waitFor();
    quiet();
  });
}
