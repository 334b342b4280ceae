// An admin makes everything that a machine needs, by hand, on the pages for it.
import assert from "node:assert/strict";
import { addMachine, api, logIn } from "../lib/pages.mjs";

export const options = { command: "serve", args: ["--tftp-listen", "off"] };

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  /** Opens the form behind a page's button, fills it by ids and saves. */
  const make = async (path, button, fields) => {
    await page.goto(`${server.url}${path}`);
    await page.getByTestId(button).click();
    const dialog = page.locator("dialog[open]");
    for (const [field, value] of Object.entries(fields)) await dialog.locator(`#${field}`).fill(value);
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "hidden" });
  };
  await report.need("log in to an empty lab", async () => {
    await logIn(page, server);
    await page.getByText("No machines yet").waitFor();
  });
  await report.check("an architecture", () => make("/archs", "add-arch", { "arch-name": "riscv64" }));
  await report.check("a BMC", () => make("/bmcs", "add-bmc", { "bmc-name": "shelf-1", "bmc-ip": "127.0.0.9", "bmc-username": "lab", "bmc-password": "s3cret-s3cret" }));
  await report.check("the BMC's password is shown nowhere", async () => {
    await page.goto(`${server.url}/bmcs`);
    assert.ok(!(await page.content()).includes("s3cret-s3cret"));
    assert.ok(!JSON.stringify(await api(page, "GET", "/bmc")).includes("s3cret-s3cret"));
  });
  await report.check("a machine", async () => {
    const { id } = (await api(page, "GET", "/arch"))[0];
    await api(page, "POST", `/arch/${id}/subarch`, { name: "uefi", efiboot: true });
    await addMachine(page, server, { name: "board-1", arch: "riscv64", subarch: "uefi", bmc: "shelf-1 (127.0.0.9)", mac: "52:54:00:00:00:01" });
  });
  await report.check("a MAC address that is none is refused where it was typed", async () => {
    await page.goto(`${server.url}/machines`);
    await page.getByTestId("add-machine").click();
    const dialog = page.getByTestId("new-machine");
    await dialog.locator("#new-name").fill("board-2");
    await dialog.locator("#new-macs").fill("52:54:00:00:00");
    await dialog.getByRole("button", { name: "Add machine" }).click();
    await dialog.locator("[data-field-note=new-macs]").filter({ hasText: /MAC/ }).waitFor();
  });
  await report.check("no page complained", () => browser.assertQuiet());
}
