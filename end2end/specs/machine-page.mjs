// One machine's page: another architecture, interfaces with their addresses, the steps of a provisioning and how it is ended by hand.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { Browser, SESSION_ENDED } from "../lib/browser.mjs";
import { held } from "../lib/calls.mjs";
import { assertLooks } from "../lib/looks.mjs";
import { api, follows, logIn } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

export const options = { args: ["--machines", "70"] };

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  const machines = await api(page, "GET", "/machine?show_all=true");
  const named = (name) => machines.find((machine) => machine.name === name);
  const open = async (id) => {
    await page.goto(`${server.url}/machines/${id}`);
    await follows(page);
  };
  const toast = (text) => page.getByTestId("toasts").locator("[data-toast]").filter({ hasText: text });
  const own = named("x86-uefi-1");
  const read = () => api(page, "GET", `/machine/${own.id}`);
  const images = await api(page, "GET", "/image?show_all=true");
  const kernel = images.find(({ type, arch }) => type === "Kernel" && arch === "x86_64");
  const initrd = images.find(({ type, arch }) => type === "Initrd" && arch === "x86_64");

  // ------------------------------------------------------------------ head

  await report.check("a tag is typed, and refused, without moving anything", async () => {
    const tag = page.getByTestId("new-tag");
    const places = () =>
      Promise.all([tag, page.getByTestId("provision"), page.locator("#provisioning")].map(async (part) => Object.values(await part.boundingBox()).join()));
    for (const width of [1600, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      await open(own.id);
      const before = await places();
      await tag.fill("x".repeat(65));
      await page.getByTestId("tags").getByTestId("as-curl").waitFor();
      assert.deepEqual(await places(), before, `typed, at ${width}`);
      await tag.press("Enter");
      await page.locator("#tag-note").getByText(/tag must/).waitFor();
      assert.deepEqual(await places(), before, `refused, at ${width}`);
      await assertLooks(browser, page, "tag-refused");
    }
    await tag.fill("");
    await page.getByTestId("tags").getByTestId("as-curl").waitFor({ state: "hidden" });
  });
  await report.check("without a BMC there is no way to a console, and nothing to provision: the buttons say why", async () => {
    const bare = await api(page, "POST", "/machine", { name: "bare", arch: "x86_64" });
    await open(bare.id);
    for (const button of ["open-console", "provision"]) {
      assert.equal(await page.getByTestId(button).isDisabled(), true, button);
      assert.equal(await page.getByTestId(button).getAttribute("title"), "The machine has no BMC");
      // a browser shows it only of what hears the pointer
      assert.equal(await page.getByTestId(button).evaluate((element) => getComputedStyle(element).pointerEvents), "auto");
    }
    await assertLooks(browser, page, "machine-without-bmc");
    await api(page, "DELETE", `/machine/${bare.id}`);
  });
  await report.check("Disk boot stands with the other power commands", async () => {
    await open(own.id);
    await page.getByTestId("power-disk_reboot").click();
    await toast(`${own.name}: Disk boot sent.`).waitFor();
  });
  await report.check("a power button keeps the focus while its command is on its way, and sends no second one", async () => {
    const button = page.getByTestId("power-disk_reboot");
    const post = await held(page, "POST", new RegExp(`/api/v1/machine/${own.id}/power$`));
    await button.press("Enter");
    await until("the command is on its way", 5, () => post.seen() === 1);
    await until("no other is taken", 5, () => page.locator("[data-testid^=power-]").evaluateAll((all) => all.every((own) => own.disabled || own.ariaDisabled === "true")));
    assert.ok(await button.evaluate((own) => own === document.activeElement && !own.disabled));
    await page.keyboard.press("Enter");
    await post.release();
    await until("it can be pressed again", 10, async () => (await button.getAttribute("aria-disabled")) === null);
    assert.ok(await button.evaluate((own) => own === document.activeElement));
    assert.equal(post.seen(), 1);
  });
  await report.check("a reason of one long word leaves the row's buttons in reach, in its own table and in the list", async () => {
    await page.setViewportSize({ width: 1280, height: 800 });
    await api(page, "POST", "/user", { username: "wordy" });
    const given = await api(page, "POST", `/machine/${own.id}/assignee`, { user: "wordy", reason: "x".repeat(140) });
    await open(own.id);
    const area = page.getByTestId("assignees").locator("..");
    await area.getByRole("button", { name: "Remove wordy" }).waitFor();
    assert.ok(await area.evaluate((own) => own.scrollWidth <= own.clientWidth), "the table is wider than its place");
    await page.goto(`${server.url}/machines?search=${own.name}`);
    const cell = page.getByTestId("machine-row").getByTitle("wordy (xxx");
    await cell.waitFor();
    assert.ok(await cell.evaluate((own) => own.scrollWidth <= own.clientWidth), "cut off without an ellipsis");
    await api(page, "DELETE", `/machine/${own.id}/assignee/${given.id}`);
  });
  await report.check("the pickers follow the lab; what is chosen and typed stays", async () => {
    await open(own.id);
    const offered = (text) => page.locator("#preseed option").filter({ hasText: text }).count();
    await page.locator("#kernel-opts").fill("typed=1");
    const chosen = await api(page, "POST", "/preseed", { name: "made elsewhere", type: "preseed", content: "" });
    await until("the new preseed is offered", 10, async () => (await offered("made elsewhere")) === 1);
    await page.locator("#preseed").selectOption(String(chosen.id));
    const other = await api(page, "POST", "/preseed", { name: "soon gone", type: "preseed", content: "" });
    await until("another one", 10, async () => (await offered("soon gone")) === 1);
    await api(page, "DELETE", `/preseed/${other.id}`);
    await until("and no longer", 10, async () => (await offered("soon gone")) === 0);
    const { id: arch } = (await api(page, "GET", "/arch")).find(({ name }) => name === "x86_64");
    const subarch = await api(page, "POST", `/arch/${arch}/subarch`, { name: "followed", efiboot: true });
    await until("a subarchitecture", 10, async () => (await page.locator("#subarch option").filter({ hasText: "followed" }).count()) === 1);
    await api(page, "DELETE", `/arch/${arch}/subarch/${subarch.id}`);
    await until("which goes again", 10, async () => (await page.locator("#subarch option").filter({ hasText: "followed" }).count()) === 0);
    assert.deepEqual([await page.locator("#preseed").inputValue(), await page.locator("#kernel-opts").inputValue()], [String(chosen.id), "typed=1"]);
    await page.getByRole("button", { name: "Discard changes" }).click();
    await api(page, "DELETE", `/preseed/${chosen.id}`);
  });

  // ------------------------------------------------------------------ architecture

  const edit = page.getByTestId("edit-machine");
  const chooseArch = async (arch) => {
    await page.getByRole("button", { name: "Edit machine" }).click();
    await edit.locator("#edit-arch").selectOption(arch);
  };
  await report.check("another architecture offers its subarchitectures, and takes along what is of the old one", async () => {
    await api(page, "PUT", `/machine/${own.id}`, { kernel_id: kernel.id, initrd_id: initrd.id, netboot_enabled: true });
    await open(own.id);
    await page.getByRole("button", { name: "Edit machine" }).click();
    await edit.locator("#edit-arch").waitFor();
    assert.equal(await edit.locator("#edit-subarch").count(), 0);
    await edit.locator("#edit-arch").selectOption("arm64");
    assert.deepEqual(await edit.locator("#edit-subarch option").allTextContents(), ["None", "uefi"]);
    assert.equal(await edit.locator("#edit-subarch").inputValue(), "uefi");
    assert.match(await edit.getByTestId("edit-lost").textContent(), /^Kernel and initrd are for the old architecture/);
    await assertLooks(browser, page, "edit-architecture");
    await edit.getByTestId("form-send").click();
    await edit.waitFor({ state: "hidden" });
    const { arch, subarch, kernel_id, initrd_id, netboot_enabled } = await read();
    assert.deepEqual({ arch, subarch, kernel_id, initrd_id, netboot_enabled }, { arch: "arm64", subarch: "uefi", kernel_id: null, initrd_id: null, netboot_enabled: true });
    await until("the form has it too", 5, async () => (await page.locator("#subarch").inputValue()) === "uefi");
  });
  await report.check("without a subarchitecture netboot is switched off, and that is said before", async () => {
    await chooseArch("x86_64");
    await edit.locator("#edit-subarch").selectOption("");
    await edit.getByTestId("edit-lost").getByText("Netboot is switched off").waitFor();
    await edit.getByTestId("form-send").click();
    await edit.waitFor({ state: "hidden" });
    const { arch, subarch, netboot_enabled } = await read();
    assert.deepEqual({ arch, subarch, netboot_enabled }, { arch: "x86_64", subarch: null, netboot_enabled: false });
    await api(page, "PUT", `/machine/${own.id}`, { subarch: "uefi", kernel_id: kernel.id, initrd_id: initrd.id });
  });
  await report.check("the page leads to the machine's BMC and architecture", async () => {
    await open(own.id);
    await page.getByRole("link", { name: own.bmc, exact: true }).click();
    await page.waitForURL((url) => url.pathname === "/bmcs" && url.search === `?q=${own.bmc}`);
    await page.locator(`[data-bmc="${own.bmc}"]`).waitFor();
    await page.goBack();
    await page.locator("main").getByRole("link", { name: "x86_64", exact: true }).click();
    await page.waitForURL((url) => url.pathname === "/archs");
  });

  // ------------------------------------------------------------------ interfaces

  const dialog = page.getByTestId("interface-dialog");
  const interfaces = () => api(page, "GET", `/machine/${own.id}/interface`);
  const mac = "52:54:00:ee:00:01";
  await report.check("an interface with a wrong address leaves nothing behind, and the free ones are offered", async () => {
    await open(own.id);
    await page.getByTestId("add-interface").click();
    await dialog.locator("#if-mac").fill(mac);
    await dialog.locator("#if-network").selectOption({ label: "lab (10.77.0.0/16)" });
    await dialog.locator("#if-kind").selectOption("static");
    await dialog.locator("#if-address").fill("10.78.0.1");
    await dialog.getByTestId("form-send").click();
    await dialog.locator("[data-field-note=if-address]").getByText("static IP out of range").waitFor();
    assert.ok(!(await interfaces()).some((nic) => nic.mac === mac));
    const { static_ips } = await api(page, "GET", `/network/${(await api(page, "GET", "/network"))[0].id}/free?limit=20`);
    assert.deepEqual(await dialog.locator("#if-free option").evaluateAll((all) => all.map(({ value }) => value)), static_ips);
    await dialog.getByTestId("if-suggest").click();
    assert.equal(await dialog.locator("#if-address").inputValue(), static_ips[0]);
    await assertLooks(browser, page, "interface-form");
    await dialog.getByTestId("form-send").click();
    await dialog.waitFor({ state: "hidden" });
    const made = (await interfaces()).find((nic) => nic.mac === mac);
    assert.deepEqual([made.config_type_v4, made.configured_ipv4], ["static", static_ips[0]]);
  });
  await report.check("a removed interface comes back as it was", async () => {
    const [before] = (await interfaces()).filter((nic) => nic.mac === mac);
    await page.getByRole("button", { name: `Remove interface ${mac}` }).click();
    await page.locator("dialog[open]").getByTestId("confirm-action").click();
    await toast(`Interface ${mac} removed.`).getByRole("button", { name: "Undo" }).click();
    await toast("Undone").first().waitFor();
    const [after] = (await interfaces()).filter((nic) => nic.mac === mac);
    assert.deepEqual({ ...after, id: 0 }, { ...before, id: 0 });
  });
  await report.check("a changed interface is told, and comes back as it was", async () => {
    const [before] = (await interfaces()).filter((nic) => nic.mac === mac);
    await page.getByRole("button", { name: `Edit interface ${mac}` }).click();
    await dialog.locator("#if-identifier").fill("eth9");
    await dialog.locator("#if-kind").selectOption("dynamic");
    await dialog.getByTestId("form-send").click();
    await toast(`Interface ${mac} saved.`).getByRole("button", { name: "Undo" }).click();
    await until("as before", 5, async () => {
      const [after] = (await interfaces()).filter((nic) => nic.mac === mac);
      return after.identifier === before.identifier && after.configured_ipv4 === before.configured_ipv4;
    });
  });
  await report.check("netboot is undone", async () => {
    await page.getByLabel("Netboot", { exact: true }).click();
    await toast("Netboot switched on.").getByRole("button", { name: "Undo" }).click();
    await until("off again", 5, async () => (await read()).netboot_enabled === false);
  });

  await report.check("no subarchitecture with netboot on: the field says what to do before anything is sent", async () => {
    const netboot = page.getByLabel("Netboot", { exact: true });
    const note = page.locator("[data-field-note=subarch]").getByText(/^Enabled netboot requires a subarch with a valid bootloader: /);
    await api(page, "PUT", `/machine/${own.id}`, { netboot_enabled: true });
    await open(own.id);
    await page.locator("#subarch").selectOption("");
    await note.waitFor();
    const before = browser.requests.length;
    await page.getByTestId("save-provisioning").click();
    await until("the field has the focus", 5, () => page.locator("#subarch").evaluate((field) => field === document.activeElement));
    await note.waitFor();
    assert.ok(!browser.requests.slice(before).includes(`/api/v1/machine/${own.id}`));
    await assertLooks(browser, page, "netboot-needs");
    // another choice is as good as netboot off
    await page.locator("#subarch").selectOption("uefi");
    await note.waitFor({ state: "detached" });
    await page.locator("#subarch").selectOption("");
    await note.waitFor();
    await netboot.click();
    await note.waitFor({ state: "detached" });
    await page.getByTestId("save-provisioning").click();
    await toast("Settings saved.").waitFor();
    const { subarch, netboot_enabled } = await read();
    assert.deepEqual({ subarch, netboot_enabled }, { subarch: null, netboot_enabled: false });
    await api(page, "PUT", `/machine/${own.id}`, { subarch: "uefi" });
  });

  // ------------------------------------------------------------------ steps, and the end by hand

  const steps = page.getByTestId("steps");
  const status = (label) => steps.locator(`[data-step="${label}"]`).getAttribute("data-status");
  await report.check("every step of a provisioning, as it is taken", async () => {
    const preseed = await api(page, "POST", "/preseed", { name: "silent", type: "preseed", content: "# {{ hostname }}\n" });
    await api(page, "PUT", `/machine/${own.id}`, { preseed_id: preseed.id });
    await open(own.id);
    assert.equal(await steps.count(), 0);
    await api(page, "POST", `/machine/${own.id}/state`, { state: "provision" });
    for (const label of ["Asked for", "PXE set", "Reset", "Bootloader", "Configuration", "Kernel", "Initrd", "Preseed"]) {
      await steps.locator(`[data-step="${label}"][data-status=done]`).waitFor({ timeout: 30_000 });
    }
    assert.equal(await status("Phone home"), "waited for");
    assert.equal(await steps.getByTestId("steps-words").textContent(), "waiting for the installed system to phone home");
    assert.match(await steps.locator("[data-step=Kernel]").textContent(), /\d\d:\d\d:\d\d.* in .*s/);
    assert.match(await steps.locator("[data-step=Kernel] time").getAttribute("title"), /\.\d{6} UTC$/);
    assert.match(await steps.locator('[data-step="Asked for"]').textContent(), /by admin/);
  });
  await report.check("drawn by the server the same, on a desk and a telephone", async () => {
    await open(own.id);
    assert.equal(await status("Phone home"), "waited for");
    await assertLooks(browser, page, "steps");
  });
  await report.check("who would provision it is told who has it, and what would be broken off", async () => {
    await api(page, "POST", "/user", { username: "bob" });
    const given = await api(page, "POST", `/machine/${own.id}/assignee`, { user: "bob", reason: "kernel tests" });
    const question = page.getByTestId("provision-dialog");
    await page.getByTestId("provision").click();
    await question.getByTestId("provision-holders").getByText("bob has it: kernel tests.").waitFor();
    assert.match(await question.getByTestId("provision-running").textContent(), /^It is being provisioned since .*\d\d:\d\d:\d\d by admin: that would be broken off\.$/);
    await assertLooks(browser, page, "provision-disturbs");
    await api(page, "DELETE", `/machine/${own.id}/assignee/${given.id}`);
    await question.getByTestId("provision-holders").waitFor({ state: "detached" });
    await page.keyboard.press("Escape");
  });
  await report.check("who waits in vain marks it ready, and it is not installed again", async () => {
    await page.getByTestId("mark-ready").click();
    const confirm = page.locator("dialog[open]");
    assert.equal(await confirm.locator("#mark-netboot").isChecked(), true);
    await confirm.getByTestId("confirm-action").click();
    await toast("Marked ready.").waitFor();
    await page.locator("[data-testid=state][data-state=ready]").first().waitFor();
    await steps.locator('[data-step="Phone home"][data-status=done]').waitFor();
    assert.match(await steps.locator('[data-step="Phone home"]').textContent(), /marked by admin/);
    assert.deepEqual([(await read()).netboot_enabled, await page.getByTestId("mark-ready").count()], [false, 0]);
  });
  await report.check("a machine that is ready and one's own is provisioned without a warning; as curl the mark is both calls, which do it", async () => {
    await page.getByTestId("provision").click();
    const question = page.getByTestId("provision-dialog");
    await question.getByTestId("provision-confirm").waitFor();
    assert.deepEqual([await question.getByTestId("provision-holders").count(), await question.getByTestId("provision-running").count()], [0, 0]);
    await page.keyboard.press("Escape");
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    const { secret } = await api(page, "POST", "/self/token", { description: "curl" });
    await api(page, "POST", `/machine/${own.id}/state`, { state: "provision" });
    await page.getByTestId("mark-ready").click();
    await page.locator("dialog[open]").getByTestId("as-curl").click();
    await toast("Copied “Mark ready” as 2 curl commands.").waitFor();
    const command = await page.evaluate(() => navigator.clipboard.readText());
    execFileSync("sh", ["-c", command], { env: { ...process.env, MR_PROVISIONER_TOKEN: secret }, encoding: "utf8" });
    const { state, netboot_enabled } = await read();
    assert.deepEqual({ state, netboot_enabled }, { state: "ready", netboot_enabled: false });
    await page.keyboard.press("Escape");
  });
  await report.check("or failed; the time line says it in the badge's word", async () => {
    await api(page, "POST", `/machine/${own.id}/state`, { state: "provision" });
    await page.getByTestId("mark-failed").click();
    await page.locator("dialog[open]").getByTestId("confirm-action").click();
    await page.locator("[data-testid=state][data-state=error]").first().waitFor();
    await page.getByTestId("events").getByText("State: Failed by admin (api)").first().waitFor();
    await steps.locator('[data-step="Phone home"][data-status=failed]').waitFor();
    assert.equal(await steps.getByTestId("steps-words").textContent(), "failed");
  });
  await report.check("said otherwise later: the steps say what the badge says", async () => {
    const words = steps.getByTestId("steps-words");
    for (const [state, said, end] of [["ready", "ready", "done"], ["error", "failed", "failed"]]) {
      await api(page, "PUT", `/machine/${own.id}/state`, { state });
      await page.locator(`[data-testid=state][data-state=${state}]`).first().waitFor();
      await until(`the panel says ${said}`, 5, async () => (await words.textContent()) === said);
      await steps.locator(`[data-step="Phone home"][data-status=${end}]`).waitFor({ state: "attached" });
    }
  });
  await report.check("who may not change the machine ends nothing", async () => {
    const other = named("arm64-1");
    await api(page, "PUT", `/machine/${other.id}`, { kernel_id: images.find(({ type, arch }) => type === "Kernel" && arch === "arm64")?.id ?? kernel.id });
    await api(page, "POST", `/machine/${other.id}/state`, { state: "provision" });
    const { password } = await api(page, "POST", "/user", { username: "ella" });
    await api(page, "DELETE", "/session");
    await logIn(page, server, { username: "ella", password });
    await open(other.id);
    await steps.waitFor();
    assert.equal(await page.getByTestId("mark-ready").count(), 0);
    assert.equal(await page.getByTestId("open-console").isDisabled(), true);
    assert.match(await page.getByTestId("open-console").getAttribute("title"), /^Only those the machine is assigned to/);
    assert.equal(await page.locator("main").getByRole("link", { name: other.bmc, exact: true }).count(), 0);
    await api(page, "DELETE", "/session");
    await logIn(page, server);
  });

  await report.check("who loses the machine while typing sees what it has, and is told what was typed", async () => {
    const { password } = await api(page, "POST", "/user", { username: "carl" });
    await api(page, "PUT", `/machine/${own.id}`, { kernel_opts: "quiet" });
    const given = await api(page, "POST", `/machine/${own.id}/assignee`, { user: "carl" });
    const his = await Browser.launch();
    try {
      const other = await his.page();
      await logIn(other, server, { username: "carl", password });
      await other.goto(`${server.url}/machines/${own.id}`);
      await follows(other);
      await other.locator("#kernel-opts").fill("quiet nosmp");
      await other.locator("#initrd").selectOption("");
      await api(page, "DELETE", `/machine/${own.id}/assignee/${given.id}`);
      await until("the field is locked", 5, () => other.locator("#kernel-opts").isDisabled());
      assert.equal(await other.locator("#kernel-opts").inputValue(), "quiet");
      assert.equal(await other.locator("#initrd").inputValue(), String(initrd.id));
      const told = other.getByTestId("toasts").locator("[data-toast=error]");
      assert.equal(await told.textContent(), "You can no longer change this machine. What you had not saved: initrd none, kernel options quiet nosmp.");
      assert.equal(await other.getByTestId("open-console").isDisabled(), true);
      his.assertQuiet();
    } finally {
      await his.close();
    }
  });

  // ------------------------------------------------------------------ times, names, finding

  await report.check("the time line breaks sentences between words", async () => {
    const silent = named("arm64-2");
    const bmc = (await api(page, "GET", "/bmc")).find(({ id }) => id === silent.bmc_id);
    // nobody listens there
    await api(page, "PUT", `/bmc/${bmc.id}`, { name: bmc.name, ip: "127.0.0.1", port: 9 });
    await assert.rejects(api(page, "POST", `/machine/${silent.id}/power`, { state: "on" }), /no answer/);
    browser.takeMessages([/^500 .*\/power/, /status of 500/, /400 .*\/interface/, /status of 400/, ...SESSION_ENDED]).forEach((message) => assert.fail(message));
    await page.setViewportSize({ width: 360, height: 800 });
    await open(silent.id);
    const detail = page.locator("[data-event=BMC_ERROR] p").nth(1);
    await detail.waitFor();
    const broken = await detail.evaluate((element) => {
      const text = element.firstChild;
      return [...text.data.matchAll(/\S+/g)]
        .filter(({ 0: word, index }) => {
          const range = document.createRange();
          range.setStart(text, index);
          range.setEnd(text, index + word.length);
          return range.getClientRects().length > 1;
        })
        .map(([word]) => word);
    });
    assert.deepEqual(broken, []);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  await report.check("the console's last output has its exact time", async () => {
    await open(own.id);
    const at = page.getByText("last output").locator("time");
    await at.waitFor();
    assert.match(await at.getAttribute("title"), / UTC$/);
    await page.goto(`${server.url}/bmcs`);
    await until("an answer has its exact time", 20, async () => (await page.getByTestId("bmc-health-note").locator("time[title$=UTC]").count()) > 0);
  });
  await report.check("a name of 250 letters breaks, and the page does not", async () => {
    const long = await api(page, "POST", "/machine", { name: "n".repeat(250), arch: "x86_64" });
    for (const width of [1440, 360]) {
      await page.setViewportSize({ width, height: 800 });
      await open(long.id);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${over} px too wide at ${width}`);
    }
    await page.setViewportSize({ width: 1280, height: 800 });
    await api(page, "DELETE", `/machine/${long.id}`);
  });
  await report.check("a preseed is tried with any machine: what is not offered is found by the server, and that is said", async () => {
    await page.goto(`${server.url}/preseeds/new`);
    await page.getByText(/^50 of 7\d machines: the search finds the others\.$/).waitFor();
    const offered = () => page.locator("#preview-machine option").allTextContents();
    const [{ name: last }] = await api(page, "GET", "/machine?show_all=true&sort=-name&limit=1");
    assert.ok(!(await offered()).includes(last));
    await page.getByTestId("preview-search").fill(last);
    await until("it is found", 5, async () => (await offered()).includes(last));
    await page.locator("#preview-machine").selectOption({ label: last });
    await page.getByTestId("preview-search").fill("arm64-2");
    await until("another is found", 5, async () => (await offered()).includes("arm64-2"));
    assert.equal(await page.locator("#preview-machine option:checked").textContent(), last);
    await page.getByTestId("preview-search").fill("no such machine");
    await page.getByText("No machine matches.").waitFor();
  });
  // the address above is refused on purpose
  await report.check("no page complained", () => browser.assertQuiet([/400 .*\/interface/, /status of 400/]));
}
