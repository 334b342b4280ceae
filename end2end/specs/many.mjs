// Many machines at once: what is told before it is done, what becomes of those that fail, and what stays ticked.
import assert from "node:assert/strict";
import { held } from "../lib/calls.mjs";
import { api, follows, logIn } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

export const options = { args: ["--machines", "120"] };

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  const machines = await api(page, "GET", "/machine?show_all=true");
  const named = (name) => machines.find((machine) => machine.name === name);
  const row = (name) => page.locator(`[data-testid=machine-row][data-machine="${name}"]`);
  const tick = (name) => row(name).getByTestId("tick").check();
  const search = (text) => page.getByTestId("search").fill(text);
  const selected = (text) => page.getByTestId("bulk-count").filter({ hasText: text }).waitFor();
  const toasts = page.getByTestId("toasts");
  const toast = (text) => toasts.getByText(text).first().waitFor();
  const dialog = page.getByTestId("bulk-dialog");
  const failures = page.getByTestId("bulk-failures");
  const users = async (machine) => (await api(page, "GET", `/machine/${machine.id}`)).assignees.map(({ user }) => user).join();
  const assign = (machine, user, reason = "") => api(page, "POST", `/machine/${machine.id}/assignee`, { user, reason });
  const open = async (query = "") => {
    await page.goto(`${server.url}/machines${query}`);
    await follows(page);
  };
  const closed = () => page.keyboard.press("Escape");
  for (const username of ["nina", "olga"]) await api(page, "POST", "/user", { username });
  const bare = [];
  for (const name of ["zz-bare-1", "zz-bare-2"]) bare.push(await api(page, "POST", "/machine", { name, arch: "arm64" }));

  await report.check("what is said of machines on other pages is what is so now, and is waited for", async () => {
    const own = named("arm64-12");
    await open("?search=arm64-12");
    await tick("arm64-12");
    await search("x86-bios-1");
    await row("x86-bios-1").waitFor();
    await tick("x86-bios-1");
    await selected("2 selected, 1 of them not shown");
    await assign(own, "nina");
    await page.waitForTimeout(500);
    const asked = await held(page, "GET", new RegExp(`/machine/${own.id}$`));
    await page.getByTestId("bulk-power-off").click();
    await dialog.getByText("Loading…").waitFor();
    assert.equal(await dialog.getByTestId("bulk-confirm").count(), 0);
    await asked.release();
    await dialog.getByText("One of them is somebody else's: arm64-12 (nina).").waitFor();
    await closed();
    // who has it is known from then on
    await page.getByTestId("bulk-release").click();
    await dialog.locator("#bulk-user").waitFor();
    assert.equal(await dialog.locator("#bulk-user").inputValue(), "nina");
    await closed();
    await page.getByTestId("bulk-clear").click();
  });
  await report.check("taking machines from somebody is about those that they have", async () => {
    await open("?search=arm64-1");
    await page.getByTestId("tick-all").check();
    await page.getByTestId("bulk-release").click();
    const all = await page.getByTestId("machine-row").count();
    await dialog.getByRole("heading", { name: `Release: 1 of ${all} machines` }).waitFor();
    assert.equal((await dialog.getByTestId("bulk-part").textContent()).trim(), "arm64-12");
    assert.match(await dialog.locator("#bulk-user option[value=nina]").textContent(), /nina \(1 machine\)/);
    await closed();
    await page.getByTestId("bulk-power-on").click();
    await dialog.getByRole("heading", { name: `Power on: ${all} machines`, exact: true }).waitFor();
    await closed();
    await page.getByTestId("bulk-clear").click();
  });
  await report.check("what cannot work is said before, and what failed is told by its reason", async () => {
    await open("?search=zz-bare");
    await page.getByTestId("tick-all").check();
    await selected("2 selected");
    await search("arm64-14");
    await row("arm64-14").waitFor();
    await tick("arm64-14");
    const hindered = dialog.getByTestId("bulk-hindered");
    await page.getByTestId("bulk-reset").click();
    await hindered.getByText("It will fail with 2 of them: 2 have no BMC.").waitFor();
    await closed();
    await page.getByTestId("bulk-provision").click();
    await hindered.getByText("It will fail with all of them: 2 have no BMC, 1 has no kernel.").waitFor();
    await dialog.getByTestId("bulk-confirm").click();
    await failures.getByText("Provision: 3 of 3 machines failed.").waitFor();
    const rows = await failures.getByTestId("bulk-failure").allTextContents();
    assert.deepEqual(rows.map((text) => text.replace(/.*(?=\d machines?:)/, "")).sort(), ["1 machine: arm64-14", "2 machines: zz-bare-1, zz-bare-2"]);
    assert.equal(await failures.getByTestId("bulk-undo").count(), 0, "nothing was done");
    await closed();
    assert.equal(await toasts.locator("[data-toast]").count(), 0);
    await page.getByTestId("bulk-clear").click();
  });
  await report.check("what was done in part is undone in the dialog that tells of it, or for a while after it", async () => {
    const [a, b] = [named("arm64-15"), named("arm64-16")];
    await assign(a, "olga", "long ago");
    await open("?search=arm64-1");
    for (const { name } of [a, b]) await tick(name);
    const half = async () => {
      await page.getByTestId("bulk-assign").click();
      await dialog.locator("#bulk-user").selectOption("olga");
      await dialog.getByTestId("bulk-confirm").click();
      await failures.getByText("Assign: 1 of 2 machines failed.").waitFor();
      assert.equal(await users(b), "olga");
      assert.equal(await toasts.getByRole("button", { name: "Undo" }).count(), 0, "a message below the dialog cannot be pressed");
    };
    await half();
    await failures.getByTestId("bulk-undo").click();
    await toast("Undone.");
    assert.deepEqual([await users(a), await users(b)], ["olga", ""]);
    await failures.waitFor({ state: "hidden" });
    assert.equal(await toasts.getByRole("button", { name: "Undo" }).count(), 0, "once is enough");
    await half();
    await closed();
    await toast("Assign: 1 of 2 machines failed.");
    await toasts.getByRole("button", { name: "Undo" }).click();
    await until("it is undone", 5, async () => (await users(b)) === "");
    assert.equal(await users(a), "olga");
    await page.getByTestId("bulk-clear").click();
  });
  await report.check("a message stays while the pointer or the focus is on it", async () => {
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await open("?search=arm64-17");
    await row("arm64-17").getByRole("button", { name: "Copy MAC address" }).click();
    const message = toasts.locator("[data-toast=ok]");
    await message.hover();
    await page.waitForTimeout(7_000);
    assert.equal(await message.count(), 1, "it went under the pointer");
    await message.getByRole("button", { name: "Close message" }).focus();
    await page.mouse.move(5, 5);
    await page.waitForTimeout(7_000);
    assert.equal(await message.count(), 1, "it went with the focus");
    await page.getByTestId("search").focus();
    await message.waitFor({ state: "detached", timeout: 8_000 });
  });
  await report.check("Back from a machine: what was ticked still is, but for what is no more", async () => {
    const gone = await api(page, "POST", "/machine", { name: "zz-gone", arch: "arm64" });
    await open("?search=zz-");
    await tick("zz-gone");
    await tick("zz-bare-1");
    await search("arm64-1");
    await row("arm64-13").waitFor();
    for (const name of ["arm64-12", "arm64-13"]) await tick(name);
    await selected("4 selected, 2 of them not shown");
    await row("arm64-13").getByTestId("open").click();
    await page.getByTestId("machine-name").filter({ hasText: "arm64-13" }).waitFor();
    await api(page, "DELETE", `/machine/${gone.id}`);
    await page.goBack();
    await selected("3 selected, 1 of them not shown");
    assert.ok((await row("arm64-12").getByTestId("tick").isChecked()) && (await row("arm64-13").getByTestId("tick").isChecked()));
    await page.getByTestId("bulk-reset").click();
    await dialog.getByTestId("bulk-hindered").getByText("It will fail with 1 of them: 1 has no BMC.").waitFor();
    await closed();
    // a link to the list begins afresh
    await row("arm64-13").getByTestId("open").click();
    await page.getByTestId("machine-name").filter({ hasText: "arm64-13" }).waitFor();
    await page.getByRole("link", { name: "Machines" }).last().click();
    await page.getByTestId("machine-row").first().waitFor();
    await page.waitForTimeout(300);
    assert.equal(await page.getByTestId("bulk-bar").count(), 0);
  });
  // the machine that is no more is asked for once
  await report.check("no page complained", () => browser.assertQuiet([/404/]));
}
