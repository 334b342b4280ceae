// What a BMC tells of its machine, and how a BMC that does not answer is shown.
import assert from "node:assert/strict";
import { assertAccessible } from "../lib/axe.mjs";
import { api, follows, logIn, openMachine } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  const name = "x86-uefi-1";
  const machine = await openMachine(page, server, name);
  await follows(page);

  await report.check("nothing is asked of the BMC before a part is opened", async () => {
    assert.ok(!browser.requests.some((path) => /\/(sensors|fru|sel)$/.test(path)));
  });
  await report.check("sensors have a reading, a state and thresholds", async () => {
    const part = page.getByTestId("sensors");
    await part.locator("summary").click();
    const row = part.locator("tbody tr").first();
    await row.waitFor();
    const sensors = await api(page, "GET", `/machine/${machine}/sensors`);
    assert.equal(await part.locator("tbody tr").count(), sensors.length);
    const measured = sensors.find(({ reading, thresholds }) => reading !== null && thresholds.upper_critical !== null);
    const cells = await part.locator(`[data-sensor="${measured.name}"] td`).allTextContents();
    assert.ok(cells[0].includes(measured.unit), cells[0]);
    assert.equal(Number(cells.at(-1)), Math.round(measured.thresholds.upper_critical * 1000) / 1000);
  });
  await report.check("the inventory can be copied field by field", async () => {
    const part = page.getByTestId("fru");
    await part.locator("summary").click();
    const serial = part.locator("[data-area=Board] [data-field='Serial number']");
    await serial.waitFor();
    const { board } = await api(page, "GET", `/machine/${machine}/fru`);
    assert.ok((await serial.textContent()).includes(board.serial));
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await serial.getByRole("button", { name: "Copy Serial number" }).click();
    await page.getByTestId("toasts").filter({ hasText: "Copied" }).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), board.serial);
  });
  await report.check("the event log is there, newest first", async () => {
    // switching on is an entry
    await api(page, "POST", `/machine/${machine}/power`, { state: "on" });
    await until("an entry in the event log", 30, async () => (await api(page, "GET", `/machine/${machine}/sel`)).length > 0);
    const part = page.getByTestId("sel");
    await part.locator("summary").click();
    await part.locator("tbody tr").first().waitFor();
    const times = await part.locator("tbody tr td:first-child").allTextContents();
    assert.deepEqual(times, [...times].sort().reverse());
  });
  await report.check("the page with all of it open passes axe", () => assertAccessible(page));
  browser.assertQuiet();

  const bmc = (await api(page, "GET", "/bmc")).find(({ name: own }) => own === `${name}-bmc`);
  await report.check("the BMCs' page says that they answer, and passes axe", async () => {
    await page.goto(`${server.url}/bmcs`);
    await page.locator(`[data-bmc="${bmc.name}"] [data-health=answers]`).waitFor();
    await assertAccessible(page, "main");
  });
  await report.check("a BMC that falls silent is said on the open page, without asking again", async () => {
    await follows(page);
    // nobody listens there
    await api(page, "PUT", `/bmc/${bmc.id}`, { name: bmc.name, ip: "127.0.0.1", port: 9 });
    const badge = page.locator(`[data-bmc="${bmc.name}"] [data-health=unreachable]`);
    await badge.waitFor({ timeout: 40_000 });
    assert.match(await badge.getAttribute("title"), /./);
  });
  await report.check("in the list of machines and on the machine's page, too, with the fault on hovering", async () => {
    await page.goto(`${server.url}/machines`);
    const badge = page.locator(`[data-machine="${name}"] [data-health=unreachable]`);
    assert.match(await badge.getAttribute("title"), /./);
    await page.goto(`${server.url}/machines/${machine}`);
    await page.locator("h1 ~ [data-health=unreachable]").waitFor();
    await page.getByTestId("sensors").locator("summary").click();
    await page.getByTestId("sensors").getByText(/no answer|network/).waitFor({ timeout: 20_000 });
    await assertAccessible(page, "main");
  });
  await report.check("a BMC that another machine has is offered with whose it is, and warned of", async () => {
    const other = (await api(page, "GET", "/bmc")).find(({ id, machines }) => id !== bmc.id && machines.length > 0);
    await page.goto(`${server.url}/machines/${machine}`);
    await page.getByRole("button", { name: "Edit machine" }).click();
    const dialog = page.getByTestId("edit-machine");
    const option = dialog.locator("#edit-bmc option").filter({ hasText: `${other.name} (${other.ip}:${other.port}), of ${other.machines[0]}` });
    await option.waitFor({ state: "attached" });
    assert.equal(await dialog.getByTestId("bmc-taken").count(), 0);
    await dialog.locator("#edit-bmc").selectOption(String(other.id));
    await dialog.getByTestId("bmc-taken").getByText(`${other.name} is the BMC of machine ${other.machines[0]} already`).waitFor();
    await assertAccessible(page, "[data-testid=edit-machine]");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "hidden" });
  });
  const lonely = await api(page, "POST", "/bmc", { name: "lonely-bmc", ip: "127.0.0.1", port: 19, type: "plain", username: "lab", password: "s3cret-s3cret", key: "k3y" });
  await report.check("a BMC without a machine is asked, too", async () => {
    await page.goto(`${server.url}/bmcs`);
    await page.locator(`[data-bmc="${lonely.name}"] [data-health=unreachable]`).waitFor({ timeout: 40_000 });
  });
  await report.check("its password and its key can be taken away", async () => {
    await page.getByRole("button", { name: `Edit BMC ${lonely.name}`, exact: true }).click();
    const dialog = page.getByRole("dialog", { name: `Edit BMC ${lonely.name}` });
    await dialog.getByRole("heading", { name: `Edit BMC ${lonely.name}` }).waitFor();
    await dialog.getByTestId("bmc-no-password").check();
    assert.ok(await dialog.locator("#bmc-password").isDisabled());
    await dialog.getByTestId("bmc-no-key").check();
    await assertAccessible(page, "dialog[open]");
    await dialog.getByTestId("form-send").click();
    await dialog.waitFor({ state: "hidden" });
    const now = await api(page, "GET", `/bmc/${lonely.id}`);
    assert.deepEqual([now.has_password, now.has_key, now.username], [false, false, "lab"]);
  });
  browser.takeMessages([/504/]);
}
