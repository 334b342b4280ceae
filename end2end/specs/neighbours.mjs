// From one thing to another of its kind: the page is the same, and shows the other.
import assert from "node:assert/strict";
import { assertAccessible } from "../lib/axe.mjs";
import { api, follows, logIn } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  const [first, second] = (await api(page, "GET", "/machine?show_all=true")).filter(({ bmc_id: bmc }) => bmc);
  const live = () => follows(page);
  const titled = (text) => until(`the title is ${text}`, 5, async () => (await page.title()) === `${text} · mr-provisioner`);
  const shown = async (machine) => {
    await page.getByTestId("machine-name").filter({ hasText: machine.name }).waitFor();
    await titled(machine.name);
  };
  const choose = async (words, name) => {
    await page.keyboard.press("Control+k");
    const palette = page.locator("dialog[open]");
    await palette.getByRole("combobox").fill(words);
    await palette.getByRole("option", { name }).first().click();
  };

  await report.check("MP1: from one machine to another, as often as one likes, and back", async () => {
    await page.goto(`${server.url}/machines/${first.id}`);
    await shown(first);
    await live();
    await page.evaluate(() => (window.stillHere = true));
    for (const machine of [second, first, second]) {
      await choose(machine.name, machine.name);
      await page.waitForURL(new RegExp(`/machines/${machine.id}$`));
      await shown(machine);
    }
    for (const machine of [first, second, first]) {
      await page.goBack();
      await shown(machine);
    }
    await page.goForward();
    await shown(second);
    browser.assertQuiet();
  });
  await report.check("what is changed there is the machine that is shown, and its title follows its name", async () => {
    await page.getByLabel("Netboot", { exact: true }).click();
    await until("netboot of the second is switched", 5, async () => {
      const now = await api(page, "GET", `/machine/${second.id}`);
      return now.netboot_enabled !== second.netboot_enabled;
    });
    assert.equal((await api(page, "GET", `/machine/${first.id}`)).netboot_enabled, first.netboot_enabled);
    await api(page, "PUT", `/machine/${second.id}`, { name: "renamed" });
    await shown({ name: "renamed" });
    await api(page, "PUT", `/machine/${second.id}`, { name: second.name });
    await shown(second);
    // that of the machine before is of no concern any more
    await api(page, "PUT", `/machine/${first.id}`, { name: "elsewhere" });
    await page.waitForTimeout(500);
    await titled(second.name);
    await api(page, "PUT", `/machine/${first.id}`, { name: first.name });
  });
  await report.check("CO1: and from console to console", async () => {
    await page.getByTestId("open-console").click();
    await titled(`Console of ${second.name}`);
    await page.locator("[data-testid=console-status][data-line=connected]").waitFor({ timeout: 20_000 });
    await page.goBack();
    await shown(second);
    browser.assertQuiet();
  });
  await report.check("P1: from preseed to preseed", async () => {
    const [one] = await api(page, "GET", "/preseed?show_all=true");
    const other = await api(page, "POST", "/preseed", { name: "another", type: "preseed", content: "another text" });
    await page.evaluate((path) => {
      const link = Object.assign(document.createElement("a"), { href: path, textContent: "another" });
      document.querySelector("main").append(link);
      link.click();
    }, `/preseeds/${one.id}`);
    await titled(one.name);
    await page.evaluate((path) => {
      const link = Object.assign(document.createElement("a"), { href: path, textContent: "another" });
      document.querySelector("main").append(link);
      link.click();
    }, `/preseeds/${other.id}`);
    await titled("another");
    assert.equal(await page.locator("#preseed-content").inputValue(), "another text");
    assert.equal(await page.evaluate(() => window.stillHere), true);
    browser.assertQuiet();
  });
  await report.check("the page one is at can be read in the menus, too", async () => {
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.goto(`${server.url}/bmcs`);
      await live();
      await page.getByTestId("admin-menu").click();
      await page.locator("[aria-current=page]", { hasText: "BMCs" }).first().waitFor();
      await assertAccessible(page, "header");
      await page.setViewportSize({ width: 360, height: 740 });
      await page.getByLabel("Menu", { exact: true }).click();
      await assertAccessible(page, "header");
      await page.setViewportSize({ width: 1280, height: 800 });
    }
  });
  await report.check("a session that was ended elsewhere is told at once", async () => {
    await page.goto(`${server.url}/machines/${first.id}`);
    await live();
    const sessions = await api(page, "GET", "/self/session");
    // the application of this page knows nothing of it
    await api(page, "DELETE", `/self/session/${sessions.find(({ current }) => current).id}`);
    await page.getByTestId("relogin").getByLabel("Password").waitFor({ timeout: 3_000 });
  });
}
