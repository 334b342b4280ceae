// What is typed and not saved is not lost without a question; and what is saved can be undone.
import assert from "node:assert/strict";
import { held } from "../lib/calls.mjs";
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
    ["a tag that is half typed", `/machines/${machine.id}`, "[data-testid=new-tag]"],
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
  await report.check("one's own account: likewise, for each of its fields; not once it is saved", async () => {
    for (const field of ["#own-email", "#own-keys"]) {
      await open("/account");
      await page.locator(field).fill("admin@lab");
      await link("Images").click();
      await stay();
      assert.equal(await page.locator(field).inputValue(), "admin@lab");
    }
    await page.locator("#own-keys").fill("");
    await page.locator("#own-email").fill("admin@lab");
    await page.getByRole("region", { name: "Profile" }).getByRole("button", { name: "Save" }).click();
    await page.getByTestId("toasts").getByText("Account saved.").waitFor();
    await link("Images").click();
    await at("/images");
  });
  await report.check("an upload: what is chosen, and what is on its way, is asked about in words of its own", async () => {
    let go;
    const held = new Promise((resolve) => (go = resolve));
    const uploads = /\/api\/v1\/image(\?|$)/;
    await page.route(uploads, async (route) => {
      if (route.request().method() === "POST") await held;
      // it may have been cancelled
      await route.continue().catch(() => {});
    });
    const asked = [];
    const answer = (dialog) => {
      asked.push(dialog.type());
      return dialog.accept();
    };
    page.on("dialog", answer);
    const choose = async () => {
      await open("/images");
      await page.getByTestId("upload-image").click();
      const file = { name: "vmlinuz-held", mimeType: "application/octet-stream", buffer: Buffer.alloc(2000) };
      await page.getByTestId("upload-panel").getByLabel("File").setInputFiles(file);
    };
    await choose();
    await link("Machines").click();
    await question.getByText("The image is not uploaded yet").waitFor();
    await stay();
    await page.getByTestId("upload-send").click();
    await page.getByTestId("upload-progress").waitFor();
    await link("Machines").click();
    await question.getByText("The upload is not finished: leaving this page cancels it").waitFor();
    await stay();
    assert.equal(new URL(page.url()).pathname, "/images");
    await page.getByTestId("upload-progress").waitFor();
    await page.reload();
    assert.deepEqual(asked, ["beforeunload"]);
    page.off("dialog", answer);
    await choose();
    await page.getByTestId("upload-send").click();
    await link("Machines").click();
    await question.waitFor();
    await leave();
    await at("/machines");
    go();
    await page.unroute(uploads);
    assert.ok(!(await api(page, "GET", "/image?show_all=true")).some(({ filename }) => filename === "vmlinuz-held"));
    // one that is finished is left without a question
    await choose();
    await page.getByTestId("upload-send").click();
    await page.getByTestId("upload-sha256").waitFor();
    await link("Machines").click();
    await at("/machines");
  });
  await report.check("an upload that ends behind the question closes it: the user stays, and may go then", async () => {
    await open("/images");
    const call = await held(page, "POST", /\/api\/v1\/image(\?|$)/);
    await page.getByTestId("upload-image").click();
    const file = { name: "vmlinuz-behind", mimeType: "application/octet-stream", buffer: Buffer.from("ends behind the question") };
    await page.getByTestId("upload-panel").getByLabel("File").setInputFiles(file);
    await page.getByTestId("upload-send").click();
    await until("the call", 5, () => call.seen() === 1);
    await link("Machines").click();
    await question.getByText("The upload is not finished").waitFor();
    await call.release();
    await question.waitFor({ state: "hidden" });
    await page.getByTestId("upload-done").getByText("vmlinuz-behind uploaded").waitFor();
    assert.equal(new URL(page.url()).pathname, "/images");
    await link("Machines").click();
    await at("/machines");
  });
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
