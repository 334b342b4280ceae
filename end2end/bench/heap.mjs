// Eight hours of a busy lab (five events a second) with the machines page open, as quickly as the page takes them in: whether its
// heap grows.
import { Browser } from "../lib/browser.mjs";
import { api, follows, logIn } from "../lib/pages.mjs";
import { Server } from "../lib/server.mjs";
import { figure } from "./figures.mjs";

const EVENTS = Number(process.env.BENCH_EVENTS ?? 8 * 3600 * 5);
/** A second. More would be too many for one answer of the stream, and the page would be told to load everything anew. */
const PACE = 500;
/** What the page keeps is bounded; it is full after this part. */
const WARM = 0.125;

const server = await Server.start({ args: ["--machines", "200"], name: "bench-heap" });
const browser = await Browser.launch();
try {
  const page = await browser.page();
  await logIn(page, server);
  // to be asked for their sizes
  await page.addInitScript(() => {
    const { instantiateStreaming } = WebAssembly;
    window.memories = [];
    WebAssembly.instantiateStreaming = async (...given) => {
      const made = await instantiateStreaming.apply(WebAssembly, given);
      window.memories.push(...Object.values(made.instance.exports).filter((own) => own instanceof WebAssembly.Memory));
      return made;
    };
  });
  await page.goto(`${server.url}/machines`);
  await follows(page);
  const machines = await api(page, "GET", "/machine?show_all=true");
  const { secret } = await api(page, "POST", "/self/token", { description: "bench" });
  const devtools = await page.context().newCDPSession(page);
  const samples = [];
  let sent = 0;
  for (const part of [WARM, 0.25, 0.5, 0.75, 1]) {
    sent = await traffic(secret, machines, sent, Math.round(EVENTS * part));
    samples.push(await sample(devtools, sent));
  }
  // it was there all the time
  const last = machines[(sent - 1) % machines.length];
  const { state } = await api(page, "GET", `/machine/${last.id}/state`);
  const shown = page.locator(`tr[data-id="${last.id}"] [data-testid=state]`);
  if ((await shown.count()) > 0 && (await shown.getAttribute("data-state")) !== state) throw new Error(`${last.name} is ${state}, the page says otherwise`);
  const [first, end] = [samples[0], samples.at(-1)];
  const told = `after ${EVENTS} events`;
  figure({ name: `script's heap ${told}`, ours: end.script, unit: "MB", peer: "after an eighth of them", theirs: first.script, better: "less" });
  figure({ name: `wasm's memory ${told}`, ours: end.wasm, unit: "MB", peer: "after an eighth of them", theirs: first.wasm, better: "less" });
  figure({ name: `elements ${told}`, ours: end.nodes, unit: "nodes", peer: "after an eighth of them", theirs: first.nodes, better: "less" });
} finally {
  await browser.close();
  await server.stop();
}

/** Three of four are states of machines, the others changes of settings. */
async function traffic(token, machines, sent, until) {
  const start = performance.now();
  const begun = sent;
  while (sent < until) {
    const due = Math.min(until, begun + Math.ceil(((performance.now() - start) / 1000) * PACE));
    const now = [];
    for (; sent < due && now.length < 16; sent += 1) {
      const { id } = machines[sent % machines.length];
      const turn = Math.floor(sent / machines.length);
      const settings = sent % 4 === 3;
      const body = settings ? { kernel_opts: `run=${turn}` } : { state: turn % 2 === 0 ? "ready" : "error" };
      now.push(put(`/machine/${id}${settings ? "" : "/state"}`, token, body));
    }
    if (now.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await Promise.all(now);
  }
  return sent;
}

async function put(path, token, body) {
  const answer = await fetch(`${server.url}/api/v1${path}`, { method: "PUT", headers: { authorization: token, "content-type": "application/json" }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`PUT ${path}: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}

/** What is in use once everything that could go has gone. */
async function sample(devtools, sent) {
  // what the page still has to take in
  await new Promise((resolve) => setTimeout(resolve, 3000));
  await devtools.send("HeapProfiler.enable");
  for (let run = 0; run < 3; run += 1) await devtools.send("HeapProfiler.collectGarbage");
  const { usedSize } = await devtools.send("Runtime.getHeapUsage");
  const { nodes, jsEventListeners } = await devtools.send("Memory.getDOMCounters");
  const { result: bytes } = await devtools.send("Runtime.evaluate", { expression: "memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0)" });
  const found = { script: usedSize / 1e6, wasm: bytes.value / 1e6, nodes };
  console.log(`${sent} events: script ${found.script.toFixed(2)} MB, wasm ${found.wasm.toFixed(2)} MB, ${nodes} nodes, ${jsEventListeners} listeners`);
  return found;
}
