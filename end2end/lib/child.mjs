// Child processes that end with the test, by the id they were started with.
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Logs and screenshots of the last run. */
export const OUT = join(dirname(fileURLToPath(import.meta.url)), "..", "out");
mkdirSync(OUT, { recursive: true });

const running = new Set();

export class Child {
  #process;
  #lines = [];
  #waiting = new Set();
  /** How it ended; undefined while it runs. */
  ended;

  /** Starts `program`; all it prints goes to `out/<name>.log` and can be waited for with `line`. */
  constructor(name, program, args, options = {}) {
    this.name = name;
    const log = createWriteStream(join(OUT, `${name}.log`));
    this.#process = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
    running.add(this);
    this.exit = new Promise((resolve) => {
      this.#process.once("error", (error) => this.#end(String(error), resolve));
      this.#process.once("close", (code, signal) => this.#end(signal ?? `exit status ${code}`, resolve));
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      let rest = "";
      stream.setEncoding("utf8").on("data", (text) => {
        log.write(text);
        const lines = (rest + text).split("\n");
        rest = lines.pop();
        for (const line of lines) this.#said(line);
      });
    }
  }

  get pid() {
    return this.#process.pid;
  }

  #said(line) {
    this.#lines.push(line);
    for (const ask of this.#waiting) ask();
  }

  #end(how, resolve) {
    this.ended ??= how;
    running.delete(this);
    for (const ask of this.#waiting) ask();
    resolve(this.ended);
  }

  /** The first line that matches, now or later, as the result of the regular expression. */
  line(pattern, seconds = 30) {
    return new Promise((resolve, reject) => {
      const finish = (settle, value) => {
        clearTimeout(timer);
        this.#waiting.delete(ask);
        settle(value);
      };
      const fail = (why) => finish(reject, new Error(`${this.name}: ${why}, no line ${pattern}; it said:\n${this.#lines.slice(-15).join("\n")}`));
      const timer = setTimeout(() => fail(`${seconds} s are over`), seconds * 1000);
      const ask = () => {
        const found = this.#lines.map((line) => pattern.exec(line)).find(Boolean);
        if (found) finish(resolve, found);
        else if (this.ended !== undefined) fail(`ended (${this.ended})`);
      };
      this.#waiting.add(ask);
      ask();
    });
  }

  /** How many lines match so far. */
  count(pattern) {
    return this.#lines.filter((line) => pattern.test(line)).length;
  }

  /** Asks it to end, and makes it end when it does not within some seconds. */
  async stop(seconds = 5) {
    if (this.ended !== undefined) return this.ended;
    this.#process.kill("SIGTERM");
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), seconds * 1000);
    const how = await this.exit;
    clearTimeout(timer);
    return how;
  }

  /** At once, as a power cut. */
  async kill() {
    if (this.ended === undefined) this.#process.kill("SIGKILL");
    return this.exit;
  }

  killNow() {
    this.#process.kill("SIGKILL");
  }
}

// Whatever way the test ends, nothing stays behind.
process.on("exit", () => running.forEach((child) => child.killNow()));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));
