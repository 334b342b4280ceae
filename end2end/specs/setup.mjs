// A new administrator with an empty database sets up a lab, and a new user installs a machine in it: only on the pages.
// Calls of the API here only read, to see whether what the pages say is so.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Browser } from "../lib/browser.mjs";
import { Child } from "../lib/child.mjs";
import { addMachine, api, chooseBoot, createPreseed, eventAppears, follows, logIn, openConsole, openMachine, terminalHolds, terminalShows, uploadImage } from "../lib/pages.mjs";
import { freeUdpPort } from "../lib/server.mjs";

const tftp = `127.0.0.1:${await freeUdpPort()}`;
export const options = { command: "serve", args: ["--tftp-listen", tftp] };

const MAC = "52:54:00:5e:70:01";
const BMC = { user: "lab", password: "s3cret-s3cret", port: await freeUdpPort() };

/** A simulated machine as it would stand on the desk: its DHCP server names this loader. */
async function plugIn(server, loader) {
  const file = join(server.data, "bmc-sim.toml");
  const http = new URL(server.url).host;
  writeFileSync(
    file,
    `[[machines]]\nname = "desk"\nbmc_addr = "127.0.0.1:${BMC.port}"\nusers = [{ name = "${BMC.user}", password = "${BMC.password}" }]\n` +
      `mac = "${MAC}"\nfirmware = "uefi-x64"\ntftp = "${tftp}"\nhttp = "${http}"\naddress = "127.79.0.1"\nloader = "${loader}"\n`,
  );
  return new Child("setup-bmc-sim", process.env.SIMULATOR_UNDER_TEST, ["--config", file]);
}

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  /** Opens the form behind a button of the page that is shown, fills it by its labels and saves. */
  const make = async (button, fill, label = "Save") => {
    await button.click();
    const dialog = page.locator("dialog[open]");
    await fill(dialog);
    await dialog.getByRole("button", { name: label, exact: true }).click();
    await dialog.waitFor({ state: "hidden" });
  };
  const go = async (path) => {
    await page.goto(`${server.url}${path}`);
    await follows(page);
  };

  await report.need("log in with the password that the first start printed; the empty lab says so", async () => {
    await logIn(page, server);
    await page.getByText("No machines yet").waitFor();
  });
  await report.need("AR2: an architecture", async () => {
    await go("/archs");
    await page.getByText("No architectures yet").waitFor();
    await make(page.getByTestId("add-arch"), (dialog) => dialog.getByLabel("Name").fill("x86_64"));
    await page.locator("[data-testid=arch][data-arch=x86_64]").waitFor();
  });
  await report.need("I3: the bootloader is uploaded", () =>
    uploadImage(page, server, { file: { name: "grubnetx64.efi", mimeType: "application/octet-stream", buffer: Buffer.alloc(500_000, "loader ") }, type: "bootloader", arch: "x86_64", description: "Loader of the lab" }),
  );
  await report.need("AR3: a subarchitecture with it", async () => {
    await go("/archs");
    await make(page.getByRole("button", { name: "Add subarchitecture" }), async (dialog) => {
      await dialog.getByLabel("Name").fill("uefi");
      const loader = dialog.getByLabel("Bootloader");
      await loader.selectOption(await loader.locator("option").filter({ hasText: "grubnetx64.efi" }).first().getAttribute("value"));
      await dialog.getByLabel("UEFI").check();
    });
    await page.locator("[data-testid=arch] tbody tr").filter({ hasText: "grubnetx64.efi" }).waitFor();
  });
  await report.need("N2: a network with a static pool", async () => {
    await go("/networks");
    await make(page.getByTestId("add-network"), async (dialog) => {
      await dialog.getByLabel("Name").fill("desk");
      await dialog.locator("#network-subnet").fill("10.79.0.0/24");
      await dialog.locator("#network-static").fill("10.79.0.128/25");
    });
    await page.getByTestId("networks").getByText("10.79.0.0/24").waitFor();
  });

  const [{ subarchs }] = await api(page, "GET", "/arch");
  const simulator = await report.need("the machine is plugged in", () => plugIn(server, subarchs[0].bootloader));
  const desk = await Browser.launch();
  try {
    await report.need("BM3: its BMC, whose state is known at once", async () => {
      await go("/bmcs");
      await make(page.getByTestId("add-bmc"), async (dialog) => {
        await dialog.getByLabel("Name", { exact: true }).fill("desk-bmc");
        await dialog.getByLabel("IP address").fill("127.0.0.1");
        await dialog.getByLabel("UDP port").fill(String(BMC.port));
        await dialog.getByLabel("User name").fill(BMC.user);
        await dialog.getByLabel("Password").fill(BMC.password);
      });
      await page.getByTestId("bmcs").getByText("desk-bmc").waitFor();
    });
    const machine = await report.need("MN1: the machine, with its MAC address", () =>
      addMachine(page, server, { name: "desk-1", arch: "x86_64", subarch: "uefi", bmc: `desk-bmc (127.0.0.1:${BMC.port})`, mac: MAC }),
    );
    await report.check("its power is asked for and shown", () => page.locator("[data-testid=power][data-power=off]").first().waitFor({ timeout: 20_000 }));
    await report.check("MP9: its interface gets the network and the first free static address", async () => {
      await make(page.getByTestId("interfaces").getByRole("button", { name: /^Edit/ }), async (dialog) => {
        await dialog.getByLabel("Identifier").fill("eth0");
        await dialog.getByLabel("Network").selectOption({ label: "desk (10.79.0.0/24)" });
        await dialog.getByLabel("IPv4 address").selectOption("static");
        await dialog.getByLabel("Address", { exact: true }).fill("auto");
      });
      await page.getByTestId("interfaces").getByText(/10\.79\.0\.\d+ \(static\)/).waitFor();
    });
    const password = await report.need("U2: a user, whose password is shown once", async () => {
      await go("/users");
      await page.getByTestId("add-user").click();
      await page.locator("dialog[open]").getByLabel("User name").fill("nina");
      await page.locator("dialog[open]").getByRole("button", { name: "Add user" }).click();
      return page.getByTestId("generated-password").textContent();
    });
    await report.need("MP12: the machine is assigned to the user", async () => {
      await openMachine(page, server, "desk-1");
      await follows(page);
      await make(page.getByTestId("add-assignee"), async (dialog) => {
        await dialog.getByLabel("User").selectOption("nina");
        await dialog.getByLabel("Reason").fill("first install");
      }, "Assign");
      await page.getByTestId("assignees").getByText("nina").waitFor();
    });

    const own = await desk.page();
    await report.need("the user logs in and finds the machine", async () => {
      await logIn(own, server, { username: "nina", password });
      await own.getByTestId("machine-row").filter({ hasText: "desk-1" }).waitFor();
    });
    await report.need("I3, P3: kernel, initrd and preseed", async () => {
      for (const [name, type, size] of [["vmlinuz", "Kernel", 2_000_000], ["initrd.gz", "Initrd", 4_000_000]]) {
        await uploadImage(own, server, { file: { name, mimeType: "application/octet-stream", buffer: Buffer.alloc(size, type) }, type, arch: "x86_64", description: `nina's ${type}` });
      }
      await createPreseed(own, server, { name: "nina", content: "# for {{ hostname }} at {{ interfaces[0].static_ipv4 }}\nd-i netcfg/get_hostname string {{ hostname }}\n" });
    });
    await report.need("MP5: they are chosen for the machine; a machine with everything warns of nothing", async () => {
      await openMachine(own, server, "desk-1");
      assert.ok((await own.getByTestId("warnings").getByRole("listitem").count()) > 0, "a machine without a kernel warns of nothing");
      await chooseBoot(own, { kernel: "nina's Kernel", initrd: "nina's Initrd", preseed: "nina", options: "console=ttyS0,115200" });
      assert.equal(await own.getByTestId("warnings").getByRole("listitem").count(), 0);
      await own.getByTestId("save-provisioning").click();
      await own.getByText("Settings saved.").waitFor();
    });
    const terminal = await desk.page();
    await report.need("C1: the console connects", () => openConsole(terminal, server, machine));
    await report.need("MP13: Provision", async () => {
      await own.getByTestId("provision").click();
      await own.getByTestId("provision-confirm").click();
      await own.getByTestId("provision-dialog").waitFor({ state: "hidden" });
    });
    for (const [kind, words] of [
      ["FILE_FETCHED", /Bootloader fetched over TFTP/],
      ["FILE_FETCHED", /Kernel fetched over TFTP/],
      ["FILE_FETCHED", /Initrd fetched over TFTP/],
      ["PRESEED_ACCESS", /rendered for 127\.79\.0\.1/],
    ]) {
      await report.check(`event appears: ${kind} ${words.source}`, () => eventAppears(own, kind, words, 30));
    }
    await report.check("the installer runs on the console, with the rendered preseed, and the installed system asks for a login", async () => {
      await terminalShows(terminal, "desk-1 login:", 60);
      assert.ok(await terminalHolds(terminal, "Linux version"));
      assert.ok(await terminalHolds(terminal, "# for desk-1 at 10.79.0."));
    });
    await report.check("what the pages showed is what the API says", async () => {
      const found = await api(own, "GET", `/machine/${machine}`);
      assert.deepEqual([found.name, found.subarch, found.bmc, found.macs, found.assignees.map(({ user }) => user)], ["desk-1", "uefi", "desk-bmc", [MAC], ["nina"]]);
      assert.ok(found.kernel_id && found.initrd_id && found.preseed_id);
    });
    await report.check("no page complained", () => {
      browser.assertQuiet();
      desk.assertQuiet();
    });
  } finally {
    await desk.close();
    await simulator.stop();
  }
}
