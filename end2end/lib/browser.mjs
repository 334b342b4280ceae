// A real Chromium, and what its pages complained about.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { OUT } from "./child.mjs";

const FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export class Browser {
  #context;
  #profile;
  #messages = [];

  /** Every path requested so far, in order. */
  requests = [];

  static async launch({ width = 1280, height = 800, colorScheme = "light", timezoneId } = {}) {
    const browser = new Browser();
    browser.#profile = mkdtempSync(join(tmpdir(), "mr-provisioner-chromium-"));
    browser.#context = await chromium.launchPersistentContext(browser.#profile, {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      headless: true,
      viewport: { width, height },
      colorScheme,
      timezoneId,
      // Chromium's own sandbox needs a user that is not root.
      args: process.getuid?.() === 0 ? [...FLAGS, "--no-sandbox"] : FLAGS,
    });
    browser.#context.setDefaultTimeout(15_000);
    return browser;
  }

  /**
   * A new tab whose messages and requests are recorded. "Nobody" is an answer like any other to who one is: a page whose stream ends
   * asks, and learns in this way that its session has ended.
   */
  async page() {
    const nobody = (url) => url.endsWith("/api/v1/self");
    const page = await this.#context.newPage();
    page.on("console", (message) => {
      const text = message.text();
      if (text.includes("status of 401") && nobody(message.location().url)) return;
      // Headless Chromium draws WebGL in software and complains of its own ReadPixels. Verbose is Chromium's advice
      // on forms, which no console shows unless asked to.
      if (message.type() !== "verbose" && !text.includes("GL Driver Message")) this.#messages.push(`${message.type()}: ${text}`);
    });
    page.on("pageerror", (error) => this.#messages.push(`pageerror: ${error.message}`));
    page.on("request", (request) => this.requests.push(new URL(request.url()).pathname));
    page.on("response", (response) => {
      if (response.status() >= 400 && !(response.status() === 401 && nobody(response.url()))) this.#messages.push(`${response.status()} ${response.url()}`);
    });
    return page;
  }

  /** What was complained about since the last call; `expected` are regular expressions of what may be. */
  takeMessages(expected = []) {
    return this.#messages.splice(0).filter((message) => !expected.some((pattern) => pattern.test(message)));
  }

  /** Fails when a page wrote to its console or got an error status that is not expected. */
  assertQuiet(expected = []) {
    const found = this.takeMessages(expected);
    if (found.length > 0) throw new Error(`the browser's console is not empty:\n${found.join("\n")}`);
  }

  /** `out/<name>.png` of what the page shows. */
  async screenshot(page, name) {
    await page.screenshot({ path: join(OUT, `${name}.png`) });
  }

  async close() {
    await this.#context.close();
    rmSync(this.#profile, { recursive: true, force: true });
  }
}
