// One power status: our client with a session that is kept and with a fresh one, against ipmitool as a process, which
// is how the original did it. Both ask the same ipmi_sim.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Machine } from "../lab/machine.mjs";
import { until } from "../lib/report.mjs";
import { figure, median } from "./figures.mjs";

const COUNT = 200;
const PROCESSES = 30;

const folder = mkdtempSync(join(tmpdir(), "mr-provisioner-bench-ipmi-"));
const machine = new Machine({ name: "bench", firmware: "bios", mac: "52:54:00:77:00:01", tap: "none", bmc: "127.0.78.1", folder });
// ipmi_sim asks this process for the power state, so nothing here may block it
const output = (program, args, environment = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.once("error", reject).stdout.on("data", (bytes) => (text += bytes));
    child.once("close", (status) => (status === 0 ? resolve(text) : reject(new Error(`${program}: exit status ${status}`))));
  });

try {
  await machine.start();
  const ipmitool = () => output("ipmitool", ["-I", "lanplus", "-C", "3", "-H", machine.bmc, "-U", machine.user, "-E", "chassis", "power", "status"], { IPMI_PASSWORD: machine.password });
  await until("ipmi_sim answers", 10, async () => /is off/.test(await ipmitool()));
  const times = [];
  for (let run = 0; run < PROCESSES; run += 1) {
    const start = performance.now();
    await ipmitool();
    times.push(performance.now() - start);
  }
  const said = await output(process.env.LATENCY_UNDER_TEST, [`${machine.bmc}:623`, machine.user, String(COUNT)], { IPMI_PASSWORD: machine.password });
  const milliseconds = (word) => Number(new RegExp(`^${word} (\\d+)$`, "m").exec(said)[1]) / 1000;
  const theirs = median(times);
  const line = (name, ours) => figure({ name, ours, unit: "ms", peer: "ipmitool -C 3 process", theirs, better: "less" });
  line("power status, kept session", milliseconds("kept"));
  line("power status, fresh session", milliseconds("fresh"));
} finally {
  await machine.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
