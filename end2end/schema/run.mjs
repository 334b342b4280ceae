// schemathesis against the demo lab, with the document that the server itself serves: node end2end/schema/run.mjs
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Report } from "../lib/report.mjs";
import { Server } from "../lib/server.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "mr-provisioner-schema-"));
const server = await Server.start({ name: "server-schema" });
const report = new Report("  ");
let tested;
try {
  const own = await ownUser();
  const result = await schemathesis(own);
  tested = await report.check("schemathesis wrote its report", () => counted(result));
  await report.check("the user and the token under test outlived it", async () => {
    const answer = await fetch(`${server.url}/api/v1/self`, { headers: { authorization: `Bearer ${own.secret}` } });
    const { admin } = await answer.json();
    if (answer.status !== 200 || !admin) throw new Error(`GET /self: ${answer.status}, admin: ${admin}`);
  });
  await report.check("the server ends when asked to", async () => {
    const how = await server.stop();
    if (how !== "exit status 0") throw new Error(`ended by ${how}`);
  });
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
report.close(tested);

/** An admin of its own with a token: what is done to the first admin must not end the run. */
async function ownUser() {
  const send = async (path, headers, body) => {
    const answer = await fetch(`${server.url}/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`);
    return { cookie: answer.headers.get("set-cookie")?.split(";")[0], body: await answer.json() };
  };
  const admin = await send("/session", {}, { username: "admin", password: server.password });
  const user = await send("/user", { cookie: admin.cookie }, { username: "schema", admin: true });
  const session = await send("/session", {}, { username: "schema", password: user.body.password });
  const token = await send("/self/token", { cookie: session.cookie }, { description: "schemathesis" });
  return { id: user.body.id, token: token.body.id, secret: token.body.secret };
}

function schemathesis({ id, token, secret }) {
  const program = process.env.SCHEMATHESIS;
  if (!program) throw new Error("SCHEMATHESIS does not name the program: use cargo xtask schema");
  const args = ["--config-file", join(here, "schemathesis.toml"), "run", `${server.url}/api/v1/openapi.json`];
  args.push("--no-color", "--header", `Authorization: Bearer ${secret}`, "--report", "json", "--report-json-path", join(folder, "report.json"));
  const environment = { ...process.env, PYTHONPATH: here, PYTHONDONTWRITEBYTECODE: "1", OWN_USER: String(id), OWN_TOKEN: String(token) };
  // its caches go with its folder
  const child = spawn(program, [...args, ...process.argv.slice(2)], { cwd: folder, env: environment, stdio: ["ignore", "inherit", "inherit"] });
  return new Promise((resolve, reject) => {
    child.once("error", reject).once("close", (status, signal) => resolve(status ?? signal));
  });
}

/** Operations without a failure, and distinct failures with the errors of schemathesis itself. */
function counted(status) {
  const result = JSON.parse(readFileSync(join(folder, "report.json"), "utf8"));
  const { operations, test_cases: cases, failures, errors, stop_reason: reason } = result;
  const bad = new Set(failures.flatMap((failure) => failure.operations));
  console.log(`schemathesis ${result.schemathesis_version}, seed ${result.seed}: ${operations.tested} of ${operations.total} operations, ${cases.generated} requests in ${result.running_time.toFixed(0)} s`);
  if (operations.tested !== operations.selected) throw new Error(`${operations.tested} of ${operations.selected} operations were tested`);
  const failed = cases.unique_failures + errors.length;
  if (failed === 0 && status !== 0) throw new Error(`schemathesis ended with ${status} (${reason}) although it names no failure`);
  return { passed: operations.tested - bad.size, failed };
}
