// What the browser downloads, when the machines page with 1,000 machines is first painted, and the server's memory
// idle and with 100 consoles open.
import { readFileSync, readdirSync } from "node:fs";
import { gzipSync, brotliCompressSync } from "node:zlib";
import { Browser } from "../lib/browser.mjs";
import { logIn } from "../lib/pages.mjs";
import { Server } from "../lib/server.mjs";
import { figure, median } from "./figures.mjs";

const assets = new URL("../../dist/assets/", import.meta.url);
for (const name of readdirSync(assets).filter((name) => /\.(js|css|wasm)$/.test(name)).sort()) {
  const content = readFileSync(new URL(name, assets));
  console.log(`${name}: ${content.length} bytes, gzip ${gzipSync(content, { level: 9 }).length}, brotli ${brotliCompressSync(content).length}`);
}

const resident = (server) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.log.pid}/status`, "utf8"))[1]) / 1024;

{
  const server = await Server.start({ command: "serve", name: "bench-idle", args: ["--tftp-listen", "off"] });
  try {
    await new Promise((resolve) => setTimeout(resolve, 3000));
    figure({ name: "resident memory, idle", ours: resident(server), unit: "MB", peer: "original", theirs: 64, better: "less" });
  } finally {
    await server.stop();
  }
}

{
  const server = await Server.start({ args: ["--machines", "1000"], name: "bench-page" });
  const browser = await Browser.launch();
  try {
    const page = await browser.page();
    await logIn(page, server);
    const paints = [];
    for (let run = 0; run < 5; run += 1) {
      await page.goto(`${server.url}/machines`);
      await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
      paints.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime));
    }
    figure({ name: "machines page, 1,000 machines: first contentful paint", ours: median(paints), unit: "ms" });
    const before = resident(server);
    // the consoles of simulated machines of this very process: their memory is the server's as well
    await page.evaluate(async () => {
      const machines = await (await fetch("/api/v1/machine?show_all=true")).json();
      window.sockets = await Promise.all(
        machines.slice(0, 100).map(
          ({ id }) =>
            new Promise((resolve, reject) => {
              const socket = new WebSocket(`ws://${location.host}/api/v1/machine/${id}/console/socket`);
              socket.onmessage = ({ data }) => typeof data === "string" && JSON.parse(data).line === "connected" && resolve(socket);
              socket.onerror = () => reject(new Error(`console of ${id}`));
            }),
        ),
      );
    });
    const after = resident(server);
    console.log(`resident memory with 1,000 simulated machines: ${before.toFixed(0)} MB, with 100 consoles open ${after.toFixed(0)} MB`);
    figure({ name: "memory of one open console", ours: (after - before) / 100, unit: "MB", peer: "ipmiconsole process", theirs: 7.2, better: "less" });
  } finally {
    await browser.close();
    await server.stop();
  }
}
