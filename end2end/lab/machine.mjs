// A machine with real firmware (QEMU), its serial line, and a BMC (ipmi_sim) that switches it.
import { mkdirSync, copyFileSync, existsSync, writeFileSync, createWriteStream } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Child, OUT } from "../lib/child.mjs";

const CHASSIS = join(dirname(fileURLToPath(import.meta.url)), "chassis.mjs");

export class Machine {
  #vm;
  #starts = 0;
  #boot = "none";
  #serial = "";
  #sol = new Set();
  #uart;
  #servers = [];
  #commands = [];

  /**
   * `firmware` is bios or uefi, `tap` its port on the bridge, `bmc` the address of its BMC (UDP port 623) on loopback.
   */
  constructor({ name, firmware, mac, tap, bmc, folder }) {
    Object.assign(this, { name, firmware, mac, tap, bmc, folder: join(folder, name) });
    this.user = "lab";
    this.password = "lab-secret";
    mkdirSync(join(this.folder, "state"), { recursive: true });
    this.#serialLog = createWriteStream(join(OUT, `lab-${name}-serial.log`));
  }
  #serialLog;

  /** Starts the BMC; the machine stays off. */
  async start() {
    const serialPort = await this.#listen({ host: this.bmc, port: 0 }, (socket) => this.#solConnected(socket));
    await this.#listen({ path: this.#path("uart") }, (socket) => this.#uartConnected(socket));
    await this.#listen({ path: this.#path("switch"), allowHalfOpen: true }, (socket) => this.#switched(socket));
    writeFileSync(
      this.#path("bmc.emu"),
      `mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
mc_enable 0x20
`,
    );
    const guid = Buffer.from(this.name.padEnd(16, "\0").slice(0, 16)).toString("hex");
    writeFileSync(
      this.#path("lan.conf"),
      `name "${this.name}"
set_working_mc 0x20
  startlan 1
    addr ${this.bmc} 623
    priv_limit admin
    allowed_auths_callback none
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid ${guid}
  endlan
  chassis_control "${process.execPath} ${CHASSIS} ${this.#path("switch")}"
  sol "tcp:${this.bmc}:${serialPort}" 115200 history=16000
  user 2 true "${this.user}" "${this.password}" admin 20 none md2 md5 straight
`,
    );
    this.#simulator = new Child(`lab-${this.name}-bmc`, "ipmi_sim", ["-n", "-c", "lan.conf", "-f", "bmc.emu", "-s", "state"], { cwd: this.folder });
  }
  #simulator;

  #path(name) {
    return join(this.folder, name);
  }

  #listen(where, connected) {
    return new Promise((resolve, reject) => {
      const server = createServer({ allowHalfOpen: where.allowHalfOpen ?? false }, connected).once("error", reject);
      this.#servers.push(server);
      server.listen(where, () => resolve(server.address().port));
    });
  }

  // --- the serial line: it is there whether or not the machine is on, as a real one, so the BMC loses none of the
  // firmware's first words by having to connect anew.

  #solConnected(socket) {
    this.#sol.add(socket.on("error", () => {}).once("close", () => this.#sol.delete(socket)));
    socket.on("data", (typed) => this.#uart?.write(typed));
  }

  #uartConnected(socket) {
    this.#uart = socket.on("error", () => {});
    socket.on("data", (bytes) => {
      this.#serial += bytes.toString("latin1");
      this.#serialLog.write(bytes);
      for (const viewer of this.#sol) viewer.write(bytes);
    });
  }

  /** All that came out of the serial port since the lab began. */
  get serial() {
    return this.#serial;
  }

  // --- the power switch, asked by ipmi_sim through chassis.mjs

  #switched(socket) {
    let request = "";
    socket.on("error", () => {}).on("data", (bytes) => (request += bytes));
    socket.once("end", async () => {
      const [operation, ...words] = request.trim().split(" ");
      if (operation === "set") await this.#set(words);
      socket.end(operation === "get" ? words.map((what) => `${what}:${this.#ask(what)}\n`).join("") : "");
    });
  }

  #ask(what) {
    if (what === "power") return this.on ? 1 : 0;
    return what === "boot" ? this.#boot : 0;
  }

  async #set(words) {
    for (let at = 0; at + 1 < words.length; at += 2) {
      const [what, value] = [words[at], words[at + 1]];
      this.#commands.push(`${what} ${value}`);
      if (what === "boot") this.#boot = value;
      else if (what === "power") await (value === "1" ? this.powerOn() : this.powerOff());
      // A reset that must see another boot device is a stop and a start.
      else if (what === "reset" && this.on) await this.powerOff().then(() => this.powerOn());
      else if (what === "shutdown") await this.powerOff();
    }
  }

  /** What the BMC did to the machine, in order: `power 1`, `boot pxe`, … */
  get commands() {
    return this.#commands;
  }

  get on() {
    return this.#vm !== undefined && this.#vm.ended === undefined;
  }

  async powerOn() {
    if (this.on) return;
    this.#starts += 1;
    // The signed GRUB is out of memory with 256 MB under OVMF; BIOS is content with little.
    // QEMU's firmware does not ask its BMC for the boot device, so it is told by the order of boot devices.
    const order = { pxe: "n", cdrom: "d" }[this.#boot] ?? "c";
    const card = `virtio-net-pci,netdev=lan,mac=${this.mac}`;
    const firmware =
      this.firmware === "uefi"
        ? ["-machine", "q35,graphics=off", "-device", `${card},romfile=`, ...this.#flash()]
        : ["-machine", "pc,graphics=off", "-device", card];
    this.#vm = new Child(`lab-${this.name}-qemu-${this.#starts}`, "qemu-system-x86_64", [
      ...["-accel", "tcg", "-m", this.firmware === "uefi" ? "512" : "160", "-display", "none", "-monitor", "none", "-no-reboot"],
      ...firmware,
      ...["-boot", order],
      ...["-netdev", `tap,id=lan,ifname=${this.tap},script=no,downscript=no`],
      ...["-chardev", `socket,id=uart,path=${this.#path("uart")}`, "-serial", "chardev:uart"],
    ]);
  }

  async powerOff() {
    await this.#vm?.stop();
  }

  #flash() {
    const variables = this.#path("variables.fd");
    if (!existsSync(variables)) copyFileSync("/usr/share/OVMF/OVMF_VARS_4M.fd", variables);
    return [
      ...["-drive", "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd"],
      ...["-drive", `if=pflash,format=raw,file=${variables}`],
    ];
  }

  async stop() {
    await this.powerOff();
    await this.#simulator?.stop();
    for (const socket of this.#sol) socket.destroy();
    this.#uart?.destroy();
    for (const server of this.#servers) server.close();
  }
}
