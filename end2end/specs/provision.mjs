// What the demo lab promises: from logging in to a machine that has installed itself, without a reload.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chooseBoot, createPreseed, eventAppears, follows, logIn, openConsole, openMachine, shownEvents, terminalHolds, terminalShows, uploadImage } from "../lib/pages.mjs";

const MACHINE = "x86-uefi-1";

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in with the printed password", () => logIn(page, server));
  await report.check("at least four machines, their power known and live", async () => {
    await follows(page);
    assert.ok((await page.getByTestId("machine-row").count()) >= 4);
    await page.locator("[data-testid=machine-row] [data-power=off], [data-testid=machine-row] [data-power=on]").first().waitFor();
  });
  await report.check("nothing that the server had rendered is loaded again, and the wasm once", () => {
    assert.equal(browser.requests.filter((path) => path === "/api/v1/machine").length, 0);
    const wasm = (name) => browser.requests.filter((path) => path.startsWith(`/assets/${name}-`) && path.endsWith(".wasm")).length;
    // the login page before it had its own
    assert.deepEqual([wasm("app_bg"), wasm("part_login")], [2, 1]);
    assert.ok(!browser.requests.some((path) => path.includes("xterm")), "xterm is loaded though no console was opened");
  });

  const kernel = Buffer.alloc(3_000_000, "kernel ");
  await report.check("upload a kernel and an initrd; the SHA-256 shown is the file's", async () => {
    for (const [name, type, buffer] of [
      ["vmlinuz-e2e", "Kernel", kernel],
      ["initrd-e2e.gz", "Initrd", Buffer.alloc(9_000_000, "initrd ")],
    ]) {
      const file = { name, mimeType: "application/octet-stream", buffer };
      const shown = await uploadImage(page, server, { file, type, arch: "x86_64", description: `e2e ${type}` });
      assert.equal(shown, createHash("sha256").update(buffer).digest("hex"));
    }
  });
  await report.check("write a preseed", () =>
    createPreseed(page, server, { name: "e2e", content: "# e2e for {{ hostname }}\nd-i netcfg/get_hostname string {{ hostname }}\n" }),
  );

  const machine = await report.need("open a machine from the list", () => openMachine(page, server, MACHINE));
  await report.need("choose kernel, initrd, preseed and options, and save", async () => {
    await chooseBoot(page, { kernel: "e2e Kernel", initrd: "e2e Initrd", preseed: "e2e", options: "console=ttyS0,115200 e2e=1" });
    await page.getByTestId("save-provisioning").click();
    await page.getByText("Settings saved.").waitFor();
  });
  const terminal = await browser.page();
  await report.need("the console connects", () => openConsole(terminal, server, machine));
  await report.need("Provision", async () => {
    await page.evaluate(() => (window.stillHere = true));
    await page.getByTestId("provision").click();
    await page.getByTestId("provision-confirm").click();
    await page.getByTestId("provision-dialog").waitFor({ state: "hidden" });
  });
  for (const [kind, words] of [
    ["BOOT_DEVICE", /pxe/],
    ["POWER_CHANGE", /boot from the network/],
    ["FILE_FETCHED", /Bootloader fetched over TFTP/],
    ["TFTP_REQ", /boot from the network/],
    ["FILE_FETCHED", /Kernel fetched over TFTP.*3\.00? MB in/],
    ["FILE_FETCHED", /Initrd fetched over TFTP.*9\.00? MB in/],
    ["PRESEED_ACCESS", /rendered for 127\./],
  ]) {
    await report.check(`event appears: ${kind} ${words.source}`, () => eventAppears(page, kind, words, 20));
  }
  await report.check("all of it without a reload", async () => {
    assert.equal(await page.evaluate(() => window.stillHere), true);
    assert.ok(!(await shownEvents(page)).some(({ kind }) => ["BMC_ERROR", "PRESEED_ERROR", "FETCH_FAILED"].includes(kind)));
  });
  await report.check("the terminal shows the kernel, its options and the rendered preseed", async () => {
    await terminalShows(terminal, `d-i netcfg/get_hostname string ${MACHINE}`, 10);
    assert.ok(await terminalHolds(terminal, "Linux version"));
    assert.ok(await terminalHolds(terminal, "e2e=1"));
  });
  await report.check("the installed system asks for a login, and hears what is typed", async () => {
    await terminalShows(terminal, `${MACHINE} login:`, 60);
    await terminal.getByTestId("terminal").click();
    await terminal.keyboard.type("root\n");
    await terminalShows(terminal, "Password:", 5);
    await terminal.keyboard.type("x\n");
    await terminalShows(terminal, `root@${MACHINE}`, 5);
    await terminal.keyboard.type("echo typed in the browser é€\n");
    await terminalShows(terminal, "\ntyped in the browser é€", 5);
  });
  await browser.screenshot(terminal, "e2e-console");
  await report.check("Power off, on and PXE boot on the console page", async () => {
    const badge = (state) => terminal.locator(`[data-testid=power][data-power=${state}]`).waitFor({ timeout: 15_000 });
    await terminal.getByTestId("power-off").click();
    await badge("off");
    await terminal.getByTestId("power-on").click();
    await badge("on");
    await terminal.getByTestId("power-pxe_reboot").click();
    await terminalShows(terminal, "Retrieving http", 30);
  });
  await report.check("the WebGL renderer draws without a complaint", async () => {
    await terminal.goto(`${server.url}/machines/${machine}/console`);
    await terminal.locator("[data-testid=console-status][data-line=connected]").waitFor();
    assert.ok((await terminal.getByTestId("terminal").locator("canvas").count()) > 0, "no canvas");
    await terminal.waitForTimeout(500);
  });
  await report.check("leaving the console within the application is silent", async () => {
    await terminal.getByRole("link", { name: "Machines" }).first().click();
    await terminal.getByTestId("machine-row").first().waitFor();
    await terminal.waitForTimeout(300);
    browser.assertQuiet();
  });
  await browser.screenshot(page, "e2e-machine");
}
