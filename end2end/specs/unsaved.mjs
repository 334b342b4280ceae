// What is typed and not saved is not lost without a question; and what is saved can be undone.
import assert from "node:assert/strict";
import { api, follows, logIn } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  const [machine] = await api(page, "GET", "/machine?show_all=true");
  const preseed = await api(page, "POST", "/preseed", { name: "kept", type: "preseed", content: "first\n" });
  const at = (path) => page.waitForURL((url) => url.pathname === path);
  const question = page.getByRole("dialog", { name: "Leave without saving?" });
  const stay = async () => {
    await question.waitFor();
    await question.getByRole("button", { name: "Cancel" }).click();
    await question.waitFor({ state: "hidden" });
  };
  const leave = () => question.getByRole("button", { name: "Leave" }).click();
  const open = async (path) => {
    await page.goto(`${server.url}${path}`);
    await follows(page);
  };
  const link = (name) => page.locator("header").getByRole("link", { name, exact: true });

  for (const [what, path, field] of [
    ["a preseed", `/preseeds/${preseed.id}`, "#preseed-content"],
    ["a new preseed", "/preseeds/new", "#preseed-content"],
    ["a machine's settings", `/machines/${machine.id}`, "#kernel-opts"],
  ]) {
    await report.check(`${what}: who follows a link is asked, stays with what was typed, or leaves`, async () => {
      await open(path);
      await page.locator(field).fill("typed=1");
      await link("Images").click();
      await stay();
      assert.equal(new URL(page.url()).pathname, path);
      assert.equal(await page.locator(field).inputValue(), "typed=1");
      await link("Images").click();
      await question.waitFor();
      await leave();
      await at("/images");
    });
  }
  await report.check("what is not changed is left without a question", async () => {
    await open(`/machines/${machine.id}`);
    await page.locator("#kernel-opts").fill("typed=1");
    await page.getByRole("button", { name: "Discard changes" }).click();
    await link("Images").click();
    await at("/images");
  });
  await report.check("Back is asked about, too, and leads where it would have led", async () => {
    await open("/images");
    await link("Machines").click();
    await at("/machines");
    await open(`/preseeds/${preseed.id}`);
    await link("Preseeds").click();
    await at("/preseeds");
    await page.getByRole("link", { name: "kept", exact: true }).click();
    await at(`/preseeds/${preseed.id}`);
    await page.locator("#preseed-content").fill("typed\n");
    await page.evaluate(() => history.back());
    await stay();
    assert.equal(new URL(page.url()).pathname, `/preseeds/${preseed.id}`);
    assert.equal(await page.locator("#preseed-content").inputValue(), "typed\n");
    await page.evaluate(() => history.back());
    await question.waitFor();
    await leave();
    await at("/preseeds");
    await page.getByRole("heading", { name: "Preseeds", level: 1 }).waitFor();
  });
  await report.check("the palette asks as well", async () => {
    await open(`/preseeds/${preseed.id}`);
    await page.locator("#preseed-content").fill("typed\n");
    await page.keyboard.press("Control+k");
    const palette = page.getByTestId("palette");
    await palette.getByTestId("palette-input").fill("Leases");
    await palette.getByRole("option", { name: "Leases" }).waitFor();
    await page.keyboard.press("Enter");
    await stay();
    assert.equal(await page.locator("#preseed-content").inputValue(), "typed\n");
  });
  await report.check("before the page is loaded anew the browser asks; not once it is saved", async () => {
    const asked = [];
    const answer = (dialog) => {
      asked.push(dialog.type());
      return dialog.accept();
    };
    page.on("dialog", answer);
    await page.locator("#preseed-content").fill("second\n");
    await page.reload();
    assert.deepEqual(asked, ["beforeunload"]);
    await follows(page);
    await page.locator("#preseed-content").fill("second\n");
    await page.getByTestId("save-preseed").click();
    await page.getByTestId("toasts").getByText("Preseed kept saved.").waitFor();
    await page.reload();
    assert.deepEqual(asked, ["beforeunload"]);
    page.off("dialog", answer);
  });
  await report.check("a saved preseed is undone, also after its page was left", async () => {
    const content = async () => (await api(page, "GET", `/preseed/${preseed.id}`)).content;
    const saved = page.getByTestId("toasts").locator("[data-toast]").filter({ hasText: "Preseed kept saved." });
    await follows(page);
    assert.equal(await content(), "second\n");
    await page.locator("#preseed-content").fill("third\n");
    await page.getByTestId("save-preseed").click();
    await saved.getByRole("button", { name: "Undo" }).click();
    await until("as before", 5, async () => (await page.locator("#preseed-content").inputValue()) === "second\n");
    assert.equal(await content(), "second\n");
    await page.locator("#preseed-content").fill("fourth\n");
    await page.getByTestId("save-preseed").click();
    await saved.waitFor();
    await link("Images").click();
    await at("/images");
    await saved.getByRole("button", { name: "Undo" }).click();
    await until("as before", 5, async () => (await content()) === "second\n");
  });
  await report.check("no page complained", () => browser.assertQuiet());
}
