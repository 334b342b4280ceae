// Runs the spec files: node end2end/run.mjs [part of a name…]
//
// A spec exports `spec`, an async function that gets { server, browser, report }: a demo lab of its own, a browser
// and the report that counts its checks. `options` (optional export) goes to Server.start.
import { readdirSync } from "node:fs";
import { Browser } from "./lib/browser.mjs";
import { Report, Stopped } from "./lib/report.mjs";
import { Server } from "./lib/server.mjs";

const wanted = process.argv.slice(2);
const folder = new URL("specs/", import.meta.url);
const names = readdirSync(folder)
  .filter((name) => name.endsWith(".mjs") && (wanted.length === 0 || wanted.some((part) => name.includes(part))))
  .sort();

const report = new Report("  ");
if (names.length === 0) await report.check("there are spec files to run", () => Promise.reject(new Error(`none matches ${wanted}`)));
for (const name of names) {
  console.log(name);
  const { spec, options } = await import(new URL(name, folder));
  const label = name.replace(/\.mjs$/, "");
  let server;
  let browser;
  try {
    server = await report.need("the server starts and says where it is", () => Server.start({ name: `server-${label}`, ...options }));
    browser = await report.need("the browser starts", () => Browser.launch());
    await spec({ server, browser, report });
  } catch (error) {
    if (!(error instanceof Stopped)) await report.check("runs to its end", () => Promise.reject(error));
  } finally {
    await browser?.close();
    if (server) await report.check("the server ends when asked to", async () => {
      const how = await server.stop();
      if (how !== "exit status 0") throw new Error(`ended by ${how}`);
    });
  }
}
report.close();
