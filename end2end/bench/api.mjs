// Requests a second and latency of the JSON API with 1,000 machines, by wrk. The original's figures are those of its
// own run on the same kind of machine (tornado, PostgreSQL 15, 1,000 machines): it cannot be run beside us.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Server } from "../lib/server.mjs";
import { figure } from "./figures.mjs";

const MACHINES = 1000;
const ORIGINAL = { one: 235, list: 19, memory: 64 };

const server = await Server.start({ command: "serve", name: "bench-api", args: ["--tftp-listen", "off", "--log-level", "warn"] });
try {
  const login = await fetch(`${server.url}/api/v1/session`, { method: "POST", body: JSON.stringify({ username: "admin", password: server.password }) });
  const cookie = login.headers.get("set-cookie").split(";")[0];
  const send = async (path, body) => {
    const response = await fetch(`${server.url}/api/v1${path}`, { method: "POST", headers: { cookie }, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  const { secret } = await send("/self/token", { description: "bench" });
  await send("/arch", { name: "x86_64" });
  let first;
  for (let index = 0; index < MACHINES; index += 1) {
    const mac = `52:54:00:00:${(index >> 8).toString(16).padStart(2, "0")}:${(index & 255).toString(16).padStart(2, "0")}`;
    const machine = await send("/machine", { name: `machine-${index}`, arch: "x86_64", macs: [mac] });
    first ??= machine.id;
  }
  const one = wrk(`/machine/${first}`, secret);
  figure({ name: `GET /machine/{id} of ${MACHINES}`, ours: one.rate, unit: "requests/s", peer: "original", theirs: ORIGINAL.one });
  console.log(`  p50 ${one.p50}, p99 ${one.p99}`);
  const list = wrk("/machine?show_all=true", secret);
  figure({ name: `GET /machine?show_all=true, ${MACHINES} machines`, ours: list.rate, unit: "requests/s", peer: "original", theirs: ORIGINAL.list });
  console.log(`  p50 ${list.p50}, p99 ${list.p99}, ${(list.bytes / 1e6).toFixed(0)} MB/s`);
  figure({ name: "resident memory after it", ours: resident(server), unit: "MB", peer: "original", theirs: ORIGINAL.memory, better: "less" });
} finally {
  await server.stop();
}

function wrk(path, token) {
  const args = ["-t1", "-c16", "-d8s", "--latency", "-H", `Authorization: ${token}`, `${server.url}/api/v1${path}`];
  spawnSync("wrk", args.map((argument) => (argument === "-d8s" ? "-d2s" : argument)));
  const { stdout, status, error } = spawnSync("wrk", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`wrk: ${error ?? stdout}`);
  if (/Non-2xx/.test(stdout)) throw new Error(`not every answer was a success:\n${stdout}`);
  const find = (pattern) => pattern.exec(stdout)[1];
  const unit = { KB: 1e3, MB: 1e6, GB: 1e9 };
  const [, amount, prefix] = /Transfer\/sec:\s+([\d.]+)([KMG]B)/.exec(stdout);
  return { rate: Number(find(/Requests\/sec:\s+([\d.]+)/)), p50: find(/50%\s+(\S+)/), p99: find(/99%\s+(\S+)/), bytes: amount * unit[prefix] };
}

function resident({ log: { pid } }) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;
}
