// The command palette: what stands first, what it leaves out, and what it does with the machine that is shown.
import assert from "node:assert/strict";
import { assertAccessible } from "../lib/axe.mjs";
import { held } from "../lib/calls.mjs";
import { api, logIn, visit } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

export const options = { args: ["--machines", "30"] };

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  const machines = await api(page, "GET", "/machine?show_all=true");
  const own = machines.find(({ bmc_id: bmc }) => bmc !== null);
  const palette = page.getByTestId("palette");
  const offered = () => palette.getByRole("option").locator("span:first-of-type").allTextContents();
  const type = async (words) => {
    await page.getByTestId("palette-button").click();
    await palette.getByTestId("palette-input").fill(words);
  };
  const leave = async () => {
    await page.keyboard.press("Escape");
    await palette.waitFor({ state: "hidden" });
  };

  await report.check("names that begin with the word stand before tags, however many have the tag", async () => {
    for (let number = 1; number <= 9; number += 1) {
      const { id } = await api(page, "POST", "/machine", { name: `aaa-${number}`, arch: own.arch });
      await api(page, "PUT", `/machine/${id}`, { tags: ["zeta"] });
    }
    await api(page, "POST", "/machine", { name: "zeta-1", arch: own.arch });
    await visit(page, server, "/leases");
    for (const words of ["zeta", "ZETA"]) {
      await type(words);
      await until("it is first", 5, async () => (await offered())[0] === "zeta-1");
      assert.deepEqual((await offered()).slice(1, 8), [1, 2, 3, 4, 5, 6, 7].map((number) => `aaa-${number}`));
      await leave();
    }
  });
  await report.check("more than there is room for are counted, and lead to the list", async () => {
    await type("zeta");
    await palette.getByRole("option", { name: "… and 2 more in the list of machines" }).waitFor();
    await assertAccessible(page);
    for (let press = 0; press < 8; press += 1) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => url.pathname === "/machines" && url.searchParams.get("search") === "zeta");
    await page.getByTestId("machine-count").filter({ hasText: "of 10 machines" }).waitFor();
    await type("zeta-1");
    await palette.getByRole("option", { name: "zeta-1" }).waitFor();
    assert.equal(await palette.getByRole("option", { name: /^…/ }).count(), 0);
    await leave();
  });
  const question = page.getByTestId("provision-dialog");
  const provisions = async () => {
    await type("provision");
    await palette.getByRole("option", { name: `Provision ${own.name}` }).waitFor();
    await until("it is first", 5, async () => (await offered())[0] === "Provision");
    await page.keyboard.press("Enter");
    await question.getByTestId("provision-confirm").waitFor();
    assert.equal(new URL(page.url()).pathname, `/machines/${own.id}`);
  };
  await report.check("on a machine's page it asks about provisioning it, with what is typed there", async () => {
    await visit(page, server, `/machines/${own.id}?faults=1`);
    await page.locator("#kernel-opts").fill("typed=1");
    await provisions();
    await question.getByText("typed=1").waitFor();
    assert.equal(new URL(page.url()).search, "?faults=1");
    await page.keyboard.press("Escape");
    await question.waitFor({ state: "hidden" });
    await page.getByRole("button", { name: "Discard changes" }).click();
  });
  await report.check("from its console, too, and once", async () => {
    await page.getByTestId("open-console").click();
    await page.waitForURL(/\/console$/);
    const line = page.locator("[data-testid=console-status][data-line=connected]");
    await line.waitFor({ timeout: 20_000 });
    await provisions();
    await page.keyboard.press("Escape");
    await page.goBack();
    await page.waitForURL(/\/console$/);
    await line.waitFor({ timeout: 20_000 });
    await page.goForward();
    await page.getByTestId("provision").waitFor();
    await page.waitForTimeout(300);
    assert.equal(await question.isVisible(), false);
  });
  await report.check("that nothing fits is said once it is known", async () => {
    await visit(page, server, "/leases");
    const asked = await held(page, "GET", /\/api\/v1\/machine\?/);
    await type("zeta-1");
    await until("it asks", 5, () => asked.seen() > 0);
    await page.waitForTimeout(300);
    assert.equal((await palette.getByTestId("palette-count").textContent()).trim(), "");
    await asked.release();
    await palette.getByRole("option", { name: "zeta-1" }).waitFor();
    await palette.getByTestId("palette-input").fill("no such thing");
    await palette.getByTestId("palette-count").filter({ hasText: "Nothing fits." }).waitFor();
    await leave();
  });
  await report.check("elsewhere there is nothing to provision", async () => {
    await visit(page, server, "/machines");
    await type("provision");
    await page.waitForTimeout(400);
    assert.ok(!(await offered()).includes("Provision"));
  });
  await report.check("no page complained", () => browser.assertQuiet());
}
