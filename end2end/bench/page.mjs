// What the browser downloads, when the machines page with 1,000 machines is first painted and interactive, beside the least the
// original's page could do, how long the page of 10,000 takes from a key to the painted rows and from a BMC to the painted power,
// and the server's memory idle and with 100 consoles open.
import { readFileSync, readdirSync } from "node:fs";
import { gzipSync, brotliCompressSync } from "node:zlib";
import { Browser } from "../lib/browser.mjs";
import { api, follows, logIn } from "../lib/pages.mjs";
import { Server } from "../lib/server.mjs";
import { figure, median } from "./figures.mjs";
import { all } from "./load.mjs";
import { original } from "./original.mjs";

const assets = new URL("../../dist/assets/", import.meta.url);
for (const name of readdirSync(assets).filter((name) => /\.(js|css|wasm)$/.test(name)).sort()) {
  const content = readFileSync(new URL(name, assets));
  console.log(`${name}: ${content.length} bytes, gzip ${gzipSync(content, { level: 9 }).length}, brotli ${brotliCompressSync(content).length}`);
}

const resident = (server) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.log.pid}/status`, "utf8"))[1]) / 1024;

/**
 * Medians of loads with nothing cached: milliseconds to the first contentful paint and until `ready` matches, those of tasks beyond
 * their first 50 from the paint until a second after `ready`, the layout's shift, and bytes as they came.
 */
async function cold(page, url, ready) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Network.enable");
  await devtools.send("Network.setCacheDisabled", { cacheDisabled: true });
  await page.addInitScript((selector) => {
    const seen = (window.seen = { tasks: [], shifted: 0 });
    new PerformanceObserver((list) => seen.tasks.push(...list.getEntries().map(({ startTime, duration }) => [startTime, duration]))).observe({ type: "longtask", buffered: true });
    new PerformanceObserver((list) => {
      for (const { value, hadRecentInput } of list.getEntries()) seen.shifted += hadRecentInput ? 0 : value;
    }).observe({ type: "layout-shift", buffered: true });
    new MutationObserver(() => {
      if (seen.ready === undefined && document.querySelector(selector)) seen.ready = performance.now();
    }).observe(document, { attributes: true, childList: true, subtree: true });
  }, ready);
  const loads = [];
  for (let run = 0; run < 5; run += 1) {
    let bytes = 0;
    const finished = ({ encodedDataLength }) => (bytes += encodedDataLength);
    devtools.on("Network.loadingFinished", finished);
    await page.goto(url);
    await page.locator(ready).first().waitFor({ state: "attached" });
    await page.waitForFunction(() => window.seen.ready !== undefined && performance.getEntriesByName("first-contentful-paint").length > 0);
    // what still comes, shifts or blocks
    await new Promise((resolve) => setTimeout(resolve, 1000));
    devtools.off("Network.loadingFinished", finished);
    const load = await page.evaluate(() => {
      const painted = performance.getEntriesByName("first-contentful-paint")[0].startTime;
      const blocked = window.seen.tasks.reduce((sum, [start, time]) => sum + (start + time > painted ? Math.max(0, time - 50) : 0), 0);
      return { painted, ready: window.seen.ready, blocked, shifted: window.seen.shifted };
    });
    loads.push({ ...load, bytes });
  }
  await devtools.send("Network.setCacheDisabled", { cacheDisabled: false });
  return Object.fromEntries(Object.keys(loads[0]).map((name) => [name, median(loads.map((load) => load[name]))]));
}

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
    const machines = await cold(page, `${server.url}/machines`, "[data-testid=live-status][data-status=open]");
    const theirs = await original();
    let peer;
    try {
      peer = await cold(await browser.page(), theirs.url, "#content *");
    } finally {
      theirs.close();
    }
    const against = { peer: "the original's libraries alone", better: "less" };
    figure({ name: "machines page, 1,000 machines: first contentful paint", ours: machines.painted, unit: "ms", theirs: peer.painted, ...against });
    figure({ name: "machines page, 1,000 machines: interactive", ours: machines.ready, unit: "ms", theirs: peer.ready, ...against });
    figure({ name: "machines page: transferred on the first load", ours: machines.bytes / 1000, unit: "KB", theirs: peer.bytes / 1000, ...against });
    figure({ name: "machines page: total blocking time", ours: machines.blocked, unit: "ms", theirs: peer.blocked, ...against });
    figure({ name: "machines page: cumulative layout shift", ours: machines.shifted, unit: "" });
    console.log(`  the original's libraries: script ${JSON.stringify(theirs.script)}, style ${JSON.stringify(theirs.style)}`);
    const [{ id }] = await api(page, "GET", "/machine?show_all=true&limit=1");
    const console_ = await cold(page, `${server.url}/machines/${id}/console`, "[data-testid=terminal] .xterm");
    figure({ name: "console page: transferred on the first load", ours: console_.bytes / 1000, unit: "KB" });
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

/** Milliseconds from the first key of `act` until the rows that it changed are painted: those that a window shows, first. */
async function untilPainted(page, act) {
  // all rows of the act before are there, and painted
  await page.locator("[aria-busy=false] > [data-testid=machines]").waitFor();
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 100))));
  await page.evaluate(() => {
    window.painted = new Promise((resolve) => {
      let start;
      const begin = () => (start ??= performance.now());
      addEventListener("keydown", begin, { capture: true, once: true });
      new MutationObserver((_, observer) => {
        observer.disconnect();
        // the task after the next frame, before what the page itself does then
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => resolve(performance.now() - start);
        requestAnimationFrame(() => port2.postMessage(undefined));
      }).observe(document.querySelector("[data-testid=machines] tbody"), { childList: true, subtree: true, characterData: true });
    });
  });
  await act();
  return page.evaluate(() => window.painted);
}

{
  const MACHINES = 10_000;
  const server = await Server.start({ command: "serve", name: "bench-table", args: ["--tftp-listen", "off"] });
  const browser = await Browser.launch();
  try {
    const page = await browser.page();
    await logIn(page, server);
    await api(page, "POST", "/arch", { name: "arm64", description: "" });
    const { secret } = await api(page, "POST", "/self/token", { description: "bench" });
    // not by the page: a browser has six connections, and every machine would be news to it
    await page.goto(`${server.url}/account`);
    await all(`${server.url}/api/v1`, secret, MACHINES, (number) => {
      const mac = `52:54:00:${[16, 8, 0].map((shift) => ((number >> shift) & 255).toString(16).padStart(2, "0")).join(":")}`;
      return { method: "POST", path: "/machine", body: { name: `rack-${number % 40}-node-${number}`, arch: "arm64", macs: [mac], tags: [`row ${number % 7}`] } };
    });
    await page.goto(`${server.url}/machines`);
    await page.getByText(`1–100 of ${MACHINES.toLocaleString("en")} machines`).waitFor({ timeout: 60_000 });
    await follows(page);
    const [typed, sorted] = [[], []];
    // no digit that all of them have in their MAC address or architecture: that would change no row
    for (const digit of "137891378") {
      await page.getByTestId("search").focus();
      typed.push(await untilPainted(page, () => page.keyboard.press(digit)));
      await untilPainted(page, () => page.keyboard.press("Backspace"));
      for (const heading of ["MAC addresses", "Name"]) sorted.push(await untilPainted(page, () => page.getByRole("button", { name: heading }).press("Enter")));
    }
    figure({ name: "10,000 machines, search: key to painted", ours: median(typed), unit: "ms" });
    figure({ name: "10,000 machines, sort: key to painted", ours: median(sorted), unit: "ms" });
  } finally {
    await browser.close();
    await server.stop();
  }
}

{
  const server = await Server.start({ name: "bench-live" });
  const browser = await Browser.launch();
  try {
    const page = await browser.page();
    await logIn(page, server);
    await follows(page);
    const { id } = (await api(page, "GET", "/machine?show_all=true"))[0];
    // what a simulated chassis takes from the command to the change
    const CHASSIS = 400;
    const times = [];
    for (let run = 0; run < 9; run += 1) {
      times.push(
        await page.evaluate(async (id) => {
          const badge = document.querySelector(`tr[data-id="${id}"] [data-testid=power]`);
          const next = badge.dataset.power === "on" ? "off" : "on";
          const painted = new Promise((resolve) => {
            const observer = new MutationObserver(() => {
              if (badge.dataset.power !== next) return;
              observer.disconnect();
              requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
            });
            observer.observe(badge, { attributes: true });
          });
          const start = performance.now();
          await fetch(`/api/v1/machine/${id}/power`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ state: next }),
          });
          return (await painted) - start;
        }, id),
      );
    }
    figure({ name: "power command to the BMC, its answer, the page painted", ours: median(times), unit: "ms" });
    figure({ name: "live update: BMC change to painted", ours: median(times) - CHASSIS, unit: "ms" });
  } finally {
    await browser.close();
    await server.stop();
  }
}
