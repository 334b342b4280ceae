// MACs nobody registered, made into machines and interfaces; and the leases.
import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { held, refused } from "../lib/calls.mjs";
import { assertLooks } from "../lib/looks.mjs";
import { api, follows, logIn } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

const REFUSED = [/^40[0-9] /, /Failed to load resource: the server responded with a status of 40/];
const vendors = join(mkdtempSync(join(tmpdir(), "mr-provisioner-vendors-")), "oui.csv");
writeFileSync(vendors, 'Registry,Assignment,Organization Name,Organization Address\r\nMA-L,02AC3E,"Acme Cards, Inc.",Somewhere\r\n');

export const options = { environment: { MRP_COMPAT_VENDOR_FILES: `["${vendors}"]` } };

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  // as Kea's hook library tells: no login, and only from addresses that the settings allow
  const tell = async (path, data) => {
    const answer = await page.context().request.post(`${server.url}/dhcp/ipv4/${path}`, { data });
    assert.ok(answer.ok(), `${path}: ${answer.status()} ${await answer.text()}`);
  };
  const mac = (number) => `02:ac:3e:00:00:${String(number).padStart(2, "0")}`;
  const seen = (number, hostname, arch) => tell("seen", { discover: true, mac: mac(number), options: [{ option: 12, value: hostname }, { option: 93, value: arch }] });
  const row = (number) => page.locator(`[data-testid=discovered] [data-mac="${mac(number)}"]`);

  await report.check("nothing found yet, and what would be", async () => {
    await page.goto(`${server.url}/discovery`);
    await page.getByText("Nothing unknown has asked").waitFor();
    await assertLooks(browser, page, "discovery-empty");
  });
  await report.check("what asked is listed with vendor, host name and firmware", async () => {
    await seen(1, "newbox-1", 7);
    await seen(2, "newbox-2", 11);
    await seen(3, "printer", 0);
    await page.getByTestId("refresh").click();
    await row(1).waitFor();
    assert.match(await row(1).textContent(), /Acme Cards, Inc\..*newbox-1.*x64 UEFI/s);
    assert.match(await row(2).textContent(), /ARM 64-bit UEFI/);
    assert.equal(await page.locator("[data-testid=discovered] tbody tr").count(), 3);
  });
  await report.check("the filter reads all of it and stands in the address", async () => {
    await page.getByTestId("filter").fill("acme arm");
    await row(1).waitFor({ state: "detached" });
    await row(2).waitFor();
    await page.waitForURL(/q=acme%20arm/);
    await page.reload();
    await row(2).waitFor();
    assert.equal(await row(1).count(), 0);
    await page.getByTestId("filter").fill("");
  });
  await report.check("dismissed: gone before the server has answered; refused, it is back with the reason", async () => {
    const known = () => api(page, "GET", "/discovered");
    const dismiss = row(3).getByRole("button", { name: `Dismiss ${mac(3)}` });
    const toast = (text) => page.getByTestId("toasts").locator("[data-toast]").filter({ hasText: text });
    const refusing = await refused(page, "PUT", /discovered/);
    await dismiss.click();
    await toast(`${mac(3)} is still listed: the lab is being moved`).waitFor();
    await row(3).waitFor();
    await refusing.stop();
    browser.takeMessages([/^409 /, /status of 409/]);
    const put = await held(page, "PUT", /discovered/);
    await dismiss.click();
    await row(3).waitFor({ state: "detached" });
    assert.ok((await known()).some((own) => own.mac === mac(3)), "the server has it already: nothing was shown ahead of it");
    await put.release();
    await until("the server has it", 5, async () => (await known()).every((own) => own.mac !== mac(3)));
    await toast("not listed any more").getByRole("button", { name: "Undo" }).click();
    await row(3).waitFor();
  });
  await report.check("one that is none of the lab's is dismissed, and that is taken back", async () => {
    await row(3).getByRole("button", { name: `Dismiss ${mac(3)}` }).click();
    await row(3).waitFor({ state: "detached" });
    await page.getByTestId("toasts").filter({ hasText: "not listed any more" }).waitFor();
    await page.getByTestId("show-dismissed").check();
    await row(3).getByText("Dismissed").waitFor();
    await page.waitForURL(/dismissed=1/);
    await row(3).getByRole("button", { name: `List again ${mac(3)}` }).click();
    await page.locator(`[data-mac="${mac(3)}"]:not([data-dismissed])`).waitFor();
    await page.getByTestId("show-dismissed").uncheck();
  });
  await report.check("while it is asked for again the button keeps the focus", async () => {
    const asked = await held(page, "GET", /\/discovered/);
    const refresh = page.getByTestId("refresh");
    await refresh.focus();
    await page.keyboard.press("Enter");
    await until("it asks", 5, () => asked.seen() > 0);
    assert.equal(await refresh.getAttribute("aria-disabled"), "true");
    await asked.release();
    await until("it may be pressed again", 5, async () => (await refresh.getAttribute("aria-disabled")) === null);
    assert.ok(await refresh.evaluate((own) => own === document.activeElement), "the focus is gone");
  });
  await report.check("axe, both colour schemes, desk and telephone", () => assertLooks(browser, page, "discovery"));
  await report.check("one becomes a machine: name and architecture are proposed, a fault is said beside its field", async () => {
    await row(1).getByRole("button", { name: `New machine: ${mac(1)}` }).click();
    const dialog = page.getByTestId("discovered-machine");
    await dialog.getByLabel("Name").waitFor();
    assert.equal(await dialog.getByLabel("Name").inputValue(), "newbox-1");
    assert.equal(await dialog.locator("#new-arch").inputValue(), "x86_64");
    await dialog.getByLabel("Name").fill("x");
    await dialog.getByRole("button", { name: "Add machine" }).click();
    await dialog.getByTestId("field-error").filter({ hasText: "Machine name must be between 2 and 256 characters long" }).waitFor();
    await assertLooks(browser, page, "discovery-machine");
    await dialog.getByLabel("Name").fill("newbox-1");
    await dialog.getByRole("button", { name: "Add machine" }).click();
    await page.waitForURL(/\/machines\/\d+$/);
    await page.getByText(mac(1)).first().waitFor();
    assert.ok(!(await api(page, "GET", "/discovered?dismissed=true")).some((own) => own.mac === mac(1)));
  });
  await report.check("another becomes an interface of it", async () => {
    await page.goto(`${server.url}/discovery`);
    await follows(page);
    await row(2).getByRole("button", { name: `Give to a machine: ${mac(2)}` }).click();
    const dialog = page.getByTestId("discovered-interface");
    await dialog.getByRole("button", { name: "Add interface" }).click();
    await dialog.getByTestId("field-error").filter({ hasText: "Choose a machine" }).waitFor();
    await dialog.getByLabel("Machine").selectOption({ label: "newbox-1" });
    await dialog.getByLabel("Identifier").fill("eth1");
    await dialog.getByRole("button", { name: "Add interface" }).click();
    await page.waitForURL(/\/machines\/\d+$/);
    await page.getByText(mac(2)).first().waitFor();
  });
  await report.check("deleting is asked for, and says what it does", async () => {
    await page.goto(`${server.url}/discovery`);
    await follows(page);
    await row(3).getByRole("button", { name: `Delete discovered MAC ${mac(3)}` }).click();
    const dialog = page.locator("dialog[open]");
    await dialog.getByText("listed again when it asks again").waitFor();
    await dialog.getByTestId("acknowledge").check();
    await dialog.getByTestId("confirm-action").click();
    await row(3).waitFor({ state: "detached" });
    await page.getByText("Nothing unknown has asked").waitFor();
  });

  await report.check("no leases yet", async () => {
    await page.goto(`${server.url}/leases`);
    await page.getByText("No leases yet").waitFor();
    await follows(page);
    await page.getByTestId("filter").fill("no such thing");
    await page.getByText("No lease matches").waitFor();
    await page.getByRole("button", { name: "Show all" }).click();
    await page.getByText("No leases yet").waitFor();
  });
  await report.check("leases of machines and, to administrators, of others; sorted and filtered", async () => {
    for (const [number, ipv4] of [[1, "10.0.0.9"], [2, "10.0.0.10"], [9, "10.0.0.11"]]) await tell("lease", { mac: mac(number), ipv4, duration: 3600 });
    await page.getByRole("link", { name: "Leases" }).click();
    await page.reload();
    const addresses = () => page.locator("[data-testid=leases] tbody th").evaluateAll((cells) => cells.map((cell) => cell.textContent.trim().split(" ")[0]));
    await follows(page);
    // what was told last comes first, and the heading says so
    await page.locator("th[aria-sort=descending]").filter({ hasText: "Last told▾" }).waitFor();
    assert.deepEqual(await addresses(), ["10.0.0.11", "10.0.0.10", "10.0.0.9"]);
    await page.getByRole("button", { name: "Address", exact: true }).click();
    assert.deepEqual(await addresses(), ["10.0.0.9", "10.0.0.10", "10.0.0.11"]);
    await page.locator(`[data-lease="${mac(9)}"]`).getByText("unknown").waitFor();
    await page.locator(`[data-lease="${mac(2)}"]`).getByRole("link", { name: "newbox-1" }).waitFor();
    await page.getByTestId("filter").fill("newbox");
    await page.getByTestId("lease-count").filter({ hasText: "2 of 3 leases" }).waitFor();
    await page.waitForURL(/q=newbox/);
    await page.getByTestId("filter").fill("no such thing");
    await page.getByText("No lease matches").waitFor();
    await page.getByRole("button", { name: "Show all" }).click();
    await assertLooks(browser, page, "leases");
  });
  browser.assertQuiet();
  await report.check("who is no administrator sees leases of machines only, no discovered MACs, and no BMC's address", async () => {
    const { password } = await api(page, "POST", "/user", { username: "lea" });
    await page.getByTestId("user-menu").click();
    await page.getByTestId("logout").click();
    await page.waitForURL(/\/login/);
    await logIn(page, server, { username: "lea", password });
    await page.getByRole("link", { name: "Leases" }).click();
    await page.getByTestId("lease-count").filter({ hasText: "2 leases" }).waitFor();
    assert.equal((await page.goto(`${server.url}/discovery`)).status(), 403);
    await page.getByTestId("load-error").filter({ hasText: "only an admin" }).waitFor();
    await page.goto(`${server.url}/bmcs`);
    const heads = await page.locator("[data-testid=bmcs] thead th").allTextContents();
    assert.deepEqual(heads, ["Name▴", "Type ", "Health ", "Machines ", "Actions"]);
    await assertLooks(browser, page, "bmcs-user");
    browser.takeMessages(REFUSED);
  });
}
