// A preseed's page while others change or delete it, and a text that no machine could be sent.
import assert from "node:assert/strict";
import { assertLooks } from "../lib/looks.mjs";
import { api, logIn, visit } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await report.need("log in", () => logIn(page, server));
  const preseed = await api(page, "POST", "/preseed", { name: "shared", type: "preseed", content: "# first\n" });
  const path = `/preseed/${preseed.id}`;
  const content = page.locator("#preseed-content");
  const notice = page.getByTestId("overtaken");
  const save = page.getByTestId("save-preseed");
  const toast = (text) => page.getByTestId("toasts").locator("[data-toast]").filter({ hasText: text });
  const shows = (text) => until(`the editor shows ${text}`, 5, async () => (await content.inputValue()) === text);
  const faults = page.getByTestId("preseed-faults");

  await report.check("another's save is shown at once when nothing was typed", async () => {
    await visit(page, server, `/preseeds/${preseed.id}`);
    await api(page, "PUT", path, { content: "# second\n", name: "shared by all" });
    await shows("# second\n");
    await page.getByRole("heading", { level: 1, name: "shared by all" }).waitFor();
    assert.equal(await notice.count(), 0);
    assert.ok(await save.isDisabled());
  });
  await report.check("when something was, it is told at once, and can be looked at and copied", async () => {
    await content.fill("# mine\n");
    await api(page, "PUT", path, { content: "# theirs\n", description: "by them" });
    await notice.waitFor();
    assert.equal(await content.inputValue(), "# mine\n");
    await notice.getByRole("button", { name: "show theirs" }).click();
    const dialog = page.getByTestId("theirs");
    await dialog.getByTestId("their-text").getByText("# theirs").waitFor();
    await dialog.getByText("by them").waitFor();
    await dialog.getByRole("button", { name: "Copy their text" }).click();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "# theirs\n");
    await assertLooks(browser, page, "theirs");
    await page.keyboard.press("Escape");
    assert.equal(await content.inputValue(), "# mine\n");
  });
  await report.check("taking theirs can be undone", async () => {
    await notice.getByRole("button", { name: "take theirs" }).click();
    await shows("# theirs\n");
    await notice.waitFor({ state: "detached" });
    await toast("Theirs is shown").getByRole("button", { name: "Undo" }).click();
    await shows("# mine\n");
    await save.click();
    await toast("Preseed shared by all saved.").waitFor();
    assert.equal((await api(page, "GET", path)).content, "# mine\n");
    assert.equal(await notice.count(), 0, "overtaken by oneself");
  });
  await report.check("a text that cannot be rendered is saved, and told with its line", async () => {
    await content.fill("fine\n{% if %}\n");
    await save.click();
    await toast("saved, but line 2: syntax error: unexpected end of block").and(page.locator("[data-toast=warning]")).waitFor();
    await faults.getByText("Line 2: syntax error: unexpected end of block").waitFor();
    assert.equal((await api(page, "GET", path)).content, "fine\n{% if %}\n");
    await assertLooks(browser, page, "preseed-fault");
    // what is wrong stays, and is told anew, without saving
    await content.fill("fine\n{% if %}\n# more\n");
    assert.equal(await faults.getByText("Line 2: ").count(), 1);
    await content.fill("fine\nfine\n{{ hostname }\n");
    await faults.getByText("Line 3: syntax error").waitFor();
    assert.equal(await faults.getByText("Line 2: ").count(), 0);
    await page.reload();
    await faults.getByText("Line 2: ").waitFor();
    await content.fill("fine\n");
    await until("no fault of another text", 5, async () => (await faults.locator("li").count()) === 0);
    await save.click();
    await toast("Preseed shared by all saved.").last().waitFor();
    assert.equal(await faults.locator("li").count(), 0);
    await until("there is nothing to save", 5, async () => (await save.getAttribute("aria-disabled")) === "true");
    assert.ok(await save.evaluate((own) => own === document.activeElement), "the focus is lost");
  });
  await report.check("and a new one", async () => {
    await visit(page, server, "/preseeds/new");
    await page.locator("#preseed-name").fill("broken");
    await content.fill("{{ hostname }\n");
    await faults.getByText("Line 1: syntax error").waitFor();
    await save.click();
    await toast(/Preseed broken created, but line 1: syntax error/).waitFor();
    await page.waitForURL(/\/preseeds\/\d+$/);
    await faults.getByText("Line 1: syntax error").waitFor();
  });
  await report.check("one that is deleted under one's hands is made anew with the same name and text", async () => {
    await visit(page, server, `/preseeds/${preseed.id}`);
    await content.fill("# kept\n");
    await api(page, "DELETE", path);
    await page.getByTestId("deleted-elsewhere").waitFor();
    assert.equal(await content.inputValue(), "# kept\n");
    assert.equal(await page.getByRole("button", { name: "Delete", exact: true }).count(), 0);
    await assertLooks(browser, page, "preseed-deleted");
    await page.getByRole("button", { name: "Create it anew" }).click();
    await page.waitForURL((url) => /\/preseeds\/\d+$/.test(url.pathname) && !url.pathname.endsWith(`/${preseed.id}`));
    const anew = await api(page, "GET", `/preseed/${/(\d+)$/.exec(page.url())[1]}`);
    assert.deepEqual([anew.name, anew.content], ["shared by all", "# kept\n"]);
    await page.getByTestId("deleted-elsewhere").waitFor({ state: "detached" });
    browser.takeMessages([/^404 .*\/preseed\/\d+$/, /status of 404/]);
  });
  await report.check("no page complained", () => browser.assertQuiet());
}
