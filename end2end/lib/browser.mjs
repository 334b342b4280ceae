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

/**
 * What may be complained of where a spec ends the session of an open page: the page's stream ends, and it asks who one is. The browser's
 * own line does not say of what it is; each comes with one that does.
 */
export const SESSION_ENDED = [/^401 .*\/api\/v1\/self$/, /status of 401/];

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

  /** A new tab whose messages and requests are recorded. */
  async page() {
    const page = await this.#context.newPage();
    page.on("console", (message) => {
      const text = message.text();
      // Headless Chromium draws WebGL in software and complains of its own ReadPixels. Verbose is Chromium's advice
      // on forms, which no console shows unless asked to.
      if (message.type() !== "verbose" && !text.includes("GL Driver Message")) this.#messages.push(`${message.type()}: ${text}`);
    });
    page.on("pageerror", (error) => this.#messages.push(`pageerror: ${error.message}`));
    page.on("request", (request) => this.requests.push(new URL(request.url()).pathname));
    page.on("response", (response) => {
      if (response.status() >= 400) this.#messages.push(`${response.status()} ${response.url()}`);
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
