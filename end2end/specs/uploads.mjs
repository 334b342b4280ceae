// The panel that uploads: without an architecture, with a file that is none, and where the focus goes.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { api, logIn, visit } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";
import { assertLooks } from "../lib/looks.mjs";

export const options = { command: "serve", args: ["--tftp-listen", "off"] };

const folder = mkdtempSync(join(tmpdir(), "mr-provisioner-uploads-"));

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in to an empty lab", () => logIn(page, server));
  const panel = page.getByTestId("upload-panel");
  const file = panel.getByLabel("File");
  const send = panel.getByTestId("upload-send");
  const focused = (locator) => until("the focus is there", 5, () => locator.evaluate((own) => own === document.activeElement));
  const errors = panel.getByTestId("upload-errors");
  const saved = (name, text) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  await report.check("without an architecture the panel says where to make one; made meanwhile, it is there and chosen", async () => {
    await visit(page, server, "/images");
    await page.getByTestId("upload-image").click();
    assert.equal(await panel.getByRole("link", { name: "Add one first" }).getAttribute("href"), "/archs");
    await assertLooks(browser, page, "upload-no-arch");
    await api(page, "POST", "/arch", { name: "arm64" });
    await until("it is chosen", 5, async () => (await panel.locator("#upload-arch").inputValue()) === "arm64");
    assert.equal(await panel.getByRole("link", { name: "Add one first" }).count(), 0);
    await api(page, "POST", "/arch", { name: "x86_64" });
    await panel.locator("#upload-arch option", { hasText: "x86_64" }).waitFor({ state: "attached" });
    assert.equal(await panel.locator("#upload-arch").inputValue(), "arm64");
  });
  await report.check("the palette leads to it from everywhere, and an address does, once", async () => {
    await visit(page, server, "/overview");
    await page.keyboard.press("Control+k");
    await page.getByTestId("palette-input").fill("upload");
    await page.getByRole("option", { name: "Upload image" }).waitFor();
    await page.keyboard.press("Enter");
    await panel.waitFor();
    await page.waitForURL((url) => url.pathname === "/images" && url.hash === "");
    await panel.getByRole("button", { name: "Close" }).click();
    await panel.waitFor({ state: "detached" });
    await page.goto(`${server.url}/images#upload`);
    await panel.waitFor();
    await page.waitForURL((url) => url.pathname === "/images" && url.hash === "");
  });
  await report.check("an empty file is refused as soon as it is chosen, and is not sent", async () => {
    await file.setInputFiles({ name: "linux", mimeType: "application/octet-stream", buffer: Buffer.alloc(0) });
    await panel.getByTestId("field-error").filter({ hasText: "The file is empty" }).waitFor();
    await send.click();
    await panel.getByTestId("field-error").filter({ hasText: "The file is empty" }).waitFor();
    await focused(file);
    assert.deepEqual(await api(page, "GET", "/image?show_all=true"), []);
  });
  await report.check("cancelled: the focus is on the button that sends", async () => {
    const hold = (route) => (route.request().method() === "POST" ? undefined : route.fallback());
    await page.route("**/api/v1/image*", hold);
    await file.setInputFiles(saved("linux", "x".repeat(100_000)));
    await send.click();
    await panel.getByTestId("upload-cancel").click();
    await errors.getByText("Cancelled").waitFor();
    await focused(send);
    await page.unroute("**/api/v1/image*", hold);
  });
  await report.check("uploaded: the focus goes to the next upload, and from there to its file", async () => {
    await send.click();
    const another = panel.getByTestId("upload-another");
    await another.waitFor();
    await focused(another);
    await page.keyboard.press("Enter");
    await focused(file);
  });
  for (const [what, harm] of [["changed", (path) => utimesSync(path, 1, 1)], ["deleted", (path) => rmSync(path)]]) {
    await report.check(`a file that was ${what} since it was chosen is told as such`, async () => {
      const path = saved(`linux-${what}`, "x".repeat(1000));
      await file.setInputFiles(path);
      harm(path);
      await send.click();
      await errors.getByText("The file was changed or deleted since it was chosen. Choose it again.").waitFor();
      await focused(send);
      browser.assertQuiet([/net::ERR_(UPLOAD_FILE_CHANGED|FILE_NOT_FOUND)/]);
    });
  }
  await report.check("B7: images with the same file name are told apart wherever they are named", async () => {
    await api(page, "POST", "/user", { username: "ann" });
    for (const description of ["Debian 12", ""]) {
      await panel.getByLabel("Description").fill(description);
      await file.setInputFiles({ name: "vmlinuz", mimeType: "application/octet-stream", buffer: Buffer.from(`kernel ${description}`) });
      await send.click();
      await panel.getByTestId("upload-another").click();
    }
    const named = (verb) => page.getByRole("button", { name: new RegExp(`^${verb} image vmlinuz \\(`) }).evaluateAll((all) => all.map((own) => own.getAttribute("aria-label")));
    for (const verb of ["Edit", "Delete", "What uses"]) {
      const labels = await named(verb);
      assert.equal(labels.length, 2, verb);
      assert.match(labels.join("\n"), /vmlinuz \(Debian 12, arm64, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\)/);
      assert.match(labels.join("\n"), /vmlinuz \(arm64, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\)/);
    }
    await page.getByRole("button", { name: /^Delete image vmlinuz \(Debian 12/ }).click();
    await page.locator("dialog[open]").getByText(/delete image vmlinuz \(Debian 12, arm64/).waitFor();
    await page.keyboard.press("Escape");
  });
  await report.check("a file's name with quotes is kept as it is", async () => {
    const name = 'say "hi" 100%.txt';
    await panel.getByLabel("Description").fill("quoted");
    await file.setInputFiles({ name, mimeType: "application/octet-stream", buffer: Buffer.from("quoted") });
    await send.click();
    await panel.getByTestId("upload-done").getByText(`${name} uploaded`).waitFor();
    assert.ok((await api(page, "GET", "/image?show_all=true")).some(({ filename }) => filename === name));
  });
  await report.check("no page complained", () => browser.assertQuiet());
}
