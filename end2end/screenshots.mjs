// The pictures of the README, of a demo lab at work: node end2end/screenshots.mjs (by cargo xtask screenshots)
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Browser } from "./lib/browser.mjs";
import { api, follows, logIn, openConsole, terminalShows } from "./lib/pages.mjs";
import { Report, Stopped, until } from "./lib/report.mjs";
import { Server } from "./lib/server.mjs";

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), "..", "docs", "screenshots");
/** They are in the repository for ever. */
const LIMIT = 200_000;

const report = new Report();
let server;
let browser;

async function picture(page, name) {
  // without what blinks, spins or is about to go
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.locator("[data-toast]").first().waitFor({ state: "detached", timeout: 20_000 });
  const path = join(FOLDER, `${name}.png`);
  await page.screenshot({ path, animations: "disabled", caret: "hide" });
  const { size } = statSync(path);
  assert.ok(size < LIMIT, `${name}.png has ${size} bytes`);
}

try {
  server = await report.need("the demo lab", () => Server.start({ name: "screenshots", args: ["--machines", "12"] }));
  browser = await report.need("the browser", () => Browser.launch({ width: 1280, height: 800 }));
  const page = await browser.page();
  await report.need("people and their machines", async () => {
    await logIn(page, server);
    const machines = await api(page, "GET", "/machine?show_all=true");
    const held = [["alice", "kernel 6.12 tests"], ["bob", "firmware update"], ["carol", "CI runner"], ["alice", "bisecting"], ["dave", "benchmarks"]];
    for (const name of new Set(held.map(([name]) => name))) await api(page, "POST", "/user", { username: name });
    for (const [index, [user, reason]] of held.entries()) {
      await api(page, "POST", `/machine/${machines[index].id}/assignee`, { user, reason });
      await api(page, "POST", `/machine/${machines[index].id}/power`, { state: "on" });
    }
    await api(page, "PUT", `/machine/${machines[6].id}/state`, { state: "error" });
  });
  const [own] = await api(page, "GET", "/machine?show_all=true");
  const [images, [preseed]] = await Promise.all([api(page, "GET", "/image?show_all=true"), api(page, "GET", "/preseed?show_all=true")]);
  const image = (kind) => images.find(({ type, arch }) => type === kind && arch === own.arch).id;
  const terminal = await browser.page();
  await report.need("a machine that is being installed", async () => {
    await api(page, "PUT", `/machine/${own.id}`, { kernel_id: image("Kernel"), initrd_id: image("Initrd"), preseed_id: preseed.id });
    await openConsole(terminal, server, own.id);
    await api(page, "POST", `/machine/${own.id}/state`, { state: "provision" });
    await page.goto(`${server.url}/machines/${own.id}`);
    await until("its steps", 40, () => page.locator("[data-event=PRESEED_ACCESS]").count());
    await terminalShows(terminal, "login:", 60);
  });
  await report.check("console", () => picture(terminal, "console"));
  for (const [name, path] of [["overview", "/overview"], ["machines", "/machines"], ["machine", `/machines/${own.id}`]]) {
    await report.check(name, async () => {
      await page.goto(`${server.url}${path}`);
      await follows(page);
      await page.waitForTimeout(1500);
      await picture(page, name);
    });
  }
  await page.setViewportSize({ width: 390, height: 800 });
  for (const [name, path] of [["phone", `/machines/${own.id}`], ["phone-machines", "/machines"], ["phone-overview", "/overview"]]) {
    await report.check(name, async () => {
      await page.goto(`${server.url}${path}`);
      await follows(page);
      await page.waitForTimeout(1500);
      await picture(page, name);
    });
  }
} catch (error) {
  if (!(error instanceof Stopped)) await report.check("runs to its end", () => Promise.reject(error));
} finally {
  await browser?.close();
  await server?.stop();
}
report.close();
