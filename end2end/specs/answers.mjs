// Answers that take their time, and messages over a dialog: nothing is lost, and nothing lands in another question.
import assert from "node:assert/strict";
import { held } from "../lib/calls.mjs";
import { assertLooks } from "../lib/looks.mjs";
import { api, createPreseed, logIn, visit } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

const IN_USE = [/^409 /, /status of 409/];

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await report.need("log in", () => logIn(page, server));
  const question = page.getByRole("main").getByTestId("confirm");
  const opened = page.locator("dialog[open]");
  const toast = (text) => page.getByTestId("toasts").locator("[data-toast]").filter({ hasText: text });
  const used = (await api(page, "GET", "/machine?show_all=true")).find(({ bmc_id }) => bmc_id);
  const first = (await api(page, "GET", "/bmc")).find(({ id }) => id === used.bmc_id).name;
  const spare = (name, ip) => api(page, "POST", "/bmc", { name, ip, bmc_type: "plain", username: "lab", password: "lab" });
  await spare("spare-1", "127.0.0.8");
  await spare("spare-2", "127.0.0.9");
  const names = async () => (await api(page, "GET", "/bmc")).map(({ name }) => name);
  const ask = async (name) => {
    await page.getByRole("button", { name: `Delete BMC ${name}`, exact: true }).click();
    await question.getByText(`delete BMC ${name}?`).waitFor();
  };
  const agree = async (name) => {
    await ask(name);
    await question.getByTestId("acknowledge").check();
    await question.getByTestId("confirm-action").click();
  };
  /** Deletes a BMC whose answer is held back, and closes the question before it comes. */
  const walkAway = async (name) => {
    const call = await held(page, "DELETE", /\/api\/v1\/bmc\/\d+/);
    await agree(name);
    await question.getByTestId("still-waiting").getByRole("button", { name: "close this" }).click();
    await question.waitFor({ state: "hidden" });
    assert.equal(call.seen(), 1);
    return call;
  };

  await report.check("a dialog that waits for an answer stays, whatever is pressed", async () => {
    await visit(page, server, "/bmcs");
    const call = await held(page, "DELETE", /\/api\/v1\/bmc\/\d+/);
    await agree(first);
    await until("the call", 5, () => call.seen() === 1);
    for (const button of ["Close", "Cancel"]) assert.ok(await question.getByRole("button", { name: button, exact: true }).isDisabled(), button);
    await question.locator(".loading").waitFor();
    // Chromium lets a page refuse one of two
    for (let press = 0; press < 3; press += 1) await page.keyboard.press("Escape");
    await page.mouse.click(5, 5);
    await page.waitForTimeout(300);
    assert.ok(await question.isVisible());
    await call.release();
    await question.getByTestId("uses").waitFor();
    browser.takeMessages(IN_USE);
    // now it may be left
    await page.keyboard.press("Escape");
    await question.waitFor({ state: "hidden" });
  });
  await report.check("a refusal that comes after the dialog is a message, not part of the next question", async () => {
    const call = await walkAway(first);
    await ask("spare-1");
    await call.release();
    await toast(`Not done: “Delete BMC ${first}”.`).waitFor();
    browser.takeMessages(IN_USE);
    await question.getByTestId("acknowledge").check();
    assert.equal(await question.getByTestId("uses").count(), 0);
    assert.equal(await question.getByTestId("form-errors").textContent(), "");
    await question.getByTestId("confirm-action").click();
    await question.waitFor({ state: "hidden" });
    const left = await names();
    assert.ok(left.includes(first) && !left.includes("spare-1"), left.join());
    await page.getByTestId("toasts").getByRole("button", { name: "Close message" }).first().click();
  });
  await report.check("nor does a success close the next question", async () => {
    await spare("spare-3", "127.0.0.10");
    const call = await walkAway("spare-2");
    await ask("spare-3");
    await call.release();
    await toast("Done: “Delete BMC spare-2”.").waitFor();
    assert.ok(await question.isVisible());
    await page.keyboard.press("Escape");
    await question.waitFor({ state: "hidden" });
    const left = await names();
    assert.ok(!left.includes("spare-2") && left.includes("spare-3"), left.join());
  });
  await report.check("a refusal while nothing is open is told, too", async () => {
    const call = await walkAway(first);
    await call.release();
    await toast(`Not done: “Delete BMC ${first}”.`).last().waitFor();
    browser.takeMessages(IN_USE);
  });

  await report.check("a new user's password is shown though nobody waited for it, until Done is pressed", async () => {
    await visit(page, server, "/users");
    const call = await held(page, "POST", /\/api\/v1\/user$/);
    await page.getByTestId("add-user").click();
    await opened.getByLabel("User name").fill("nina");
    await opened.getByRole("button", { name: "Add user" }).click();
    await opened.getByTestId("still-waiting").waitFor();
    await assertLooks(browser, page, "still-waiting");
    await opened.getByRole("button", { name: "close this" }).click();
    await opened.waitFor({ state: "detached" });
    await call.release();
    await page.getByTestId("generated-password").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await page.mouse.click(5, 5);
    await page.waitForTimeout(300);
    const password = (await page.getByTestId("generated-password").textContent()).trim();
    await opened.getByRole("button", { name: "Copy password" }).click();
    await until("copied", 5, async () => (await page.evaluate(() => navigator.clipboard.readText())) === password);
    await opened.getByRole("button", { name: "Done" }).click();
    await opened.waitFor({ state: "detached" });
  });
  await report.check("the answer to what was saved on a page that was left is told", async () => {
    await createPreseed(page, server, { name: "slow", content: "x" });
    await visit(page, server, new URL(page.url()).pathname);
    const call = await held(page, "PUT", /\/api\/v1\/preseed\/\d+$/);
    await page.locator("#preseed-content").fill("y");
    await page.getByTestId("save-preseed").click();
    await until("the call", 5, () => call.seen() === 1);
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Images" }).click();
    await page.getByTestId("leave").click();
    await page.getByRole("heading", { level: 1, name: "Images" }).waitFor();
    await call.release();
    await toast("Done: “Save preseed slow”.").waitFor();
  });
  await report.check("going back from a dialog that waits tells the answer, too", async () => {
    await page.getByTestId("admin-menu").click();
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Networks" }).click();
    const call = await held(page, "POST", /\/api\/v1\/network$/);
    await page.getByTestId("add-network").click();
    await opened.getByLabel("Name").fill("late");
    await opened.getByLabel("Subnet").fill("10.99.0.0/24");
    await opened.getByRole("button", { name: "Save" }).click();
    await until("the call", 5, () => call.seen() === 1);
    await page.goBack();
    await page.getByRole("heading", { level: 1, name: "Images" }).waitFor();
    await call.release();
    await toast("Done: “Add a network”.").waitFor();
    assert.ok(await toast("Done: “Add a network”.").isVisible());
  });

  await report.check("a message over a dialog is closed by a click, and the dialog stays as it was filled in", async () => {
    await visit(page, server, "/networks");
    await page.getByTestId("add-network").click();
    await opened.getByLabel("Name").fill("typed");
    await opened.getByLabel("Subnet").fill("10.98.0.0/24");
    await opened.getByTestId("as-curl").click();
    await toast("Copied").getByRole("button", { name: "Close message" }).click();
    await toast("Copied").waitFor({ state: "detached" });
    assert.equal(await opened.getByLabel("Name").inputValue(), "typed");
    await opened.getByTestId("as-curl").click();
    await toast("Copied").waitFor();
    await assertLooks(browser, page, "message-over-dialog");
    await opened.getByRole("button", { name: "Cancel" }).click();
    await opened.waitFor({ state: "detached" });
  });
  await report.check("what a message offers is done with a dialog open, and the message outlives the dialog", async () => {
    await visit(page, server, `/machines/${used.id}`);
    await page.getByTestId("add-assignee").click();
    await page.getByTestId("assignee-dialog").getByLabel("User").selectOption("nina");
    await page.getByTestId("assignee-dialog").getByRole("button", { name: "Assign" }).click();
    await toast("nina has the machine now").waitFor();
    await page.getByTestId("add-assignee").click();
    await page.getByTestId("assignee-dialog").getByLabel("Reason").fill("typed");
    await toast("nina has the machine now").getByRole("button", { name: "Undo" }).click();
    await toast("Undone.").waitFor();
    assert.equal(await page.getByTestId("assignee-dialog").getByLabel("Reason").inputValue(), "typed");
    assert.ok(!(await api(page, "GET", `/machine/${used.id}`)).assignees.some(({ user }) => user === "nina"));
    await opened.getByRole("button", { name: "Cancel" }).click();
    await opened.waitFor({ state: "detached" });
    await toast("Undone.").getByRole("button", { name: "Close message" }).click();
  });
  await report.check("no page complained of anything else", () => browser.assertQuiet());
}
