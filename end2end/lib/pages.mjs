// What a user does on the pages, in their words.
import { until } from "./report.mjs";

/** Logs in, whoever was before, and waits for the list of machines. */
export async function logIn(page, server, { username = "admin", password = server.password } = {}) {
  // who is logged in is led on from the login page
  await page.context().clearCookies({ name: /session$/ });
  await page.goto(`${server.url}/login`);
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL(/\/machines$/);
}

/** Waits until the page follows the lab: its code runs, and the event stream is open. */
export function follows(page, options) {
  return page.locator("[data-testid=live-status][data-status=open]").waitFor(options);
}

/** Waits until the list of machines has all rows of its page: those below the window come last. */
export function allRows(page) {
  return page.locator("[aria-busy=false] > [data-testid=machines]").waitFor({ state: "attached" });
}

/** Opens a page of the application and waits until it follows the lab. */
export async function visit(page, server, path) {
  await page.goto(`${server.url}${path}`);
  await follows(page);
}

/** A call of the JSON API as the page would make it, with its session. Throws unless the status is 2xx. */
export async function api(page, method, path, body) {
  const { status, text } = await page.evaluate(
    async ([method, path, body]) => {
      const response = await fetch(`/api/v1${path}`, {
        method,
        headers: body === undefined ? {} : { "content-type": "application/json" },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      return { status: response.status, text: await response.text() };
    },
    [method, path, body],
  );
  if (status < 200 || status > 299) throw new Error(`${method} ${path}: ${status} ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}

/** Uploads one file on the images page and returns the SHA-256 that the page shows. `file` is a path or `{ name, mimeType, buffer }`. */
export async function uploadImage(page, server, { file, type, arch, description }) {
  await page.goto(`${server.url}/images`);
  await page.getByTestId("upload-image").click();
  const panel = page.getByTestId("upload-panel");
  await panel.getByLabel("File").setInputFiles(file);
  await panel.getByLabel("Type").selectOption(type);
  await panel.getByLabel("Architecture").selectOption(arch);
  await panel.getByLabel("Description").fill(description);
  await panel.getByTestId("upload-send").click();
  return (await panel.getByTestId("upload-sha256").textContent({ timeout: 60_000 })).trim();
}

/** Writes a new preseed. */
export async function createPreseed(page, server, { name, content }) {
  await page.goto(`${server.url}/preseeds`);
  await page.getByTestId("new-preseed").click();
  await page.locator("#preseed-name").fill(name);
  await page.locator("#preseed-content").fill(content);
  await page.getByTestId("save-preseed").click();
  await page.waitForURL(/\/preseeds\/\d+$/);
}

/** Adds a machine in the dialog of the machines page and returns its id; the page then shows the machine. */
export async function addMachine(page, server, { name, arch, subarch, bmc, mac }) {
  await page.goto(`${server.url}/machines`);
  await page.getByTestId("add-machine").click();
  const dialog = page.getByTestId("new-machine");
  await dialog.getByLabel("Name").fill(name);
  await dialog.locator("#new-arch").selectOption(arch);
  await dialog.locator("#new-subarch").selectOption(subarch);
  await dialog.locator("#new-bmc").selectOption({ label: bmc });
  await dialog.locator("#new-macs").fill(mac);
  await dialog.getByRole("button", { name: "Add machine" }).click();
  await page.waitForURL(/\/machines\/\d+$/);
  await page.getByTestId("machine-name").filter({ hasText: name }).waitFor();
  return Number(/\/machines\/(\d+)$/.exec(page.url())[1]);
}

/** Opens a machine from the list and returns its id. */
export async function openMachine(page, server, name) {
  await page.goto(`${server.url}/machines?search=${encodeURIComponent(name)}`);
  await page.getByTestId("machine-row").getByRole("link", { name, exact: true }).click();
  await page.getByTestId("machine-name").filter({ hasText: name }).waitFor();
  return Number(/\/machines\/(\d+)$/.exec(page.url())[1]);
}

/** Fills the provisioning form of the machine page that is shown; each choice is by a part of its label. */
export async function chooseBoot(page, { kernel, initrd, preseed, options }) {
  const form = page.getByTestId("provisioning-form");
  for (const [field, label] of Object.entries({ kernel, initrd, preseed })) {
    const choice = form.locator(`#${field} option`).filter({ hasText: label }).first();
    await form.locator(`#${field}`).selectOption(await choice.getAttribute("value"));
  }
  await form.locator("#kernel-opts").fill(options);
}

/** The kinds of the events that the machine page shows, newest first. */
export function shownEvents(page) {
  return page.locator("[data-testid=events] [data-event]").evaluateAll((entries) => entries.map((entry) => ({ kind: entry.dataset.event, text: entry.textContent })));
}

/** Waits until the machine page shows an event of that kind whose words match, without loading the page again. */
export function eventAppears(page, kind, words, seconds) {
  return until(`event ${kind} ${words}`, seconds, async () => (await shownEvents(page)).find((event) => event.kind === kind && words.test(event.text)), 250);
}

/** Opens a machine's console with its text in the document, and waits for the serial line. */
export async function openConsole(page, server, machine) {
  await page.goto(`${server.url}/machines/${machine}/console?renderer=dom`);
  await page.locator("[data-testid=console-status][data-line=connected]").waitFor({ timeout: 20_000 });
}

const rows = (page) =>
  page.locator("[data-testid=terminal] .xterm-rows > div").evaluateAll((lines) => lines.map((line) => line.textContent.replaceAll("\u00a0", " ")).join("\n"));

/** Waits until the terminal's screen shows the text. */
export function terminalShows(page, text, seconds) {
  return until(`the terminal shows ${text}`, seconds, async () => (await rows(page)).includes(text));
}

/** Looks for a text on the terminal's screen and then back through what has scrolled away; leaves it at the end again. */
export async function terminalHolds(page, text, screens = 60) {
  await page.getByTestId("terminal").click();
  try {
    for (let screen = 0; screen < screens; screen += 1) {
      if ((await rows(page)).includes(text)) return true;
      await page.keyboard.press("Shift+PageUp");
      await page.waitForTimeout(60);
    }
    return false;
  } finally {
    for (let screen = 0; screen < screens; screen += 1) await page.keyboard.press("Shift+PageDown");
  }
}
