// The console page (C1–C8 of the original's list): what it lacked and what it lost.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { assertLooks } from "../lib/looks.mjs";
import { api, logIn, openConsole, terminalHolds, terminalShows } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

const MACHINE = "x86-uefi-1";
const AWAY = [/ERR_CONNECTION|WebSocket connection|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_EMPTY_RESPONSE|Failed to load resource/, /^50[0-9] /];

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  const frames = [];
  page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => frames.push(payload)));
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await report.need("log in", () => logIn(page, server));
  const { id, arch } = (await api(page, "GET", "/machine?show_all=true")).find(({ name }) => name === MACHINE);
  await report.need("C1: a machine that is being installed, and its console", async () => {
    const images = await api(page, "GET", "/image?show_all=true");
    const image = (kind) => images.find((own) => own.type === kind && own.arch === arch).id;
    const [preseed] = await api(page, "GET", "/preseed?show_all=true");
    await api(page, "PUT", `/machine/${id}`, { kernel_id: image("Kernel"), initrd_id: image("Initrd"), preseed_id: preseed.id });
    await openConsole(page, server, id);
    await api(page, "POST", `/machine/${id}/state`, { state: "provision" });
    await terminalShows(page, `${MACHINE} login:`, 60);
    await page.evaluate(() => (window.stillHere = true));
  });

  const search = page.getByTestId("terminal-search");
  const field = search.getByRole("searchbox");
  const found = page.getByTestId("terminal-found");
  const terminal = page.getByTestId("terminal");
  const place = async () => /^(\d+) of (\d+)$/.exec(await found.textContent())?.slice(1).map(Number);
  await report.check("C5: the keys for searching open it, in the terminal with Shift as the machine wants Ctrl+F for itself", async () => {
    await terminal.click();
    await page.keyboard.press("Control+F");
    assert.equal(await search.count(), 0);
    await page.keyboard.press("Control+Shift+F");
    await field.waitFor();
    await until("the field has the focus", 5, () => field.evaluate((own) => own === document.activeElement));
    await page.keyboard.press("Escape");
    await search.waitFor({ state: "detached" });
    await page.getByTestId("open-search").focus();
    await page.keyboard.press("Control+F");
    await field.waitFor();
  });
  // before what is found counts: lines that are wrapped anew, as on the telephone, are selected no more
  await report.check("axe with the search open, both colour schemes, desk and telephone", async () => {
    await field.fill("no such words");
    await found.filter({ hasText: "Not found" }).waitFor();
    await assertLooks(browser, page, "console");
  });
  await report.check("C5: what has scrolled away is found; how many there are, the next and the one before", async () => {
    await field.fill("Linux version");
    await until("it is found", 5, async () => (await place())?.[0] >= 1);
    await terminalShows(page, "Linux version", 5);
    await field.fill("ing");
    const [first, all] = await until("several", 5, async () => ((await place())?.[1] > 2 ? place() : undefined));
    await field.press("Enter");
    await until("one up", 5, async () => (await place())[0] === (first > 1 ? first - 1 : all));
    await search.getByRole("button", { name: "Further down" }).click();
    await until("back", 5, async () => (await place())[0] === first);
    await field.fill("no such words");
    await found.filter({ hasText: "Not found" }).waitFor();
  });
  await report.check("Escape closes it and gives the keys back to the machine", async () => {
    await field.fill("login:");
    await until("it is found", 5, place);
    await field.press("Escape");
    await search.waitFor({ state: "detached" });
    assert.ok(await page.evaluate(() => document.activeElement.classList.contains("xterm-helper-textarea")));
  });
  await report.check("copy and paste by a terminal's keys: Ctrl+C stays the machine's", async () => {
    await page.keyboard.press("Control+Shift+C");
    await until("it is on the clipboard", 5, async () => (await page.evaluate(() => navigator.clipboard.readText())) === "login:");
    await page.getByTestId("copy-console").click();
    await page.getByTestId("toasts").getByText("Copied 1 line.").waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "login:");
    assert.ok(await page.evaluate(() => document.activeElement.classList.contains("xterm-helper-textarea")), "the keys are not the machine's any more");
    await page.evaluate(() => navigator.clipboard.writeText("root\n"));
    await page.keyboard.press("Control+Shift+V");
    await terminalShows(page, "Password:", 10);
    await page.keyboard.type("x\n");
    await terminalShows(page, `root@${MACHINE}`, 10);
    await page.getByTestId("copy-console").click();
    await until("without a selection everything is copied", 5, async () => {
      const text = await page.evaluate(() => navigator.clipboard.readText());
      return text.includes("Password:") && text.split("\n").length > 10;
    });
    frames.length = 0;
    await page.keyboard.press("Control+C");
    await until("^C is sent", 5, () => frames.some((frame) => typeof frame !== "string" && frame.length === 1 && frame[0] === 3));
  });
  const typesThere = () => page.evaluate(() => document.activeElement.classList.contains("xterm-helper-textarea"));
  const focused = (locator) => locator.evaluate((own) => own === document.activeElement);
  await report.check("Shift+Escape leads out of the terminal to its buttons, and the terminal says so", async () => {
    await terminal.click();
    const told = await page.locator(".xterm-helper-textarea").evaluate((own) => document.getElementById(own.getAttribute("aria-describedby"))?.textContent);
    assert.match(told, /Shift\+Escape leaves the terminal/);
    assert.ok(await page.getByText(told).isVisible());
    frames.length = 0;
    await page.keyboard.press("Tab");
    await until("Tab is the machine's", 5, () => frames.some((frame) => typeof frame !== "string" && frame.length === 1 && frame[0] === 9));
    frames.length = 0;
    await page.keyboard.press("Shift+Escape");
    await until("the focus is on a button", 5, () => focused(page.getByTestId("open-search")));
    assert.deepEqual(frames, [], "the machine got something");
    await page.keyboard.press("Shift+Tab");
    assert.equal(await typesThere(), false);
    // the Tab stands on the machine's line
    await terminal.click();
    await page.keyboard.press("Control+C");
  });
  await report.check("what is typed while somebody else has the keyboard is said to be lost, once, with a way to take it", async () => {
    const other = await browser.page();
    await openConsole(other, server, id);
    await other.getByTestId("take-keyboard").click();
    await page.locator("[data-testid=console-status][data-writer=other]").waitFor();
    await page.bringToFront();
    await terminal.click();
    frames.length = 0;
    await page.keyboard.type("abc");
    const warning = page.getByTestId("toasts").locator("[data-toast=warning]").filter({ hasText: "admin has the keyboard: what you type goes nowhere." });
    await warning.waitFor();
    await page.keyboard.type("def");
    assert.equal(await warning.count(), 1);
    assert.deepEqual(frames, []);
    await warning.getByRole("button", { name: "Take the keyboard" }).click();
    await page.locator("[data-testid=console-status][data-writer=you]").waitFor();
    await until("the keys are the machine's", 5, typesThere);
    // who had it until now, and who never did, are told likewise
    await other.bringToFront();
    await other.getByTestId("terminal").click();
    await other.keyboard.type("x");
    await other.getByTestId("toasts").getByText("what you type goes nowhere").waitFor();
    await other.close();
    await page.bringToFront();
  });
  await report.check("a serial break", async () => {
    frames.length = 0;
    await page.getByTestId("send-break").click();
    await until("it is sent", 5, () => frames.some((frame) => typeof frame === "string" && JSON.parse(frame).type === "break"));
  });

  const letters = () => page.locator(".xterm-rows").evaluate((rows) => getComputedStyle(rows).fontSize);
  await report.check("the letters' size is remembered", async () => {
    const before = await letters();
    await page.getByRole("button", { name: "Larger letters" }).click();
    await page.getByRole("button", { name: "Larger letters" }).click();
    const larger = await letters();
    assert.equal(parseFloat(larger), parseFloat(before) + 2);
    await openConsole(page, server, id);
    await page.evaluate(() => (window.stillHere = true));
    await until("as before the page was loaded again", 5, async () => (await letters()) === larger);
    await page.getByRole("button", { name: "Smaller letters" }).click();
    await page.getByRole("button", { name: "Smaller letters" }).click();
  });
  await report.check("the full window: no header, more rows, and back", async () => {
    const rows = () => page.locator(".xterm-rows > div").count();
    const header = page.locator("header");
    const before = await rows();
    await page.getByTestId("full-window").click();
    await header.waitFor({ state: "hidden" });
    assert.ok(await page.evaluate(() => document.fullscreenElement !== null));
    await until("the terminal has grown", 5, async () => (await rows()) > before);
    await page.getByTestId("full-window").click();
    await header.waitFor();
    await until("as before", 5, async () => (await rows()) === before);
  });
  await report.check("C7: the download is a file with all that the server kept, also from before this page", async () => {
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("download-log").click()]);
    assert.equal(download.suggestedFilename(), `${MACHINE}-console.log`);
    const log = readFileSync(await download.path(), "latin1");
    assert.match(log, /Linux version/);
    assert.match(log, /login:/);
  });
  await report.check("Disk boot and Firmware set-up are here too (issues #92 and #105 of the original)", async () => {
    await page.getByTestId("power-disk_reboot").click();
    // before the answer: the keys for the firmware's menus are wanted within seconds
    await until("the keys are the machine's", 5, typesThere);
    await page.getByTestId("toasts").filter({ hasText: "Disk boot sent" }).waitFor();
    assert.ok(await typesThere());
    await page.getByTestId("power-bios_reboot").waitFor();
  });
  await report.check("a power command with a question before it: answered, the keys are the machine's; cancelled, the button has the focus", async () => {
    await api(page, "PUT", `/machine/${id}`, { netboot_enabled: false });
    // the page knows of it from the start
    await openConsole(page, server, id);
    await page.evaluate(() => (window.stillHere = true));
    const button = page.getByTestId("power-pxe_reboot");
    const question = page.getByRole("dialog", { name: `Netboot of ${MACHINE} is off` });
    await button.click();
    await question.getByRole("button", { name: "Cancel" }).click();
    await question.waitFor({ state: "hidden" });
    await until("the button has the focus", 5, () => focused(button));
    await button.click();
    await question.getByTestId("confirm-action").click();
    await question.waitFor({ state: "hidden" });
    await until("the keys are the machine's", 5, typesThere);
    await page.getByTestId("toasts").filter({ hasText: "PXE boot sent" }).last().waitFor();
    assert.ok(await typesThere());
  });
  await report.check("a server that starts again: said at once, and the terminal goes on without a reload", async () => {
    await until("silent so far", 1, () => browser.assertQuiet() === undefined);
    await server.killAndStartAgain();
    await page.locator("[data-testid=console-status][data-line=connected]").waitFor({ timeout: 40_000 });
    // off, it says nothing: what is there is from the log
    assert.ok(await terminalHolds(page, `${MACHINE} login:`), "nothing of what was written before is shown");
    const before = await page.locator(".xterm-rows").textContent();
    await page.getByTestId("power-on").click();
    await until("it prints", 20, async () => (await page.locator(".xterm-rows").textContent()) !== before);
    assert.equal(await page.evaluate(() => window.stillHere), true);
    browser.takeMessages(AWAY);
  });
  await report.check("without the serial line: no Break, one warning for all keys, and what has failed stays to be read", async () => {
    const { bmc_id } = await api(page, "GET", `/machine/${id}`);
    const { name, ip, port, type, username } = (await api(page, "GET", "/bmc")).find((bmc) => bmc.id === bmc_id);
    await api(page, "PUT", `/bmc/${bmc_id}`, { name, ip, port, type, username, password: "wrong" });
    await page.locator("[data-testid=console-status][data-line=failed]").waitFor({ timeout: 20_000 });
    assert.ok(await page.getByTestId("send-break").isDisabled());
    const toasts = page.getByTestId("toasts").locator("[data-toast]");
    await page.getByTestId("power-reboot").click();
    const failure = toasts.filter({ hasText: "Reset failed" });
    await failure.waitFor({ timeout: 10_000 });
    await terminal.click();
    await page.keyboard.type("some words", { delay: 30 });
    const lost = toasts.filter({ hasText: "not connected: what was typed is lost" });
    await lost.waitFor();
    await page.waitForTimeout(500);
    assert.equal(await lost.count(), 1);
    assert.ok(await failure.isVisible());
  });
}
