// A whole task without a mouse: log in, find a machine, take it, choose what it boots, provision it. What happens is told.
import assert from "node:assert/strict";
import { reachedByTab } from "../lib/looks.mjs";
import { api, follows } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

/** What has the focus: its accessible name, shortened. */
const focused = (page) =>
  page.evaluate(() => {
    const { activeElement: own } = document;
    return (own?.getAttribute("aria-label") ?? own?.labels?.[0]?.textContent ?? own?.textContent ?? "").trim().slice(0, 40);
  });

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  const live = () => follows(page);
  const press = (key) => page.keyboard.press(key);
  const dialog = page.locator("dialog[open]");

  await report.need("log in: the first field has the focus", async () => {
    await page.goto(`${server.url}/login`);
    await until("the focus is in the form", 10, async () => (await focused(page)) === "User name");
    await page.keyboard.type("admin");
    await press("Tab");
    await page.keyboard.type(server.password);
    await press("Enter");
    await page.waitForURL(/\/machines$/);
    await live();
  });
  const own = (await api(page, "GET", "/machine?show_all=true")).find(({ arch, assignees }) => arch === "x86_64" && assignees.length === 0);
  await report.need("the machine is found and opened", async () => {
    await press("/");
    await page.keyboard.type(own.name);
    await page.getByTestId("machine-count").filter({ hasText: "of 1 machine" }).waitFor();
    await press("Tab");
    await press("j");
    await press("Enter");
    await page.getByTestId("machine-name").filter({ hasText: own.name }).waitFor();
    await live();
  });
  await report.check("the first press of Tab offers to skip the bar", async () => {
    await page.reload();
    await live();
    await press("Tab");
    assert.equal(await focused(page), "Skip to content");
    await press("Enter");
    await until("the focus is at the contents", 5, async () => page.evaluate(() => document.activeElement?.id === "main"));
  });
  await report.check("it is taken: the dialog has the focus, keeps it, and gives it back", async () => {
    const button = page.getByTestId("add-assignee");
    await reachedByTab(page, button, 80);
    await press("Enter");
    await dialog.locator("#assignee-user").waitFor();
    await until("the focus is inside", 5, () => dialog.evaluate((dialog) => dialog.contains(document.activeElement)));
    for (let n = 0; n < 12; n += 1) {
      await press("Tab");
      // the browser's own bar is between the last and the first
      assert.ok(await page.evaluate(() => document.activeElement === document.body || document.querySelector("dialog[open]").contains(document.activeElement)));
    }
    await reachedByTab(page, dialog.locator("#assignee-user"));
    await page.keyboard.type("admin");
    await press("Tab");
    await page.keyboard.type("kernel tests");
    await press("Enter");
    await dialog.waitFor({ state: "hidden" });
    await page.getByTestId("assignees").getByText("kernel tests").waitFor();
    assert.ok(await button.evaluate((button) => button === document.activeElement), `the focus is at ${await focused(page)}`);
  });
  await report.check("what was done is told in a live region that was there before", async () => {
    const toasts = page.getByTestId("toasts");
    assert.deepEqual([await toasts.getAttribute("role"), await toasts.getAttribute("aria-live")], ["status", "polite"]);
    await toasts.getByText("admin has the machine now.").waitFor();
    assert.equal(await page.getByTestId("events").getAttribute("aria-live"), "polite");
  });
  await report.check("the form is walked in the order in which it is read", async () => {
    const form = page.getByTestId("provisioning-form");
    await reachedByTab(page, page.getByLabel("Netboot", { exact: true }), 80);
    const order = [];
    while (!(await page.locator("#kernel-opts").evaluate((field) => field === document.activeElement))) {
      await press("Tab");
      order.push(await page.evaluate(() => document.activeElement?.id || document.activeElement?.dataset.search));
      assert.ok(order.length < 20, order.join());
    }
    assert.deepEqual(order.filter((id) => ["subarch", "kernel", "initrd", "preseed", "kernel-opts"].includes(id)), ["subarch", "kernel", "initrd", "preseed", "kernel-opts"]);
    const places = await form.locator("select, #kernel-opts").evaluateAll((all) => all.map((one) => one.getBoundingClientRect().top));
    assert.deepEqual(places, [...places].sort((a, b) => a - b));
  });
  await report.check("kernel, initrd and preseed are chosen by typing", async () => {
    await press("Home");
    const choose = async (id) => {
      await reachedByTab(page, page.locator(`#${id}`), 120);
      await press("ArrowDown");
      await until(`${id} is chosen`, 5, async () => (await page.locator(`#${id}`).inputValue()) !== "");
    };
    for (const id of ["kernel", "initrd", "preseed"]) await choose(id);
    await reachedByTab(page, page.getByTestId("save-provisioning"), 20);
    await press("Enter");
    await page.getByTestId("toasts").getByText("Settings saved.").waitFor();
  });
  await report.check("Provision: asked, agreed, begun, told", async () => {
    await reachedByTab(page, page.getByTestId("provision"), 120);
    await press("Enter");
    await page.getByTestId("provision-dialog").getByTestId("provision-confirm").waitFor();
    await reachedByTab(page, page.getByTestId("provision-confirm"), 12);
    await press("Enter");
    await page.getByTestId("provision-dialog").waitFor({ state: "hidden" });
    await page.getByTestId("toasts").getByText("Provisioning started.").waitFor();
    await page.locator("[data-testid=events] [data-event=STATE_CHANGE]").first().waitFor();
    assert.ok(["provisioning", "ready"].includes((await api(page, "GET", `/machine/${own.id}`)).state));
  });
  await report.check("and to its console", async () => {
    await reachedByTab(page, page.getByTestId("open-console"), 80);
    await press("Enter");
    await page.waitForURL(/\/console$/);
    await page.locator("[data-testid=console-status][data-line=connected]").waitFor({ timeout: 20_000 });
    assert.equal(await page.getByTestId("console-status").getAttribute("role"), "status");
  });
  await report.check("what Shift+Tab leads to is never behind the bar at the top", async () => {
    await page.setViewportSize({ width: 1280, height: 420 });
    for (const path of ["/bmcs", "/audit", `/machines/${own.id}`]) {
      await page.goto(`${server.url}${path}`);
      await live();
      await page.evaluate(() => [...document.querySelectorAll("main :is(a, button)")].at(-1).focus());
      for (let step = 0; step < 30; step += 1) {
        await press("Shift+Tab");
        const hidden = await page.evaluate(() => {
          const [own, bar] = [document.activeElement, document.querySelector("header").getBoundingClientRect()];
          return own.closest("main") && own.getBoundingClientRect().top < bar.bottom ? own.outerHTML.slice(0, 120) : "";
        });
        assert.equal(hidden, "", path);
      }
    }
  });
  await report.check("no page complained", () => browser.assertQuiet());
}
