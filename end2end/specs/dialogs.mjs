// What was typed in a dialog is not lost by one stray click or key.
import assert from "node:assert/strict";
import { assertLooks } from "../lib/looks.mjs";
import { api, logIn, visit } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  const dialog = page.locator("dialog[open]");
  const name = dialog.locator("#network-name");
  const open = async () => {
    await page.getByTestId("add-network").click();
    await until("the focus is in it", 5, () => name.evaluate((own) => own === document.activeElement));
  };
  const beside = () => page.mouse.click(5, 400);
  const escape = () => page.keyboard.press("Escape");
  const close = () => dialog.getByRole("button", { name: "Close" }).click();
  const cancel = () => dialog.getByRole("button", { name: "Cancel" }).click();
  const gone = () => dialog.waitFor({ state: "hidden", timeout: 3000 });
  const said = (words) => dialog.getByTestId("dialog-kept").getByText(words).waitFor({ timeout: 3000 });
  const stays = async (typed) => {
    await page.waitForTimeout(200);
    assert.equal(await name.inputValue(), typed);
  };

  await visit(page, server, "/networks");
  await report.check("with nothing typed it is closed by every way out", async () => {
    for (const out of [beside, escape, close, cancel]) {
      await open();
      await out();
      await gone();
    }
  });
  await report.check("a click beside it keeps what was typed, and says so", async () => {
    await open();
    await page.keyboard.type("rack 4");
    await beside();
    await said("What you have typed is kept.");
    await beside();
    await stays("rack 4");
    await assertLooks(browser, page, "dialog-kept");
  });
  await report.check("Escape is to be pressed twice, with nothing typed between", async () => {
    await escape();
    await said("Press Escape again");
    await stays("rack 4");
    await name.focus();
    await page.keyboard.type("b");
    assert.equal(await dialog.getByTestId("dialog-kept").textContent(), "");
    await escape();
    await said("Press Escape again");
    await beside();
    await stays("rack 4b");
    await escape();
    await escape();
    await gone();
    await open();
    await stays("");
    await escape();
    await gone();
  });
  await report.check("Close and Cancel discard it at once", async () => {
    for (const out of [close, cancel]) {
      await open();
      await page.keyboard.type("rack 4");
      await out();
      await gone();
    }
  });
  await report.check("what is as it was is no loss", async () => {
    await open();
    await page.keyboard.type("x");
    await page.keyboard.press("Backspace");
    await escape();
    await gone();
  });
  await report.check("a choice is kept, too; a search is none", async () => {
    for (let number = 1; number <= 9; number += 1) await api(page, "POST", "/user", { username: `person-${number}` });
    const [machine] = await api(page, "GET", "/machine?show_all=true");
    await visit(page, server, `/machines/${machine.id}`);
    const take = async () => {
      await page.getByTestId("add-assignee").click();
      await dialog.locator("[data-search=assignee-user]").fill("person-7");
    };
    await take();
    await beside();
    await gone();
    await take();
    await dialog.locator("#assignee-user").selectOption("person-7");
    await beside();
    await said("What you have typed is kept.");
    assert.equal(await dialog.locator("#assignee-user").inputValue(), "person-7");
    await cancel();
    await gone();
  });
  await report.check("a question, and what leads elsewhere, are left by one key", async () => {
    const network = await api(page, "POST", "/network", { name: "unused", subnet: "172.30.8.0/24" });
    await visit(page, server, "/networks");
    await page.getByRole("button", { name: "Delete network unused", exact: true }).click();
    await dialog.getByTestId("acknowledge").check();
    await escape();
    await gone();
    await page.keyboard.press("Control+k");
    await page.getByTestId("palette-input").fill("net");
    await escape();
    await gone();
    await api(page, "DELETE", `/network/${network.id}`);
  });
  await report.check("no page complained", () => browser.assertQuiet());
}
