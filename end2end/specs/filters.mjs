// What a list is filtered by stands in its address: it can be sent to somebody, and is there again after a reload, and by Back.
import assert from "node:assert/strict";
import { api, follows, logIn, visit } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  const live = () => follows(page);
  const open = (path) => visit(page, server, path);
  const query = () => decodeURIComponent(new URL(page.url()).search);
  const address = (search) => page.waitForURL((url) => decodeURIComponent(url.search) === search);
  /** The texts of the rows, without blanks (an empty text is one in HTML), in the document that the server answers with, before any script runs. */
  const drawn = async (rows) => {
    const html = await (await page.context().request.get(page.url())).text();
    return page.evaluate(
      ([html, rows]) => [...new DOMParser().parseFromString(html, "text/html").querySelectorAll(rows)].map((row) => row.querySelector("h2, th").textContent.replace(/\s+/g, "")),
      [html, rows],
    );
  };
  const shown = (rows) => page.locator(rows).evaluateAll((all) => all.map((row) => row.querySelector("h2, th").textContent.replace(/\s+/g, "")));

  await report.need("there is something in every list", async () => {
    for (const number of [1, 2]) await api(page, "POST", "/network", { name: `net-${number}`, subnet: `10.78.${number}.0/24` });
    await api(page, "POST", "/arch", { name: "sparc64" });
    for (const username of ["nina", "olga"]) await api(page, "POST", "/user", { username });
    for (const name of ["blades", "desks"]) await api(page, "POST", "/preseed", { name, description: "", content: "d-i", type: "preseed" });
    for (const number of [1, 2]) {
      const known = (await api(page, "GET", "/machine?show_all=true"))[number].macs[0];
      for (const [path, data] of [
        ["lease", { mac: known, ipv4: `10.0.0.${number}`, duration: 3600 }],
        ["seen", { discover: true, mac: `02:ac:3e:00:00:0${number}`, options: [{ option: 12, value: `newbox-${number}` }] }],
      ]) {
        assert.ok((await page.context().request.post(`${server.url}/dhcp/ipv4/${path}`, { data })).ok(), path);
      }
    }
  });
  const bmcs = (await api(page, "GET", "/bmc")).map(({ name }) => name);
  for (const [path, heading, rows, text] of [
    ["/images", "Images", "[data-testid=image-row]", "initrd"],
    ["/preseeds", "Preseeds", "[data-testid=preseed-row]", "blades"],
    ["/leases", "Leases", "[data-lease]", "10.0.0.2"],
    ["/bmcs", "BMCs", "[data-bmc]", bmcs[0]],
    ["/users", "Users", "[data-testid=users] tbody tr", "olga"],
    ["/networks", "Networks", "[data-network]", "net-2"],
    ["/archs", "Architectures", "[data-arch]", "sparc64"],
    ["/discovery", "Discovered MACs", "[data-testid=discovered] [data-mac]", "newbox-2"],
  ]) {
    await report.check(`${path}: drawn so by the server, kept by a reload and by Back, and no step of history for a key`, async () => {
      await open(path);
      const all = await shown(rows);
      assert.ok(all.length > 1, `${all}`);
      const steps = await page.evaluate(() => history.length);
      await page.getByTestId("filter").pressSequentially(text, { delay: 20 });
      await address(`?q=${text}`);
      const fitting = await shown(rows);
      assert.ok(fitting.length > 0 && fitting.length < all.length, `${fitting}`);
      assert.equal(await page.evaluate(() => history.length), steps);
      assert.deepEqual(await drawn(rows), fitting);
      await page.reload();
      await live();
      assert.deepEqual(await shown(rows), fitting);
      assert.equal(await page.getByTestId("filter").inputValue(), text);
      // there and back
      await page.getByRole("link", { name: "Overview", exact: true }).first().click();
      await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
      await page.goBack();
      await page.getByRole("heading", { level: 1, name: heading }).waitFor();
      await until("the same rows", 5, async () => (await shown(rows)).join() === fitting.join());
      assert.equal(await page.getByTestId("filter").inputValue(), text);
      await page.getByTestId("filter").fill("");
      await address("");
      assert.deepEqual(await shown(rows), all);
      browser.assertQuiet();
    });
  }
  await report.check("the bar's own link to the page shows everything again, and Back what was looked for", async () => {
    await open("/leases?q=10.0.0.1");
    assert.equal((await shown("[data-lease]")).length, 1);
    await page.getByRole("link", { name: "Leases", exact: true }).first().click();
    await until("both", 5, async () => (await shown("[data-lease]")).length === 2);
    assert.equal(await page.getByTestId("filter").inputValue(), "");
    await page.goBack();
    await until("the one", 5, async () => (await shown("[data-lease]")).length === 1);
    assert.equal(await page.getByTestId("filter").inputValue(), "10.0.0.1");
  });
  await report.check("what else stands in the address stays; switches stand there, too", async () => {
    await open("/images?q=initrd");
    await page.getByTestId("only-mine").check();
    await address("?q=initrd&mine=1");
    await page.reload();
    await live();
    assert.ok(await page.getByTestId("only-mine").isChecked());
    await page.getByTestId("filter").fill("");
    await address("?mine=1");
    await page.getByTestId("only-mine").uncheck();
    await address("");
    await open("/preseeds");
    await page.getByTestId("only-mine").check();
    await address("?mine=1");
    await page.reload();
    await live();
    assert.ok(await page.getByTestId("only-mine").isChecked());
  });
  await report.check("one who types and leaves at once gets there", async () => {
    await open("/preseeds");
    await page.getByTestId("filter").pressSequentially("bl", { delay: 20 });
    await page.getByRole("link", { name: "blades" }).click();
    await page.waitForURL(/\/preseeds\/\d+$/);
    await page.waitForTimeout(400);
    assert.deepEqual([/^\/preseeds\/\d+$/.test(new URL(page.url()).pathname), query()], [true, ""]);
  });
  await report.check("what is held back of a machine's events stands in its address", async () => {
    const [own] = await api(page, "GET", "/machine?show_all=true");
    for (const state of ["ready", "error"]) await api(page, "PUT", `/machine/${own.id}/state`, { state });
    await api(page, "PUT", `/machine/${own.id}`, { kernel_opts: "quiet" });
    await open(`/machines/${own.id}`);
    const entries = "[data-testid=events] [data-event]";
    const kinds = () => page.locator(entries).evaluateAll((all) => [...new Set(all.map(({ dataset }) => dataset.event))].sort().join());
    const filters = page.getByTestId("event-filters");
    await until("both kinds", 5, async () => /SETTINGS_CHANGE.*STATE_CHANGE/.test(await kinds()));
    await filters.getByRole("button", { name: "Booting" }).click();
    await address("?events=booting");
    await filters.getByRole("button", { name: "Faults only" }).click();
    await filters.getByRole("searchbox").fill("failed");
    await address("?events=booting&faults=1&q=failed");
    const left = await page.locator(entries).count();
    assert.ok(left > 0 && (await kinds()) === "STATE_CHANGE", await kinds());
    const html = await (await page.context().request.get(page.url())).text();
    assert.deepEqual(new Set(html.match(/data-event="\w+"/g)), new Set(['data-event="STATE_CHANGE"']));
    await page.reload();
    await live();
    assert.equal(await page.locator(entries).count(), left);
    assert.equal(await filters.getByRole("button", { name: "Booting" }).getAttribute("aria-pressed"), "true");
    assert.equal(await filters.getByRole("searchbox").inputValue(), "failed");
    await filters.getByRole("searchbox").fill("no such thing");
    await page.getByTestId("no-event").getByRole("button", { name: "Show all" }).click();
    await address("");
    await until("both kinds", 5, async () => /SETTINGS_CHANGE.*STATE_CHANGE/.test(await kinds()));
  });
  await report.check("no page complained", () => browser.assertQuiet());
}
