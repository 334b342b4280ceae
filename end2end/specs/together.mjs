// Two people edit the same thing in a dialog: who is later is told, loses nothing, and decides who wins.
import assert from "node:assert/strict";
import { assertLooks } from "../lib/looks.mjs";
import { api, follows, logIn, uploadImage } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  const versions = [];
  page.on("request", (request) => {
    if (request.method() === "PUT") versions.push(request.headers()["if-match"]);
  });
  await report.need("log in", () => logIn(page, server));
  await report.need("something of each kind", async () => {
    await api(page, "POST", "/network", { name: "net", subnet: "10.9.0.0/24" });
    await api(page, "POST", "/user", { username: "ann" });
    await uploadImage(page, server, { file: { name: "vmlinuz-t", mimeType: "application/octet-stream", buffer: Buffer.alloc(100) }, type: "Kernel", arch: "x86_64", description: "old" });
  });
  const [machine] = await api(page, "GET", "/machine?show_all=true");
  const arch = (await api(page, "GET", "/arch")).find(({ subarchs }) => subarchs.length > 0);
  const [subarch] = arch.subarchs;
  const network = (await api(page, "GET", "/network")).find(({ name }) => name === "net");
  const user = (await api(page, "GET", "/user")).find(({ username }) => username === "ann");
  const image = (await api(page, "GET", "/image?show_all=true")).find(({ filename }) => filename === "vmlinuz-t");
  const [bmc] = await api(page, "GET", "/bmc");
  const [nic] = await api(page, "GET", `/machine/${machine.id}/interface`);
  const assignee = await api(page, "POST", `/machine/${machine.id}/assignee`, { user: "ann", reason: "old" });

  const machinePage = `/machines/${machine.id}`;
  const rest = { network: { name: network.name, subnet: network.subnet }, bmc: { name: bmc.name, ip: bmc.ip }, subarch: { name: subarch.name, efiboot: subarch.efiboot }, arch: { name: arch.name } };
  // [what, page, its button, the field, where it is, what the field is in the API, what else a PUT must say]
  const EDITORS = [
    ["network", "/networks", "Edit network net", "#network-reserved", `/network/${network.id}`, "reserved_net", rest.network, ["10.9.0.0/28", "10.9.0.16/28", "10.9.0.32/28"]],
    ["BMC", "/bmcs", `Edit BMC ${bmc.name}`, "#bmc-username", `/bmc/${bmc.id}`, "username", rest.bmc],
    ["user", "/users", "Edit user ann", "#edit-user-email", `/user/${user.id}`, "email", {}, ["a@lab", "b@lab", "c@lab"]],
    ["image", "/images", /^Edit image vmlinuz-t /, "#edit-image-description", `/image/${image.id}`, "description", {}],
    ["architecture", "/archs", `Edit architecture ${arch.name}`, "#arch-description", `/arch/${arch.id}`, "description", rest.arch],
    ["subarchitecture", "/archs", `Edit subarchitecture ${subarch.name}`, "#subarch-description", `/arch/${arch.id}/subarch/${subarch.id}`, "description", rest.subarch],
    ["interface", machinePage, `Edit interface ${nic.mac}`, "#if-identifier", `/machine/${machine.id}/interface/${nic.id}`, "identifier", {}, ["eth1", "eth2", "eth3"]],
    ["assignment", machinePage, "Edit reason of ann", "#change-reason", `/machine/${machine.id}/assignee/${assignee.id}`, "reason", {}],
    ["machine", machinePage, "Edit machine", "#edit-name", `/machine/${machine.id}`, "name", {}, ["renamed-1", "renamed-2", "renamed-3"]],
  ];
  for (const [what, address, button, field, path, member, body, [theirs, mine, last] = ["theirs", "mine", "mine-again"]] of EDITORS) {
    await report.check(`${what}: the later one is told, sees what the other wrote, and nothing typed is lost`, async () => {
      await page.goto(`${server.url}${address}`);
      await follows(page);
      await page.getByRole("button", { name: button, exact: true }).first().click();
      const dialog = page.locator("dialog[open]");
      const input = dialog.locator(field);
      const save = () => dialog.getByRole("button", { name: "Save", exact: true }).click();
      const there = async () => (await api(page, "GET", path))[member];
      const notice = dialog.getByTestId("overtaken");
      await input.fill(mine);
      await api(page, "PUT", path, { ...body, [member]: theirs });
      await save();
      await notice.waitFor();
      assert.equal(await input.inputValue(), mine);
      assert.equal(await there(), theirs);
      if (["network", "BMC", "interface", "machine"].includes(what)) {
        // the field that differs, and no other
        const lines = await notice.getByTestId("theirs").getByRole("listitem").allTextContents();
        assert.equal(lines.length, 1, lines.join());
        assert.ok(lines[0].includes(mine) && lines[0].includes(theirs), lines[0]);
      }
      if (what === "network") await assertLooks(browser, page, "together");
      await notice.getByRole("button", { name: "take theirs" }).click();
      await until("their value", 5, async () => (await input.inputValue()) === theirs);
      assert.equal(await notice.count(), 0);
      assert.ok(await dialog.evaluate((dialog) => dialog.contains(document.activeElement)), "the focus has left the dialog");
      // now knowingly over what a third one did
      await input.fill(last);
      await api(page, "PUT", path, { ...body, [member]: mine });
      await save();
      await notice.waitFor();
      versions.length = 0;
      await save();
      await dialog.waitFor({ state: "hidden" });
      assert.equal(await there(), last);
      assert.match(versions.at(-1) ?? "none", /^"/, "no If-Match");
    });
  }
  await report.check("somebody comes between the look and the change: the API refuses (412), and the form asks all the same", async () => {
    await page.goto(`${server.url}/networks`);
    await follows(page);
    await page.getByRole("button", { name: "Edit network net" }).click();
    const dialog = page.locator("dialog[open]");
    await dialog.locator("#network-static").fill("10.9.0.64/28");
    let first = true;
    await page.route(`**/api/v1/network/${network.id}`, async (route) => {
      if (route.request().method() === "PUT" && first) {
        first = false;
        await page.context().request.put(route.request().url(), { data: { name: "net", subnet: "10.9.0.0/25" }, headers: { origin: server.url } });
      }
      await route.continue();
    });
    await dialog.getByRole("button", { name: "Save", exact: true }).click();
    await dialog.getByTestId("overtaken").waitFor();
    assert.equal((await api(page, "GET", `/network/${network.id}`)).subnet, "10.9.0.0/25");
    browser.takeMessages([/^412 /, /status of 412/]);
    await dialog.getByRole("button", { name: "Save", exact: true }).click();
    await dialog.waitFor({ state: "hidden" });
    assert.equal((await api(page, "GET", `/network/${network.id}`)).static_net, "10.9.0.64/28");
    await page.unroute(`**/api/v1/network/${network.id}`);
  });
  await report.check("what changes by itself is no change of somebody else's", async () => {
    await page.goto(`${server.url}/bmcs`);
    await follows(page);
    const own = (await api(page, "GET", "/bmc"))[0];
    await page.getByRole("button", { name: `Edit BMC ${own.name}`, exact: true }).click();
    const dialog = page.locator("dialog[open]");
    // a machine less behind it
    await api(page, "PUT", `/machine/${machine.id}`, { bmc_id: machine.bmc_id === own.id ? null : own.id });
    await dialog.locator("#bmc-name").fill("renamed-bmc");
    await dialog.getByRole("button", { name: "Save", exact: true }).click();
    await dialog.waitFor({ state: "hidden" });
    assert.equal((await api(page, "GET", `/bmc/${own.id}`)).name, "renamed-bmc");
  });
  await report.check("one's own account in two tabs", async () => {
    await page.goto(`${server.url}/account`);
    await follows(page);
    await page.locator("#own-email").fill("mine@lab");
    await api(page, "PUT", "/self", { email: "theirs@lab" });
    const profile = page.getByRole("region", { name: "Profile" });
    await profile.getByRole("button", { name: "Save" }).click();
    await page.getByTestId("overtaken").getByRole("button", { name: "take theirs" }).click();
    await until("theirs", 5, async () => (await page.locator("#own-email").inputValue()) === "theirs@lab");
    await page.locator("#own-email").fill("mine@lab");
    const saved = page.getByTestId("toasts").locator("[data-toast]").filter({ hasText: "Account saved." });
    for (let again = 0; again < 2; again += 1) {
      await profile.getByRole("button", { name: "Save" }).click();
      // equal messages are one
      await saved.getByRole("button", { name: "Close message" }).click();
      await saved.waitFor({ state: "detached" });
    }
    assert.equal(await page.getByTestId("overtaken").count(), 0, "overtaken by oneself");
  });
  await report.check("no page complained", () => browser.assertQuiet());
}
