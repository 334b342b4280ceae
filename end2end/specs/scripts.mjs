// "As curl": what a dialog would send, as a command that does the same.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { api, follows, logIn } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await report.need("log in", () => logIn(page, server));
  const { secret } = await api(page, "POST", "/self/token", { description: "curl" });
  const dialog = page.locator("dialog[open]");
  const go = async (path) => {
    await page.goto(`${server.url}${path}`);
    await follows(page);
  };
  /** Copies, and runs in the data folder of the server. */
  const run = async (where = dialog) => {
    await page.evaluate(() => navigator.clipboard.writeText(""));
    await where.getByTestId("as-curl").click();
    const command = await until("it is copied", 5, () => page.evaluate(() => navigator.clipboard.readText()));
    assert.match(command, /^curl -sS --fail-with-body/);
    assert.ok(!command.includes(secret));
    const said = execFileSync("sh", ["-c", command], { env: { ...process.env, MR_PROVISIONER_TOKEN: secret }, encoding: "utf8", cwd: server.data });
    return { command, said: said === "" ? undefined : JSON.parse(said) };
  };
  const close = async () => {
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "hidden" });
  };

  await report.check("a network: made, changed and deleted by what its dialogs offer", async () => {
    await go("/networks");
    await page.getByTestId("add-network").click();
    await dialog.getByLabel("Name").fill("it's");
    await dialog.locator("#network-subnet").fill("10.8.0.0/24");
    const { said } = await run();
    assert.deepEqual([said.name, said.subnet], ["it's", "10.8.0.0/24"]);
    await close();
    await go("/networks");
    await page.getByRole("button", { name: "Edit network it's" }).click();
    await dialog.locator("#network-static").fill("10.8.0.64/26");
    assert.equal((await run()).said.static_net, "10.8.0.64/26");
    await close();
    await page.getByRole("button", { name: "Delete network it's" }).click();
    await run();
    assert.deepEqual((await api(page, "GET", "/network")).filter(({ name }) => name === "it's"), []);
    await close();
  });
  await report.check("a field that is wrong says so, and nothing is copied", async () => {
    await go("/networks");
    await page.getByTestId("add-network").click();
    await dialog.getByLabel("Name").fill("wrong");
    await dialog.locator("#network-subnet").fill("10.8.0.0/99");
    await page.evaluate(() => navigator.clipboard.writeText("before"));
    await dialog.getByTestId("as-curl").click();
    await dialog.getByTestId("field-error").waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "before");
    await close();
  });
  await report.check("a BMC, without the secrets that were typed", async () => {
    await go("/bmcs");
    await page.getByTestId("add-bmc").click();
    await dialog.getByLabel("Name", { exact: true }).fill("by-script");
    await dialog.getByLabel("IP address").fill("127.0.0.9");
    await dialog.getByLabel("User name").fill("lab");
    await dialog.getByLabel("Password").fill("s3cret-s3cret");
    const { command, said } = await run();
    assert.ok(!command.includes("s3cret"), command);
    assert.deepEqual([said.name, said.username, said.has_password], ["by-script", "lab", false]);
    await close();
  });
  await report.check("a user, an architecture, a flavour of it", async () => {
    await go("/users");
    await page.getByTestId("add-user").click();
    await dialog.getByLabel("User name").fill("scripted");
    assert.equal((await run()).said.username, "scripted");
    await close();
    await go("/archs");
    await page.getByTestId("add-arch").click();
    await dialog.getByLabel("Name").fill("riscv64");
    assert.equal((await run()).said.name, "riscv64");
    await close();
    await go("/archs");
    const arch = page.locator("[data-testid=arch][data-arch=riscv64]");
    await arch.getByRole("button", { name: "Add subarchitecture" }).click();
    await dialog.getByLabel("Name").fill("efi");
    assert.equal((await run()).said.name, "efi");
    await close();
  });
  await report.check("one's own account: the profile, a session", async () => {
    await go("/account");
    await page.locator("#own-email").fill("script@lab.example");
    assert.equal((await run(page.getByRole("region", { name: "Profile" }))).said.email, "script@lab.example");
    const { status } = await fetch(`${server.url}/api/v1/session`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ username: "admin", password: server.password }),
    });
    assert.equal(Math.floor(status / 100), 2);
    await go("/account");
    await page.locator("[data-testid=sessions] tr:not([data-current]) button").first().click();
    const before = (await api(page, "GET", "/self/session")).length;
    await run();
    assert.equal((await api(page, "GET", "/self/session")).length, before - 1);
    await close();
  });
  await report.check("an upload: curl sends the file from where it stands", async () => {
    await go("/images");
    await page.getByTestId("upload-image").click();
    const panel = page.getByTestId("upload-panel");
    writeFileSync(join(server.data, "vmlinuz;6,12"), "kernel");
    await panel.getByLabel("File").setInputFiles(join(server.data, "vmlinuz;6,12"));
    await panel.getByLabel("Architecture").selectOption("x86_64");
    const { said } = await run(panel);
    assert.deepEqual([said.filename, said.size, said.type], ["vmlinuz;6,12", 6, "Kernel"]);
  });
  await report.check("a preseed, new and changed", async () => {
    await go("/preseeds/new");
    await page.locator("#preseed-name").fill("scripted");
    await page.locator("#preseed-content").fill("# it's\n\"quoted\" $HOME\n");
    const { said } = await run(page);
    assert.equal(said.content, '# it\'s\n"quoted" $HOME\n');
    await go(`/preseeds/${said.id}`);
    await page.locator("#preseed-content").fill("# changed\n");
    assert.equal((await run(page)).said.content, "# changed\n");
  });
  await report.check("no page complained", () => browser.assertQuiet());
}
