// Load for an HTTP server: as much as it bears or what a script of this folder asks (wrk), or a fixed count of changes.
import { spawnSync } from "node:child_process";
import { Agent, request } from "node:http";
import { fileURLToPath } from "node:url";

const SECONDS = Number(process.env.BENCH_SECONDS ?? 8);
const CONNECTIONS = 16;

/** GET, or what and when a script of this folder asks, as often as it goes: `{ rate, p50, p99 }`, in requests/s and ms. */
export function wrk(url, token, script) {
  const args = ["-t1", `-c${CONNECTIONS}`, "--latency", "-H", `Authorization: ${token}`];
  if (script) args.push("-s", fileURLToPath(new URL(script, import.meta.url)));
  const run = (seconds) => spawnSync("wrk", [...args, `-d${seconds}s`, url], { encoding: "utf8" });
  run(Math.min(2, SECONDS));
  const { stdout, status, error } = run(SECONDS);
  if (status !== 0) throw new Error(`wrk: ${error ?? stdout}`);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`not every answer was a success:\n${stdout}`);
  const find = (pattern) => pattern.exec(stdout)[1];
  return { rate: Number(find(/Requests\/sec:\s+([\d.]+)/)), p50: milliseconds(find(/^\s+50%\s+(\S+)/m)), p99: milliseconds(find(/^\s+99%\s+(\S+)/m)) };
}

function milliseconds(text) {
  const [, amount, unit] = /^([\d.]+)(us|ms|s)$/.exec(text);
  return amount * { us: 0.001, ms: 1, s: 1000 }[unit];
}

/** `count` requests, made by `next(index)` as `{ method, path, body }`, so many at a time; with a token if there is one. */
export async function all(base, token, count, next, atOnce = CONNECTIONS) {
  const client = new Client(base, token);
  const times = [];
  let index = 0;
  const start = performance.now();
  const worker = async () => {
    while (index < count) {
      const begun = performance.now();
      await client.send(next(index++));
      times.push(performance.now() - begun);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const seconds = (performance.now() - start) / 1000;
  client.close();
  return { rate: count / seconds, ...quantiles(times) };
}

function quantiles(times) {
  const sorted = times.sort((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  return { p50: at(0.5), p99: at(0.99) };
}

class Client {
  #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  #base;
  #token;

  constructor(base, token) {
    this.#base = base;
    this.#token = token;
  }

  /** Reads the answer; fails unless it is a success. */
  send({ method, path, body }) {
    return new Promise((resolve, reject) => {
      const options = { agent: this.#agent, method, headers: this.#token ? { authorization: this.#token } : {} };
      const sent = request(`${this.#base}${path}`, options, (answer) => {
        const chunks = [];
        answer.on("data", (chunk) => chunks.push(chunk)).once("error", reject);
        answer.once("end", () => {
          const text = Buffer.concat(chunks).toString();
          if (answer.statusCode < 300) resolve(text);
          else reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`));
        });
      });
      sent.once("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  close() {
    this.#agent.destroy();
  }
}
