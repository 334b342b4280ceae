// What goes wrong in a lab, and what the pages make of it.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { api, eventAppears, follows, logIn } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

/** Files of the data folder by their path, without the database's own. */
function files(server) {
  const names = readdirSync(server.data, { recursive: true, withFileTypes: true });
  return names.filter((entry) => entry.isFile() && !/\.db(-wal|-shm)?$/.test(entry.name)).map((entry) => join(entry.parentPath ?? entry.path, entry.name)).sort();
}

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));

  await report.check("an upload that is cancelled leaves neither an image nor a file", async () => {
    const before = { images: (await api(page, "GET", "/image?show_all=true")).length, files: files(server) };
    const client = await page.context().newCDPSession(page);
    await client.send("Network.enable");
    await client.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 500_000 });
    await page.goto(`${server.url}/images`);
    await page.getByTestId("upload-image").click();
    const panel = page.getByTestId("upload-panel");
    await panel.getByLabel("File").setInputFiles({ name: "vmlinuz-half", mimeType: "application/octet-stream", buffer: Buffer.alloc(20_000_000) });
    await panel.getByLabel("Architecture").selectOption("x86_64");
    await panel.getByTestId("upload-send").click();
    await panel.getByTestId("upload-progress").waitFor();
    await page.waitForTimeout(500);
    await panel.getByTestId("upload-cancel").click();
    await panel.getByTestId("upload-errors").filter({ hasText: /Cancelled/ }).waitFor();
    await client.detach();
    await until("the server has tidied up", 5, () => JSON.stringify(files(server)) === JSON.stringify(before.files));
    assert.equal((await api(page, "GET", "/image?show_all=true")).length, before.images);
  });

  const list = await api(page, "GET", "/machine?show_all=true");
  const machine = list[0];
  await report.check("a wrong BMC password is said at once and becomes an event; the page stays quick", async () => {
    const bmc = (await api(page, "GET", "/bmc")).find(({ id }) => id === machine.bmc_id);
    await page.goto(`${server.url}/machines/${machine.id}`);
    await api(page, "PUT", `/bmc/${bmc.id}`, { name: bmc.name, ip: bmc.ip, port: bmc.port, type: bmc.type, username: bmc.username, password: "wrong" });
    const start = Date.now();
    await page.getByTestId("power-pxe_reboot").click();
    await page.getByTestId("confirm-action").click();
    await page.getByTestId("toasts").filter({ hasText: /failed/ }).waitFor({ timeout: 8_000 });
    assert.ok(Date.now() - start < 6_000, `the answer took ${Date.now() - start} ms`);
    await eventAppears(page, "BMC_ERROR", /./, 5);
    const again = Date.now();
    await page.goto(`${server.url}/machines`);
    assert.ok(Date.now() - again < 2_000, `the list took ${Date.now() - again} ms`);
  });

  await report.check("kill -9 and start again: machines, images and the session are as before", async () => {
    const before = await api(page, "GET", "/image?show_all=true");
    await server.killAndStartAgain();
    browser.takeMessages();
    await page.goto(`${server.url}/machines`);
    await page.getByTestId("machine-row").first().waitFor();
    assert.deepEqual(
      (await api(page, "GET", "/machine?show_all=true")).map(({ id, name, macs }) => ({ id, name, macs })),
      list.map(({ id, name, macs }) => ({ id, name, macs })),
    );
    assert.deepEqual(await api(page, "GET", "/image?show_all=true"), before);
  });
  await report.check("a page that was open reconnects by itself", async () => {
    await follows(page);
    await server.killAndStartAgain();
    await follows(page, { timeout: 20_000 });
    browser.takeMessages();
  });
}
