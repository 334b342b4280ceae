// The server under test: the built binary with a data folder of its own, on a free port.
import { createSocket } from "node:dgram";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child } from "./child.mjs";

/** A port of 127.0.0.1 that nobody listens on. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** The same for UDP. */
export function freeUdpPort() {
  return new Promise((resolve, reject) => {
    const probe = createSocket("udp4").once("error", reject);
    probe.bind(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** Ours without MRP_…: those would be settings of the server under test. */
function plainEnvironment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("MRP_")));
}

export class Server {
  #child;
  #options;

  /** The address of the start page, without a slash at the end. */
  url;
  /** The first admin's password; only a server with a new data folder prints one. */
  password;

  /**
   * Starts the server and waits until it has said where it is.
   * `command` is `demo` or `serve`, `args` come after it, `name` names its log file.
   */
  static async start({ command = "demo", args = [], name = "server", listen, environment = {} } = {}) {
    const server = new Server();
    const data = mkdtempSync(join(tmpdir(), "mr-provisioner-e2e-"));
    server.data = data;
    server.#options = { command, args, name, listen: listen ?? `127.0.0.1:${await freePort()}`, environment };
    await server.#launch(true);
    return server;
  }

  async #launch(first) {
    const binary = process.env.SERVER_UNDER_TEST;
    if (!binary) throw new Error("SERVER_UNDER_TEST does not name the server's binary: use cargo xtask e2e");
    const { command, args, name, listen, environment } = this.#options;
    this.#child = new Child(first ? name : `${name}-again`, binary, [command, "--data-dir", this.data, "--listen", listen, ...args], {
      env: { ...plainEnvironment(), NO_COLOR: "1", ...environment },
    });
    const [, url] = await this.#child.line(/^(https?:\/\/[^\s/]+)\/?$/, 60);
    this.url = url;
    if (first) this.password = (await this.#child.line(/^admin password: (\S+)$/, 30))[1];
  }

  /** Ends it without a chance to tidy up, and starts it again on the same data. */
  async killAndStartAgain() {
    await this.#child.kill();
    await this.#launch(false);
  }

  get log() {
    return this.#child;
  }

  async stop() {
    const how = await this.#child.stop(15);
    rmSync(this.data, { recursive: true, force: true });
    return how;
  }
}
