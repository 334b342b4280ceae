// Switches show at once what was asked for, and go back with the API's words when it refuses.
import assert from "node:assert/strict";
import { held, late, refused } from "../lib/calls.mjs";
import { assertLooks } from "../lib/looks.mjs";
import { api, follows, logIn } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  const [own] = await api(page, "GET", "/machine?show_all=true");
  const machine = () => api(page, "GET", `/machine/${own.id}`);
  const toast = (text) => page.getByTestId("toasts").locator("[data-toast]").filter({ hasText: text });
  const dismissToasts = async () => {
    while ((await page.getByRole("button", { name: "Close message" }).count()) > 0) await page.getByRole("button", { name: "Close message" }).first().click();
  };
  await page.goto(`${server.url}/machines/${own.id}`);
  await follows(page);

  const netboot = page.getByLabel("Netboot", { exact: true });
  const path = new RegExp(`/api/v1/machine/${own.id}$`);
  const was = own.netboot_enabled;
  await report.check("MP6 netboot: switched before the server has answered, and then for good", async () => {
    const put = await held(page, "PUT", path);
    await netboot.click();
    await until("the call is on its way", 5, () => put.seen() === 1);
    assert.equal(await netboot.isChecked(), !was);
    assert.equal((await machine()).netboot_enabled, was, "the server has it already: nothing was shown ahead of it");
    await put.release();
    await until("the server has it", 5, async () => (await machine()).netboot_enabled === !was);
    assert.equal(await netboot.isChecked(), !was);
    // said once it is so, and can be undone
    await toast(/Netboot switched (on|off)\./).getByRole("button", { name: "Undo" }).waitFor();
  });
  await report.check("netboot refused: back as it was, with the API's reason, in a live region", async () => {
    const put = await refused(page, "PUT", path);
    await netboot.click();
    await toast(/Netboot is not switched (on|off): the lab is being moved/).waitFor();
    await until("it is back", 5, async () => (await netboot.isChecked()) === !was);
    assert.equal(await page.getByTestId("toasts").getAttribute("aria-live"), "polite");
    await put.stop();
    await dismissToasts();
    browser.takeMessages([/^409 /, /status of 409/]);
  });
  await report.check("two quick clicks: the later one holds", async () => {
    const put = await held(page, "PUT", path);
    await netboot.click();
    await netboot.click();
    assert.equal(await netboot.isChecked(), !was);
    await put.release();
    await until("both are done", 5, () => put.answered() === 2);
    assert.equal((await machine()).netboot_enabled, !was);
    assert.equal(await netboot.isChecked(), !was);
  });
  await report.check("somebody else switches it: this page follows", async () => {
    await api(page, "PUT", `/machine/${own.id}`, { netboot_enabled: was });
    await until("it follows", 10, async () => (await netboot.isChecked()) === was);
  });

  await report.check("settings are saved while one types on: nobody else is blamed for it, and nothing typed is lost", async () => {
    const options = page.locator("#kernel-opts");
    const save = page.getByTestId("save-provisioning");
    const overtaken = page.getByTestId("overtaken");
    const put = await late(page, "PUT", path);
    let news = 0;
    const count = (request) => {
      if (put.done() > 0 && request.method() === "GET" && path.test(request.url())) news += 1;
    };
    page.on("requestfinished", count);
    await options.fill("first=1");
    await save.click();
    await until("the server has it", 5, () => put.done() === 1);
    assert.equal(await save.getAttribute("aria-disabled"), "true");
    await options.fill("first=1 second=2");
    // the lab tells of the change before the call is answered
    await until("the page has asked for the machine again", 10, () => news > 0);
    await page.waitForTimeout(200);
    assert.equal(await overtaken.count(), 0);
    put.release();
    await toast("Settings saved.").waitFor();
    assert.equal(await overtaken.count(), 0);
    assert.equal(await options.inputValue(), "first=1 second=2");
    await save.click();
    await until("the server has that as well", 5, async () => (await machine()).kernel_opts === "first=1 second=2");
    await page.getByTestId("provisioning-form").getByText("Not saved yet").waitFor({ state: "detached" });
    page.off("requestfinished", count);
    await dismissToasts();
  });
  await report.check("pressed from the keyboard, Save keeps the focus, and Discard gives it to the first field", async () => {
    const focusedOn = (locator) => until("the focus is where it belongs", 5, () => locator.evaluate((own) => own === document.activeElement));
    const save = page.getByTestId("save-provisioning");
    await page.locator("#kernel-opts").fill("third=3");
    await save.press("Enter");
    await toast("Settings saved.").waitFor();
    await until("there is nothing to save", 5, async () => (await save.getAttribute("aria-disabled")) === "true");
    await focusedOn(save);
    await page.locator("#kernel-opts").fill("fourth=4");
    await page.getByRole("button", { name: "Discard changes" }).press("Enter");
    await focusedOn(page.locator("#subarch"));
    assert.equal(await page.locator("#kernel-opts").inputValue(), "third=3");
    assert.ok(await save.evaluate((own) => own.disabled), "what has no focus is disabled");
    await dismissToasts();
  });

  const tags = page.getByTestId("tags");
  const shown = () => tags.locator("[data-tag]").evaluateAll((all) => all.map(({ dataset }) => dataset.tag));
  const add = async (text) => {
    await page.getByTestId("new-tag").fill(text);
    await page.getByTestId("new-tag").press("Enter");
  };
  await report.check("tags: there before the server has answered; several at once", async () => {
    const post = await held(page, "POST", /bulk/);
    await add("rack 4, 10g");
    await until("shown", 5, async () => (await shown()).join() === "10g,rack 4");
    assert.equal(await page.getByTestId("new-tag").inputValue(), "");
    assert.deepEqual((await machine()).tags, []);
    await post.release();
    await until("the server has them", 5, async () => (await machine()).tags.join() === "10g,rack 4");
    assert.deepEqual(await shown(), ["10g", "rack 4"]);
  });
  await report.check("a tag refused: gone again, with the reason; what else happened meanwhile stays", async () => {
    const post = await refused(page, "POST", /bulk/);
    await tags.getByRole("button", { name: "Remove tag 10g" }).click();
    await toast("10g is not removed: the lab is being moved").waitFor();
    await until("it is back", 5, async () => (await shown()).join() === "10g,rack 4");
    await add("new");
    await toast("new is not added: the lab is being moved").waitFor();
    await until("it is gone", 5, async () => (await shown()).join() === "10g,rack 4");
    await post.stop();
    await dismissToasts();
    browser.takeMessages([/^409 /, /status of 409/]);
  });
  await report.check("a tag that breaks a rule of the API comes back with the API's own words", async () => {
    await add(Array.from({ length: 31 }, (_, n) => `t${n}`).join(","));
    await toast("a machine has at most 32 tags").waitFor();
    await until("gone", 5, async () => (await shown()).length === 2);
    await dismissToasts();
    browser.takeMessages([/^400 /, /status of 400/]);
    await add("x".repeat(65));
    await tags.getByText(/tag must/).waitFor();
    await page.getByTestId("new-tag").fill("");
  });
  await report.check("two people label at a time: both labels are there", async () => {
    await api(page, "PUT", `/machine/${own.id}`, { tags: ["10g", "rack 4", "theirs"] });
    await add("mine");
    await until("both", 5, async () => (await machine()).tags.join() === "10g,mine,rack 4,theirs");
    await until("and shown", 10, async () => (await shown()).join() === "10g,mine,rack 4,theirs");
    await tags.getByRole("button", { name: "Remove tag theirs" }).click();
    await until("removed", 5, async () => (await machine()).tags.join() === "10g,mine,rack 4");
  });
  await report.check("what was done with a tag is told, and can be undone; the focus goes to the next tag", async () => {
    const focusedOn = (name) => until(`the focus is on ${name}`, 5, () => page.evaluate((name) => document.activeElement?.getAttribute("aria-label") === name, name));
    await dismissToasts();
    await add("rack 4, short-lived");
    // of what was there already nothing is said, or taken back
    await toast("Tag short-lived added.").getByRole("button", { name: "Undo" }).click();
    await until("undone", 5, async () => (await machine()).tags.join() === "10g,mine,rack 4");
    await until("and shown", 5, async () => (await shown()).join() === "10g,mine,rack 4");
    await tags.getByRole("button", { name: "Remove tag mine" }).press("Enter");
    await focusedOn("Remove tag rack 4");
    await tags.getByRole("button", { name: "Remove tag rack 4" }).press("Enter");
    await focusedOn("Remove tag 10g");
    await tags.getByRole("button", { name: "Remove tag 10g" }).press("Enter");
    await focusedOn("Add a tag");
    for (const tag of ["10g", "rack 4", "mine"]) {
      await toast(`Tag ${tag} removed.`).getByRole("button", { name: "Undo" }).click();
      await until(`${tag} is back`, 5, async () => (await machine()).tags.includes(tag));
    }
    await until("all are shown", 5, async () => (await shown()).join() === "10g,mine,rack 4");
    await dismissToasts();
  });
  await report.check("axe, both colour schemes, desk and telephone", () => assertLooks(browser, page, "machine-tags"));

  await report.check("whoever may not change the machine sees its tags and switch, and can change neither", async () => {
    const { password } = await api(page, "POST", "/user", { username: "eve" });
    await page.getByTestId("user-menu").click();
    await page.getByTestId("logout").click();
    await page.waitForURL(/\/login/);
    await logIn(page, server, { username: "eve", password });
    await page.goto(`${server.url}/machines/${own.id}`);
    await follows(page);
    assert.deepEqual(await shown(), ["10g", "mine", "rack 4"]);
    assert.ok(await netboot.isDisabled());
    assert.equal(await page.getByTestId("new-tag").count(), 0);
    assert.equal(await tags.getByRole("button").count(), 0);
  });
  await report.check("no page complained", () => browser.assertQuiet());
}
