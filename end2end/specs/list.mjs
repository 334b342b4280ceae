// The list of machines as it is used all day: menus, questions before power commands, many at once, the way back.
import assert from "node:assert/strict";
import { Browser } from "../lib/browser.mjs";
import { refused } from "../lib/calls.mjs";
import { allRows, api, follows, logIn } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

const MACHINES = 520;
const DESK = { width: 1440, height: 900 };
const PHONE = { width: 360, height: 740 };

export const options = { args: ["--machines", String(MACHINES)] };

/** WCAG's contrast of two colours as the browser paints them. */
const contrastOf = (locator) =>
  locator.evaluate((element) => {
    const painted = (colour) => {
      const canvas = document.createElement("canvas").getContext("2d");
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const light = (colour) => {
      const [r, g, b] = painted(colour).map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const [a, b] = [getComputedStyle(element).color, getComputedStyle(element.closest(".alert")).backgroundColor].map(light);
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  });

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await page.setViewportSize(DESK);
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
  const toasts = page.getByTestId("toasts");
  const toast = (text) => toasts.getByText(text).first().waitFor();
  const open = async (query = "") => {
    await page.goto(`${server.url}/machines${query}`);
    await live();
    await allRows(page);
  };
  const within = async (locator, what) => {
    await until(`${what} is drawn`, 5, async () => (await locator.boundingBox())?.width > 0);
    const box = await locator.boundingBox();
    const { width } = page.viewportSize();
    assert.ok(box.x >= 0 && box.x + box.width <= width, `${what} reaches from ${box.x} to ${box.x + box.width} of ${width}`);
  };
  const commands = () => {
    const sent = [];
    const note = (request) => request.method() === "POST" && /\/power$/.test(request.url()) && sent.push(request.postDataJSON().state);
    page.on("request", note);
    return { sent, end: () => page.off("request", note) };
  };
  const confirm = page.locator("dialog[open][data-testid=confirm]");

  await report.check("on a telephone every menu is within the window", async () => {
    await page.setViewportSize(PHONE);
    await open();
    for (const menu of ["columns", "filters"]) {
      await page.getByTestId(menu).click();
      await within(page.locator("details[open] > .dropdown-content"), menu);
      await browser.screenshot(page, `list-${menu}-phone`);
      await page.keyboard.press("Escape");
    }
    await page.getByTestId("query-toggle").click();
    await page.getByTestId("query-help").click();
    await within(page.locator("details[open] > .dropdown-content"), "the query's help");
    await page.goto(`${server.url}/machines/${named("arm64-1").id}`);
    await live();
    await page.getByTestId("curl-menu").click();
    await within(page.locator("details[open] > .dropdown-content"), "As curl");
    assert.ok(await page.getByRole("button", { name: "Firmware set-up" }).last().isVisible());
    await page.setViewportSize(DESK);
  });
  await report.check("on a telephone the usual columns are few, a box says what is seen, and a chosen column is shown", async () => {
    await page.setViewportSize(PHONE);
    await open();
    await page.getByTestId("columns").click();
    const box = (column) => page.locator(`[data-column=${column}]`);
    await until("the boxes say so", 5, async () => !(await box("arch").isChecked()));
    assert.ok(await box("power").isChecked());
    await box("assignees").check();
    await page.keyboard.press("Escape");
    const shown = await page.getByRole("columnheader").allTextContents();
    assert.deepEqual(shown.map((text) => text.replace(/[▴▾]/, "")), ["Name", "State", "Power", "Assignees", "Actions"]);
    await page.getByRole("columnheader", { name: "Assignees" }).scrollIntoViewIfNeeded();
    assert.ok(await page.getByRole("columnheader", { name: "Assignees" }).isVisible());
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
    await page.getByTestId("columns").click();
    await page.getByRole("button", { name: "As at first" }).click();
    await page.keyboard.press("Escape");
    await page.setViewportSize(DESK);
  });
  await report.check("the headings stay in sight, and nothing moves when they begin to stick", async () => {
    await open();
    const top = () => page.locator("[data-testid=machines] thead").evaluate((head) => Math.round(head.getBoundingClientRect().top));
    const before = await top();
    await page.evaluate(() => scrollTo(0, 40));
    await until("it has scrolled", 5, async () => (await top()) === before - 40);
    await page.evaluate(() => scrollTo(0, 1500));
    const bar = await page.locator("header").first().evaluate((bar) => Math.round(bar.getBoundingClientRect().bottom));
    await until("it sticks below the bar", 5, async () => Math.abs((await top()) - bar) <= 1);
    await browser.screenshot(page, "list-sticky");
    assert.equal(await page.evaluate(() => document.elementFromPoint(200, 60).closest("thead") !== null), true);
  });
  await report.check("where the table is pushed sideways, its headings stand above the rows, not over them", async () => {
    await page.setViewportSize(DESK);
    await open();
    await page.getByTestId("columns").click();
    for (const column of ["leases", "tags", "updated_at"]) await page.locator(`[data-column=${column}]`).check();
    await page.keyboard.press("Escape");
    try {
      for (const size of [PHONE, { width: 900, height: 800 }, { width: 1100, height: 800 }]) {
        await page.setViewportSize(size);
        await open();
        const { fits, over } = await page.getByTestId("machines").evaluate((table) => ({
          fits: table.parentElement.scrollWidth <= table.parentElement.clientWidth,
          over: table.tHead.getBoundingClientRect().bottom - table.tBodies[0].rows[0].getBoundingClientRect().top,
        }));
        assert.equal(fits, false, `the table fits into ${size.width} px`);
        assert.ok(over <= 1, `${over} px over the first row`);
        await rows.first().getByTestId("tick").click({ timeout: 3_000 });
        await page.getByTestId("bulk-count").filter({ hasText: "1 selected" }).waitFor();
        await page.getByTestId("bulk-clear").click();
      }
    } finally {
      await page.setViewportSize(DESK);
      await page.getByTestId("columns").click();
      await page.getByRole("button", { name: "As at first" }).click();
      await page.keyboard.press("Escape");
    }
  });
  await report.check("Back to the list: as far down as before, and j goes on from the row", async () => {
    await open();
    const all = await names();
    await page.keyboard.press("j");
    for (let step = 0; step < 39; step += 1) await page.keyboard.press("j");
    const before = await page.evaluate(() => scrollY);
    assert.ok(before > 300, `scrolled by ${before}`);
    await page.keyboard.press("Enter");
    await page.getByTestId("machine-name").filter({ hasText: all[39] }).waitFor();
    await page.evaluate(() => scrollTo(0, 0));
    await page.goBack();
    await rows.first().waitFor();
    await until("as far down", 5, async () => Math.abs((await page.evaluate(() => scrollY)) - before) < 3);
    await until("the row is the current one", 5, async () => (await row(all[39]).getAttribute("aria-current")) === "true");
    await page.keyboard.press("j");
    assert.equal(await page.evaluate(() => document.activeElement.closest("tr").dataset.machine), all[40]);
    // a link to the list begins at its top
    await row(all[40]).getByTestId("open").click();
    await page.getByTestId("machine-name").filter({ hasText: all[40] }).waitFor();
    await page.getByRole("link", { name: "Machines" }).last().click();
    await rows.first().waitFor();
    await page.waitForTimeout(300);
    assert.equal(await page.evaluate(() => scrollY), 0);
    assert.equal(await page.locator("[aria-current=true]").count(), 0);
  });
  await report.check("Loaded again it is as far down as before, though the server draws only what a window shows", async () => {
    await open();
    await page.evaluate(() => scrollTo(0, 1500));
    await page.reload();
    await allRows(page);
    await until("as far down", 5, async () => Math.abs((await page.evaluate(() => scrollY)) - 1500) < 3);
    // to somewhere else and back by a link it begins at its top
    await page.goto(`${server.url}/account`);
    await open();
    assert.equal(await page.evaluate(() => scrollY), 0);
  });
  await report.check("a very long name leaves room for the other columns, and messages with it stay in the window", async () => {
    const long = "n".repeat(250);
    const made = await api(page, "POST", "/machine", { name: long, arch: "arm64" });
    try {
      await open(`?search=${"n".repeat(20)}`);
      await count("1–1 of 1 machine");
      const link = rows.first().getByTestId("open");
      assert.equal(await link.getAttribute("title"), long);
      await within(page.getByRole("columnheader", { name: "Assignees" }), "the last heading");
      await page.getByTestId("filters").click();
      await page.getByTestId("filter-name").fill("m".repeat(60));
      await page.setViewportSize(PHONE);
      await page.getByTestId("filter-name").press("Enter");
      const message = toasts.locator("[data-toast]").first();
      await message.waitFor();
      await within(message, "the message");
      await within(message.getByRole("button", { name: "Close message" }), "its close button");
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        // once it is painted in the other scheme
        let contrast;
        await until("its close button is told from the message", 3, async () => (contrast = await contrastOf(message.getByRole("button", { name: "Close message" }))) >= 3).catch(() =>
          assert.fail(`${contrast}:1 when ${colorScheme}`),
        );
      }
    } finally {
      await page.emulateMedia({ colorScheme: "light", reducedMotion: "no-preference" });
      await page.setViewportSize(DESK);
      await api(page, "DELETE", `/machine/${made.id}`);
    }
  });
  await report.check("a saved view that is replaced is told so", async () => {
    await open("?search=arm64");
    for (const said of ["Saved as ARM.", "Replaced ARM."]) {
      await page.getByTestId("filters").click();
      await page.getByTestId("filter-name").fill("ARM");
      await page.getByTestId("filter-name").press("Enter");
      await toast(said);
    }
  });
  await report.check("what two windows save is kept, and each shows what the other saved", async () => {
    const other = await browser.page();
    await other.goto(`${server.url}/machines`);
    await follows(other);
    const save = async (where, name) => {
      await where.getByTestId("filters").click();
      await where.getByTestId("filter-name").fill(name);
      await where.getByTestId("filter-name").press("Enter");
    };
    const saved = (where) => where.getByTestId("filter-menu").locator("a").allTextContents();
    await page.evaluate(() => localStorage.removeItem("machine-filters"));
    await open();
    await save(page, "here");
    await until("the other window has it", 5, async () => (await saved(other)).join() === "here");
    await save(other, "there");
    await until("and this one the other's", 5, async () => (await saved(page)).join() === "here,there");
    // a window that was told nothing, as one that slept
    await page.evaluate(() => localStorage.setItem("machine-filters", JSON.stringify([{ name: "asleep", address: "/machines" }])));
    await save(page, "awake");
    assert.deepEqual(await saved(page), ["asleep", "awake"]);
    await page.getByTestId("filters").click();
    await page.evaluate(() => localStorage.setItem("machine-filters", JSON.stringify([{ name: "one", address: "/machines" }, { name: "two", address: "/machines" }, { name: "awake", address: "/machines" }])));
    await page.getByRole("button", { name: "Delete filter awake" }).click();
    await until("only that one goes", 5, async () => (await saved(page)).join() === "one,two");
    await page.keyboard.press("Escape");
    await other.close();
  });
  await report.check("long reasons leave rows low, and are whole in a title", async () => {
    const busy = named("arm64-30");
    const reason = "bisecting the regression in the storage driver that shows only after three days of load";
    for (const username of ["olga", "petra", "quinn"]) {
      await api(page, "POST", "/user", { username });
      await api(page, "POST", `/machine/${busy.id}/assignee`, { user: username, reason });
    }
    await open("?search=arm64-30");
    await page.getByTestId("columns").click();
    for (const column of ["leases", "tags", "updated_at"]) await page.locator(`[data-column=${column}]`).check();
    await page.keyboard.press("Escape");
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.getByRole("columnheader", { name: "Tags" }).waitFor();
    const { height } = await row("arm64-30").boundingBox();
    assert.ok(height < 60, `${height} px`);
    const cell = row("arm64-30").getByTitle("olga (bisecting");
    assert.equal((await cell.getAttribute("title")).split("\n").length, 3);
    assert.ok((await cell.boundingBox()).width >= 160);
    await page.getByTestId("columns").click();
    await page.getByRole("button", { name: "As at first" }).click();
    await page.keyboard.press("Escape");
    await page.setViewportSize(DESK);
  });
  await report.check("no console is offered of a machine without a BMC", async () => {
    const bare = await api(page, "POST", "/machine", { name: "zz-bare", arch: "arm64" });
    await open("?search=zz-bare");
    await row("zz-bare").waitFor();
    assert.equal(await row("zz-bare").getByRole("link", { name: /Console/ }).count(), 0);
    await page.keyboard.press("j");
    await page.keyboard.press("c");
    await toast("zz-bare has no BMC, and so no console.");
    assert.equal(new URL(page.url()).pathname, "/machines");
    await api(page, "DELETE", `/machine/${bare.id}`);
    await open("?search=arm64-20");
    await row("arm64-20").getByRole("link", { name: "Console of arm64-20" }).waitFor();
  });
  await report.check("an address with a faulty query says so, and not that no machine matches", async () => {
    await open(`?q=${encodeURIComponent("(= foo")}`);
    await page.getByTestId("empty").getByText("The query is not understood").waitFor();
    assert.equal(await page.getByText("No machine matches").count(), 0);
    assert.equal((await page.getByTestId("machine-count").textContent()).trim(), "");
    await page.getByTestId("empty").getByRole("link", { name: "show all" }).click();
    await count(`of ${MACHINES} machines`);
  });
  await report.check("a list that did not come is asked for again", async () => {
    await open();
    browser.assertQuiet();
    const { stop } = await refused(page, "GET", /\/api\/v1\/machine\?/);
    await page.getByTestId("search").fill("arm64-7");
    const error = page.getByTestId("list-error");
    await error.waitFor();
    assert.equal(await rows.count(), 100);
    const again = page.getByRole("button", { name: "Try again" });
    await again.click();
    await page.waitForTimeout(300);
    await error.waitFor();
    await stop();
    await again.click();
    await count("1–11 of 11 machines");
    await error.waitFor({ state: "detached" });
    browser.assertQuiet([/409/]);
  });
  await report.check("the search knows the words that stand in the row", async () => {
    await api(page, "PUT", `/machine/${named("arm64-9").id}/state`, { state: "error" });
    await open("?search=Failed");
    await count("1–1 of 1 machine");
    await open("?search=arm64-9%20error");
    await count("1–1 of 1 machine");
    await open("?search=arm64-8%20no%20state");
    assert.ok((await names()).includes("arm64-8"));
  });
  await report.check("check boxes have the corners of check boxes", async () => {
    const [radius, width] = await rows.first().getByTestId("tick").evaluate((box) => [parseFloat(getComputedStyle(box).borderRadius), box.offsetWidth]);
    assert.ok(radius < width / 4, `${radius} px of ${width}`);
  });

  // ------------------------------------------------------------------ power

  const own = named("arm64-20");
  await report.check("the power menu of a row is walked by arrows, Home and End; Escape gives the focus back", async () => {
    await api(page, "POST", `/machine/${own.id}/power`, { state: "on" });
    await open("?search=arm64-20");
    await row("arm64-20").locator("[data-power=on]").waitFor();
    const button = row("arm64-20").getByTestId("row-power");
    const menu = page.getByTestId("power-menu");
    const focused = () => menu.locator(":focus").getAttribute("data-testid");
    await button.focus();
    await page.keyboard.press("Enter");
    await menu.getByRole("menu", { name: "Power" }).waitFor();
    assert.equal(await menu.getByTestId("power-on").isDisabled(), true, "it is on already");
    assert.equal(await focused(), "power-off");
    const walk = [
      ["ArrowDown", "power-reboot"],
      ["End", "power-disk_reboot"],
      ["ArrowDown", "power-off"],
      ["ArrowUp", "power-disk_reboot"],
      ["Home", "power-off"],
    ];
    for (const [key, there] of walk) {
      await page.keyboard.press(key);
      assert.equal(await focused(), there, key);
    }
    await browser.screenshot(page, "list-power-menu");
    await page.keyboard.press("Escape");
    await menu.waitFor({ state: "hidden" });
    assert.ok(await button.evaluate((button) => button === document.activeElement));
  });
  await report.check("PXE boot with netboot off is asked about in the row's menu, in the palette and of many", async () => {
    const { sent, end } = commands();
    await row("arm64-20").getByTestId("row-power").click();
    await page.getByTestId("power-menu").getByTestId("power-pxe_reboot").click();
    await confirm.getByText("told to boot from its disk").waitFor();
    await confirm.getByRole("button", { name: "Cancel" }).click();
    await row("arm64-20").getByTestId("tick").check();
    await page.getByTestId("bulk-pxe-boot").click();
    await page.getByTestId("bulk-netboot").getByText("Netboot is off on 1 machine").waitFor();
    await page.keyboard.press("Escape");
    await page.getByTestId("bulk-clear").click();
    await page.goto(`${server.url}/machines/${own.id}`);
    await live();
    await page.getByTestId("palette-button").click();
    await page.getByTestId("palette-input").fill("pxe");
    await page.getByRole("option", { name: "PXE boot arm64-20" }).click();
    await confirm.getByText("Netboot of arm64-20 is off").waitFor();
    await browser.screenshot(page, "palette-question");
    await confirm.getByRole("button", { name: "Cancel" }).click();
    assert.deepEqual(sent, []);
    await page.getByTestId("palette-button").click();
    await page.getByTestId("palette-input").fill("reset");
    await page.getByRole("option", { name: "Reset arm64-20" }).click();
    await confirm.getByText("Reset: arm64-20").waitFor();
    assert.deepEqual(sent, []);
    await confirm.getByTestId("confirm-action").click();
    await toast("arm64-20: Reset sent.");
    assert.deepEqual(sent, ["reboot"]);
    end();
  });
  await report.check("the palette offers nobody what they may not do", async () => {
    const { password } = await api(page, "POST", "/user", { username: "eve" });
    const hers = await Browser.launch();
    const other = await hers.page();
    await logIn(other, server, { username: "eve", password });
    await other.goto(`${server.url}/machines/${own.id}`);
    await follows(other);
    const asked = other.waitForResponse((response) => response.url().endsWith(`/api/v1/machine/${own.id}`));
    await other.getByTestId("palette-button").click();
    await other.getByTestId("palette-input").waitFor();
    await asked;
    await other.waitForTimeout(200);
    for (const name of [/^Power/, /^Reset/, /^PXE/, /^Console/]) assert.equal(await other.getByRole("option", { name }).count(), 0, String(name));
    await hers.close();
  });

  // ------------------------------------------------------------------ many at once

  const dialog = page.getByTestId("bulk-dialog");
  const undo = () => toasts.getByRole("button", { name: "Undo" }).last().click();
  const tagged = async (tag) => (await api(page, "GET", "/machine?show_all=true")).filter(({ tags }) => tags.includes(tag)).map(({ name }) => name);
  await report.check("all that match are selected at once, sent in portions, and told as one; messages leave the bar free", async () => {
    await open();
    await page.getByTestId("tick-all").check();
    await page.getByTestId("bulk-all").filter({ hasText: `Select all ${MACHINES} that match` }).click();
    await page.getByTestId("bulk-count").filter({ hasText: `${MACHINES} selected, ${MACHINES - 100} of them not shown` }).waitFor();
    await page.getByTestId("bulk-all").waitFor({ state: "hidden" });
    await page.getByTestId("bulk-tags").click();
    await dialog.locator("#bulk-add").fill("whole lab");
    await dialog.getByTestId("bulk-confirm").click();
    await toasts.getByText(`Tags: done with ${MACHINES} machines.`).waitFor({ timeout: 60_000 });
    await browser.screenshot(page, "list-bulk");
    await api(page, "PUT", `/machine/${own.id}`, { kernel_opts: "quiet" });
    const boxes = async (locator) => (await locator.all()).length && Promise.all((await locator.all()).map((one) => one.boundingBox()));
    const bar = await page.getByTestId("bulk-bar").boundingBox();
    for (const box of await boxes(toasts.locator("[data-toast]"))) assert.ok(box.y + box.height <= bar.y, `a message ends at ${box.y + box.height}, the bar begins at ${bar.y}`);
    assert.equal((await tagged("whole lab")).length, MACHINES);
    await undo();
    await toasts.getByText("Undone.").waitFor({ timeout: 60_000 });
    assert.deepEqual(await tagged("whole lab"), []);
    await page.getByTestId("bulk-clear").click();
  });
  await report.check("assigning, releasing and tags of many are undone for exactly those that were changed", async () => {
    const [a, b] = [named("arm64-60"), named("arm64-61")];
    const users = async (machine) => (await api(page, "GET", `/machine/${machine.id}`)).assignees.map(({ user, reason }) => `${user}: ${reason}`);
    await api(page, "POST", `/machine/${a.id}/assignee`, { user: "eve", reason: "long ago" });
    await open("?search=arm64-6");
    for (const { name } of [a, b]) await row(name).getByTestId("tick").check();
    await page.getByTestId("bulk-assign").click();
    await dialog.locator("#bulk-user").selectOption("eve");
    await dialog.getByTestId("bulk-confirm").click();
    // one had her already: she stays there
    await page.getByTestId("bulk-failures").getByRole("button", { name: "Close" }).click();
    assert.deepEqual(await users(b), ["eve: "]);
    await toast("Assign: 1 of 2 machines failed.");
    await undo();
    await toast("Undone.");
    await until("only the new one is taken back", 5, async () => (await users(b)).length === 0);
    assert.deepEqual(await users(a), ["eve: long ago"]);
    await row("arm64-60").getByText("eve (long ago)").waitFor();
    await row("arm64-61").getByText("eve").waitFor({ state: "detached" });
    await page.getByTestId("bulk-release").click();
    await dialog.locator("#bulk-user").selectOption("eve");
    await dialog.getByTestId("bulk-confirm").click();
    await until("it is taken", 5, async () => (await users(a)).length === 0);
    await undo();
    await until("and given back for its reason", 5, async () => (await users(a)).join() === "eve: long ago");
    assert.deepEqual(await users(b), []);
    await api(page, "PUT", `/machine/${a.id}`, { tags: ["kept"] });
    await row("arm64-60").waitFor();
    await until("the row knows", 5, async () => (await api(page, "GET", `/machine/${a.id}`)).tags.length === 1);
    await page.waitForTimeout(500);
    await page.getByTestId("bulk-tags").click();
    await dialog.locator("#bulk-add").fill("kept, new");
    await dialog.getByTestId("bulk-confirm").click();
    await toast("Tags: done with 2 machines.");
    await undo();
    await until("only what was added is removed", 5, async () => (await tagged("new")).length === 0 && (await tagged("kept")).join() === "arm64-60");
    await page.getByTestId("bulk-clear").click();
  });

  // ------------------------------------------------------------------ curl, links

  await report.check("what bulk dialogs, the console and a new tag would send is copied as curl", async () => {
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
    await open("?search=arm64-6");
    await row("arm64-60").getByTestId("tick").check();
    await page.getByTestId("bulk-reset").click();
    await dialog.getByTestId("as-curl").click();
    await until("it is on the clipboard", 5, async () => (await clipboard()).includes(`{"machines":[${named("arm64-60").id}],"state":"reboot"}`));
    await page.keyboard.press("Escape");
    await page.goto(`${server.url}/machines/${own.id}`);
    await live();
    await page.getByTestId("new-tag").fill("rack 9");
    await page.getByTestId("tags").getByTestId("as-curl").click();
    await until("the tag is", 5, async () => (await clipboard()).includes(`{"machines":[${own.id}],"add":["rack 9"],"remove":[]}`));
    await page.goto(`${server.url}/machines/${own.id}/console`);
    await live();
    await page.getByTestId("curl-menu").click();
    await page.getByRole("button", { name: "Firmware set-up" }).last().click();
    await until("the command is", 5, async () => (await clipboard()).includes('{"state":"bios_reboot"}'));
  });
  await report.check("ML5 a link with a MAC opens the form for a new machine with it, for admins", async () => {
    await open("?addWithMac=52:54:00:aa:bb:cc");
    const form = page.getByTestId("new-machine");
    await until("it is filled in", 10, async () => (await form.locator("#new-macs").inputValue({ timeout: 500 }).catch(() => "")) === "52:54:00:aa:bb:cc");
    await page.waitForURL((url) => url.pathname === "/machines" && url.search === "");
    await page.keyboard.press("Escape");
    await page.getByTestId("add-machine").click();
    await form.locator("#new-macs").waitFor();
    assert.equal(await form.locator("#new-macs").inputValue(), "");
    await page.keyboard.press("Escape");
  });

  // ------------------------------------------------------------------ the console

  await report.check("the console on a telephone held sideways leaves the lines to the terminal; its power commands are a menu", async () => {
    await page.setViewportSize({ width: 740, height: 360 });
    await page.goto(`${server.url}/machines/${own.id}/console`);
    await live();
    await page.locator("[data-testid=console-status][data-line=connected]").waitFor({ timeout: 20_000 });
    const { height } = await page.getByTestId("terminal").boundingBox();
    await browser.screenshot(page, "console-sideways");
    assert.ok(height >= 200, `${height} px`);
    const menu = page.getByTestId("console-power");
    const off = page.getByTestId("power-off");
    assert.equal(await off.isVisible(), false);
    await menu.click();
    await off.waitFor();
    await browser.screenshot(page, "console-sideways-power");
    await page.keyboard.press("Escape");
    await off.waitFor({ state: "hidden" });
    assert.ok(await menu.evaluate((button) => button === document.activeElement));
    await menu.click();
    await page.getByTestId("power-pxe_reboot").click();
    await confirm.getByText("told to boot from its disk").waitFor();
    await confirm.getByRole("button", { name: "Cancel" }).click();
    await page.setViewportSize(DESK);
    await off.waitFor();
    assert.equal(await menu.isVisible(), false);
  });
  await report.check("a break is answered", async () => {
    if ((await page.getByTestId("take-keyboard").count()) > 0) await page.getByTestId("take-keyboard").click();
    await page.getByTestId("send-break").click();
    await toast("Break sent.");
  });
  await report.check("no page complained", () => browser.assertQuiet([/task queue exceeded allotted deadline/]));
}
