// Requests a second and latency of the JSON API with 1,000 and 10,000 machines, on SQLite and on PostgreSQL. The original's
// figures are those of its own run on the same kind of machine (tornado, PostgreSQL 15, 1,000 machines): it cannot be run
// beside us.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Server } from "../lib/server.mjs";
import { figure } from "./figures.mjs";
import { all, wrk } from "./load.mjs";

/** How many machines there are, one after the other, on the same server. */
const SIZES = (process.env.BENCH_MACHINES ?? "1000,10000").split(",").map(Number);
/** The same, as the goals and the original's figures mean it. */
const ORIGINAL = { size: 1000, one: 235, list: 19, memory: 64 };
/** How many machines are reserved at each size. There are always more. */
const RESERVED = Math.min(...SIZES) / 2;

for (const [engine, url] of [["SQLite", undefined], ["PostgreSQL", process.env.BENCH_POSTGRES]]) {
  if (engine === "PostgreSQL" && !url) throw new Error("BENCH_POSTGRES names no database: use cargo xtask bench api");
  const environment = url ? { MRP_DATABASE_URL: url } : {};
  const server = await Server.start({ command: "serve", name: `bench-api-${engine}`, args: ["--tftp-listen", "off", "--log-level", "warn"], environment });
  try {
    await measure(engine, server);
  } finally {
    await server.stop();
  }
}

async function measure(engine, server) {
  const base = `${server.url}/api/v1`;
  const token = await adminToken(base, server.password);
  await all(base, token, 1, () => ({ method: "POST", path: "/arch", body: { name: "x86_64" } }));
  if (engine === "SQLite") await logins(base, server.password);
  let there = 0;
  for (const size of SIZES) {
    await all(base, token, size - there, (index) => ({ method: "POST", path: "/machine", body: machine(there + index) }));
    there = size;
    const peer = size === ORIGINAL.size ? ORIGINAL : {};
    const say = (what, { rate, p50, p99 }, theirs) => {
      figure({ name: `${engine}, ${size} machines: ${what}`, ours: rate, unit: "requests/s", peer: "original", theirs });
      console.log(`  p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
    };
    const [{ id }] = await read(base, token, `/machine?show_all=true&q=${named(size - 1)}`);
    say("one machine", wrk(`${base}/machine/${id}`, token), peer.one);
    say("list of 100", wrk(`${base}/machine?show_all=true&limit=100`, token));
    say("list of 100, asked some 1,000 times a second", wrk(`${base}/machine?show_all=true&limit=100`, token, "pace.lua"));
    say("full list", wrk(`${base}/machine?show_all=true`, token), peer.list);
    say("query by name", wrk(`${base}/machine?show_all=true&q=${named(size - 1)}`, token));
    const wish = { query: '(= arch "x86_64")', reason: "bench" };
    say("reservation", await all(base, token, RESERVED, () => ({ method: "POST", path: "/machine/reservation", body: wish })));
    say("event insert (PUT /machine/{id}/state)", wrk(`${base}/machine/${id}/state`, token, "event.lua"));
    figure({ name: `${engine}, ${size} machines: resident memory after it`, ours: resident(server), unit: "MB", peer: "original", theirs: peer.memory, better: "less" });
  }
}

/** A log-in takes as long as its hash: beside what the reference implementation makes of the same hash on all processors. */
async function logins(base, password) {
  const body = { username: "admin", password };
  // fewer than may guess at a time
  const ours = await all(base, undefined, 400, () => ({ method: "POST", path: "/session", body }), 8);
  const each = 100;
  const start = performance.now();
  await Promise.all(Array.from({ length: availableParallelism() }, () => hashes(each, password)));
  const theirs = (each * availableParallelism()) / ((performance.now() - start) / 1000);
  figure({ name: "log-ins", ours: ours.rate, unit: "/s", peer: "hashes alone, argon2 of Debian", theirs });
}

/** One after the other, with the parameters of the server's own (argon2id, 19 MiB, two passes, one lane). */
function hashes(count, password) {
  const one = "printf %s \"$1\" | argon2 some-salt-of-16 -id -t 2 -k 19456 -p 1 -l 32 -r >&2";
  const script = `for n in $(seq "$2"); do ${one} || exit 1; done`;
  return new Promise((resolve, reject) => {
    const child = spawn("sh", ["-c", script, "sh", password, String(count)], { stdio: "ignore" });
    child.once("error", reject).once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`argon2 ended with ${code}`))));
  });
}

async function adminToken(base, password) {
  const login = await fetch(`${base}/session`, { method: "POST", body: JSON.stringify({ username: "admin", password }) });
  const cookie = login.headers.get("set-cookie").split(";")[0];
  const answer = await fetch(`${base}/self/token`, { method: "POST", headers: { cookie }, body: JSON.stringify({ description: "bench" }) });
  if (!answer.ok) throw new Error(`POST /self/token: ${answer.status} ${await answer.text()}`);
  return (await answer.json()).secret;
}

async function read(base, token, path) {
  const answer = await fetch(`${base}${path}`, { headers: { authorization: token } });
  if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

function named(index) {
  return encodeURIComponent(`(= name "machine-${index}")`);
}

function machine(index) {
  const octet = (shift) => ((index >> shift) & 255).toString(16).padStart(2, "0");
  return { name: `machine-${index}`, arch: "x86_64", macs: [`52:54:00:${octet(16)}:${octet(8)}:${octet(0)}`] };
}

function resident({ log: { pid } }) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;
}
