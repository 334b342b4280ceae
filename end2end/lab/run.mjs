// One real machine of each firmware kind, from a click in the browser to its installer and back to off.
// Runs in a network namespace of its own: cargo xtask lab [bios] [uefi]
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Browser } from "../lib/browser.mjs";
import { api, chooseBoot, createPreseed, eventAppears, logIn, openConsole, openMachine, terminalHolds, terminalShows, uploadImage } from "../lib/pages.mjs";
import { Report, Stopped, until } from "../lib/report.mjs";
import { Server } from "../lib/server.mjs";
import { buildInitrd, KERNEL } from "./initrd.mjs";
import { Machine } from "./machine.mjs";
import { assertOwnNamespace, createNetwork, SERVER, startDhcp } from "./network.mjs";

const LOADERS = { bios: "pxelinux.0", uefi: "grubnetx64.efi.signed" };
const FILES = { bios: "/usr/lib/PXELINUX/pxelinux.0", uefi: "/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed" };
// What the loader itself says first, before anything of ours runs.
const GREETING = { bios: "PXELINUX", uefi: "Welcome to GRUB" };
const PRESEED = "# the lab's answers for {{ hostname }}\nd-i netcfg/get_hostname string {{ hostname }}\n";

const kinds = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(LOADERS);
const unknown = kinds.filter((kind) => !(kind in LOADERS));
if (unknown.length > 0) throw new Error(`unknown firmware ${unknown}: one of ${Object.keys(LOADERS)}`);

const started = performance.now();
const report = new Report();
const folder = mkdtempSync(join(tmpdir(), "mr-provisioner-lab-"));
const machines = kinds.map(
  (firmware, index) =>
    new Machine({ name: `lab-${firmware}`, firmware, mac: `52:54:00:77:00:0${index + 1}`, tap: `tap${index}`, bmc: `127.0.1.${index + 1}`, folder }),
);
let server;
let browser;

try {
  await report.need("the network, DHCP without TFTP, and the BMCs", async () => {
    assertOwnNamespace();
    createNetwork(machines.map(({ tap }) => tap));
    await startDhcp(folder, LOADERS);
    await Promise.all(machines.map((machine) => machine.start()));
  });
  const initrd = join(folder, "initrd.gz");
  await report.need("a RAM disk for Debian's own kernel", () => writeFileSync(initrd, buildInitrd()));
  await report.need("the server starts", async () => {
    const http = `${SERVER}:8080`;
    server = await Server.start({ command: "serve", name: "lab-server", listen: http, args: ["--tftp-listen", `${SERVER}:69`, "--netboot-url", `http://${http}`] });
  });
  browser = await report.need("the browser starts", () => Browser.launch());
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  await report.need("the lab is known: architecture, loaders, BMCs, machines", async () => {
    const { id } = await api(page, "POST", "/arch", { name: "x86_64" });
    for (const { name, firmware, mac, bmc, user, password } of machines) {
      await uploadImage(page, server, { file: FILES[firmware], type: "bootloader", arch: "x86_64", description: `${firmware} loader` });
      const loader = (await api(page, "GET", "/image")).find(({ description }) => description === `${firmware} loader`);
      await api(page, "POST", `/arch/${id}/subarch`, { name: firmware, efiboot: firmware === "uefi", bootloader_id: loader.id });
      const made = await api(page, "POST", "/bmc", { name: `${name}-bmc`, type: "plain", ip: bmc, username: user, password });
      await api(page, "POST", "/machine", { name, arch: "x86_64", subarch: firmware, bmc_id: made.id, macs: [mac] });
    }
  });
  for (const [file, type, description] of [
    [KERNEL, "Kernel", "installer"],
    [initrd, "Initrd", "lab"],
  ]) {
    await report.need(`upload the ${type.toLowerCase()}; its SHA-256 is shown`, async () => {
      const shown = await uploadImage(page, server, { file, type, arch: "x86_64", description });
      const own = createHash("sha256").update(readFileSync(file)).digest("hex");
      if (shown !== own) throw new Error(`the page shows ${shown}, the file has ${own}`);
    });
  }
  await report.need("write a preseed", () => createPreseed(page, server, { name: "lab", content: PRESEED }));
  for (const machine of machines) await boot(machine, page);
  await report.check("no page complained", () => browser.assertQuiet());
} catch (error) {
  if (!(error instanceof Stopped)) await report.check("the lab runs to its end", () => Promise.reject(error));
} finally {
  await browser?.close();
  await server?.stop();
  for (const machine of machines) await machine.stop();
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${((performance.now() - started) / 1000).toFixed(0)} s in all`);
report.close();
// dnsmasq goes with us
process.exit();

async function boot(machine, page) {
  const { name, firmware } = machine;
  const step = (text, action) => report.need(`${firmware}: ${text}`, action);
  let console_;
  try {
    const id = await step("pick the machine in the list", () => openMachine(page, server, name));
    await step("its power is shown as off", () => page.locator("[data-testid=power][data-power=off]").first().waitFor({ timeout: 20_000 }));
    await step("choose kernel, initrd, preseed and options", () =>
      chooseBoot(page, { kernel: "installer", initrd: "lab", preseed: "lab", options: "console=ttyS0,115200" }),
    );
    console_ = await browser.page();
    await step("the console connects", () => openConsole(console_, server, id));

    await step("click Provision", async () => {
      await page.getByTestId("provision").click();
      await page.getByTestId("provision-confirm").click();
      await page.getByTestId("provision-dialog").waitFor({ state: "hidden" });
    });
    await step("boot device set and power on, over IPMI", async () => {
      await until("the machine runs", 20, () => machine.on);
      const [device, power] = [machine.commands.indexOf("boot pxe"), machine.commands.lastIndexOf("power 1")];
      if (device < 0 || power < device) throw new Error(`the BMC was told ${machine.commands}`);
      await eventAppears(page, "BOOT_DEVICE", /pxe/i, 5);
      await eventAppears(page, "POWER_CHANGE", /./, 5);
    });
    await step(`firmware loads ${LOADERS[firmware]} from us`, () => until(GREETING[firmware], 60, () => machine.serial.includes(GREETING[firmware])));
    await step("the events tell of the loader", () => eventAppears(page, "FILE_FETCHED", /Bootloader fetched over TFTP/, 5));
    await step("configuration, kernel and initrd fetched", async () => {
      await eventAppears(page, "TFTP_REQ", /boot from the network/, 20);
      await eventAppears(page, "FILE_FETCHED", /Kernel fetched over TFTP/, 30);
      await eventAppears(page, "FILE_FETCHED", /Initrd fetched over TFTP/, 30);
    });
    await step("the preseed is rendered, as the events tell", () => eventAppears(page, "PRESEED_ACCESS", /rendered for 10\.77\./, 60));
    await step("the machine has it: its own host name, in the terminal", () => terminalShows(console_, `d-i netcfg/get_hostname string ${name}`, 20));
    await step("the kernel's first line is in the terminal", async () => {
      if (!(await terminalHolds(console_, "Linux version"))) throw new Error("no 'Linux version' anywhere in the terminal");
    });
    await step("what is typed arrives, and comes back", async () => {
      await console_.getByTestId("terminal").click();
      await console_.keyboard.type("hello from the browser\n");
      await terminalShows(console_, "LAB heard <hello from the browser>", 15);
    });
    await browser.screenshot(console_, `lab-${firmware}-console`);
    await step("Power off on the console page", async () => {
      await console_.getByTestId("power-off").click();
      await until("the machine is off", 15, () => !machine.on);
      await console_.locator("[data-testid=power][data-power=off]").waitFor({ timeout: 15_000 });
    });
    await browser.screenshot(page, `lab-${firmware}-machine`);
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    // The other firmware kind is worth trying all the same.
    await browser.screenshot(page, `lab-${firmware}-failed`);
    if (console_) await browser.screenshot(console_, `lab-${firmware}-failed-console`);
  } finally {
    await console_?.close();
  }
}
