// The pages as assistive technology reads them: structure, names and states of everything, as kept in end2end/aria.
import { api, follows, logIn } from "../lib/pages.mjs";
import { assertAria } from "../lib/aria.mjs";
import { until } from "../lib/report.mjs";

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  const live = () => follows(page);
  const go = async (path) => {
    await page.goto(`${server.url}${path}`);
    await live();
  };
  await report.check("login", async () => {
    await page.goto(`${server.url}/login`);
    await page.getByRole("button", { name: "Log in" }).waitFor();
    await assertAria(page.locator("body"), "login");
  });
  await report.need("log in", () => logIn(page, server));
  const machines = await api(page, "GET", "/machine?show_all=true");
  const own = machines.find(({ assignees }) => assignees.length > 0);
  await report.need("a machine that is on, with a tag; every BMC has been asked", async () => {
    await api(page, "PUT", `/machine/${own.id}`, { tags: ["10g"] });
    await api(page, "POST", "/user", { username: "ann" });
    await api(page, "POST", "/preseed", { name: "own", type: "preseed", content: "# {{ hostname }}\n", description: "written here" });
    await until("their power is known", 30, async () => (await api(page, "GET", "/machine?show_all=true")).every(({ power }) => power === "on" || power === "off"));
    for (const machine of machines) {
      const wanted = machine.id === own.id ? "on" : "off";
      if ((await api(page, "GET", `/machine/${machine.id}/power`)).state !== wanted) await api(page, "POST", `/machine/${machine.id}/power`, { state: wanted });
    }
    await until("as wanted", 30, async () =>
      (await api(page, "GET", "/machine?show_all=true")).every(({ id, power }) => power === (id === own.id ? "on" : "off")),
    );
  });
  const main = page.locator("main");
  await report.check("the bar above every page", async () => {
    await go("/networks");
    await assertAria(page.locator("header"), "header");
  });
  for (const [name, path] of [
    ["machines", "/machines"],
    ["images", "/images"],
    ["preseeds", "/preseeds"],
    ["preseed", "/preseeds/new"],
    ["networks", "/networks"],
    ["archs", "/archs"],
    ["users", "/users"],
    ["leases", "/leases"],
    ["discovery", "/discovery"],
    ["account", "/account"],
    ["overview", "/overview"],
  ]) {
    await report.check(name, async () => {
      await go(path);
      // the machines that a preseed can be tried with are asked for once the page is there
      if (name === "preseed") await page.locator("#preview-machine option").nth(machines.length).waitFor({ state: "attached" });
      await assertAria(main, name);
    });
  }
  await report.check("machine", async () => {
    await go(`/machines/${own.id}`);
    // what happened to it while the lab was made is another spec's
    await page.getByTestId("event-filters").getByRole("searchbox").fill("nothing like this");
    await page.getByTestId("no-event").waitFor();
    await page.getByTestId("no-event").evaluate((element) => element.firstChild?.remove());
    await assertAria(main, "machine");
  });
  await report.check("console", async () => {
    await go(`/machines/${own.id}/console`);
    await page.locator("[data-testid=console-status][data-line=connected]").waitFor({ timeout: 20_000 });
    await page.getByTestId("console-viewers").waitFor();
    // what the machine says is not ours
    await page.getByTestId("terminal").evaluate((element) => element.remove());
    await assertAria(main, "console");
  });
  await report.check("a dialog", async () => {
    await go("/networks");
    await page.getByTestId("add-network").click();
    await page.locator("dialog[open]").getByLabel("Name").waitFor();
    await assertAria(page.locator("dialog[open]"), "dialog");
  });
}
