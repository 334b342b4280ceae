// Deleting what is used: its users are told, and what becomes of them is asked.
import assert from "node:assert/strict";
import { assertLooks } from "../lib/looks.mjs";
import { api, createPreseed, logIn, uploadImage } from "../lib/pages.mjs";

const IN_USE = [/^409 /, /status of 409/];

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  const [own] = await api(page, "GET", "/machine?show_all=true");
  const machine = () => api(page, "GET", `/machine/${own.id}`);
  const upload = (name) =>
    uploadImage(page, server, { file: { name, mimeType: "application/octet-stream", buffer: Buffer.from(name) }, type: "Kernel", arch: own.arch, description: "" });
  for (const name of ["vmlinuz-old", "vmlinuz-new"]) await upload(name);
  const image = async (name) => (await api(page, "GET", "/image?show_all=true")).find(({ filename }) => filename === name);
  await api(page, "PUT", `/machine/${own.id}`, { kernel_id: (await image("vmlinuz-old")).id });
  // the palette in the header has one of its own
  const dialog = page.getByRole("main").getByTestId("confirm");
  const uses = dialog.getByTestId("uses");
  const agree = async () => {
    await dialog.getByTestId("acknowledge").check();
    await dialog.getByTestId("confirm-action").click();
  };
  const remove = async (label) => {
    await page.getByRole("button", { name: `Delete ${label}` }).click();
    await agree();
  };
  const again = async (label) => {
    const choice = dialog.locator("#removal option").filter({ hasText: label });
    await dialog.locator("#removal").selectOption(await choice.getAttribute("value"));
    await dialog.getByTestId("confirm-action").click();
    await dialog.waitFor({ state: "hidden" });
  };

  const used = page.getByTestId("used-by");
  const usedBy = async (what, link) => {
    await page.getByRole("button", { name: new RegExp(`^What uses ${what}($| \\()`) }).click();
    await link.waitFor();
  };
  await report.check("I5, AR1: what uses an image, an architecture or a flavour of it is told before anything is deleted", async () => {
    await page.goto(`${server.url}/images`);
    await usedBy("image vmlinuz-old", used.getByRole("listitem").filter({ hasText: `${own.name}, kernel` }));
    await assertLooks(browser, page, "used-by");
    await page.keyboard.press("Escape");
    await usedBy("image vmlinuz-new", used.getByTestId("unused"));
    await page.goto(`${server.url}/archs`);
    await usedBy(`architecture ${own.arch}`, used.getByRole("listitem").filter({ hasText: "vmlinuz-new, image" }));
    await used.getByRole("link", { name: own.name, exact: true }).waitFor();
    await page.keyboard.press("Escape");
    await usedBy(`subarchitecture ${own.arch} / ${own.subarch}`, used.getByRole("link", { name: own.name, exact: true }));
    await page.keyboard.press("Escape");
  });
  await report.check("an image that a machine boots: which machine, and as what", async () => {
    await page.goto(`${server.url}/images`);
    await remove("image vmlinuz-old");
    await uses.getByText("It is used by 1 thing").waitFor();
    assert.equal(await uses.getByRole("link", { name: own.name }).getAttribute("href"), `/machines/${own.id}`);
    assert.match(await uses.textContent(), /as kernel/);
    // the same kind, for the same architecture
    const offered = await dialog.locator("#removal option").allTextContents();
    assert.match(offered.join("\n"), new RegExp(`^They get vmlinuz-new \\(${own.arch}, .*\\) instead$`, "m"));
    assert.ok(!offered.some((label) => label.includes("vmlinuz-old")));
    browser.takeMessages(IN_USE);
    await assertLooks(browser, page, "removal");
  });
  await report.check("they are named once, and nothing can be sent before it is chosen what becomes of them", async () => {
    assert.equal(await dialog.getByTestId("form-errors").textContent(), "");
    const removal = dialog.locator("#removal");
    assert.ok(await removal.evaluate((own) => own === document.activeElement));
    assert.equal(await removal.locator("option:checked").textContent(), "Choose…");
    assert.ok(await dialog.getByTestId("confirm-action").isDisabled());
    await removal.selectOption({ label: "They go on without it" });
    assert.ok(await dialog.getByTestId("confirm-action").isEnabled());
  });
  await report.check("its users get another, and it is gone", async () => {
    await again(/^They get vmlinuz-new .* instead$/);
    assert.equal(await image("vmlinuz-old"), undefined);
    assert.equal((await machine()).kernel_id, (await image("vmlinuz-new")).id);
  });
  await report.check("another time nothing of the last question is left", async () => {
    await upload("vmlinuz-spare");
    await page.goto(`${server.url}/images`);
    await remove("image vmlinuz-new");
    await uses.waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Delete image vmlinuz-spare" }).click();
    await dialog.getByTestId("acknowledge").waitFor();
    assert.equal(await uses.count(), 0);
    await agree();
    await dialog.waitFor({ state: "hidden" });
    assert.equal(await image("vmlinuz-spare"), undefined);
    assert.ok(await image("vmlinuz-new"));
    browser.takeMessages(IN_USE);
  });
  await report.check("a preseed: the machine goes on without it", async () => {
    await createPreseed(page, server, { name: "used", content: "x" });
    const preseed = Number(new URL(page.url()).pathname.split("/").at(-1));
    await api(page, "PUT", `/machine/${own.id}`, { preseed_id: preseed });
    await page.getByTestId("used-by-open").click();
    await used.getByRole("link", { name: own.name }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Delete", exact: true }).first().click();
    await agree();
    await uses.getByRole("link", { name: own.name }).waitFor();
    await again("They go on without it");
    await page.waitForURL(/\/preseeds$/);
    assert.equal((await machine()).preseed_id, null);
    browser.takeMessages(IN_USE);
  });
  await report.check("a user: another has the machines", async () => {
    for (const username of ["ann", "bob"]) await api(page, "POST", "/user", { username });
    await api(page, "POST", `/machine/${own.id}/assignee`, { user: "ann", reason: "tests" });
    await page.goto(`${server.url}/users`);
    await usedBy("user ann", used.getByRole("listitem").filter({ hasText: `${own.name}, assigned machine` }));
    await page.keyboard.press("Escape");
    await remove("user ann");
    await uses.getByText("as assignee").waitFor();
    await again("They get bob instead");
    assert.deepEqual((await machine()).assignees.map(({ user }) => user), ["bob"]);
    browser.takeMessages(IN_USE);
  });
  await report.check("a network: what addresses are lost without it, and which network has no room for them", async () => {
    const made = await api(page, "POST", "/network", { name: "going", subnet: "10.55.0.0/24", static_net: "10.55.0.0/25" });
    const other = await api(page, "POST", "/network", { name: "elsewhere", subnet: "10.56.0.0/24", static_net: "10.56.0.0/25" });
    const [nic] = await api(page, "GET", `/machine/${own.id}/interface`);
    const at = `/machine/${own.id}/interface/${nic.id}`;
    await api(page, "PUT", at, { network_id: made.id, config_type_v4: "static", configured_ipv4: "10.55.0.7" });
    await page.goto(`${server.url}/networks`);
    await remove("network going");
    await uses.getByRole("listitem").filter({ hasText: "without it loses 10.55.0.7" }).waitFor();
    const offered = await dialog.locator("#removal option").allTextContents();
    assert.ok(!offered.some((label) => label.includes("elsewhere")), offered.join());
    // who asks for it all the same is told whose address it is
    const refused = await api(page, "DELETE", `/network/${made.id}?replace_with=${other.id}`).then(() => "nothing", String);
    assert.match(refused, new RegExp(`machine ${own.name} \\(10\\.55\\.0\\.7\\)`));
    assert.equal((await api(page, "GET", at)).configured_ipv4, "10.55.0.7");
    await again("They go on without it");
    assert.equal((await api(page, "GET", at)).network_id, null);
    browser.takeMessages(IN_USE);
  });
  await report.check("B8: a flavour that machines boot by: the API's reason, and what to do", async () => {
    const kernel = (await image("vmlinuz-new")).id;
    await api(page, "PUT", `/machine/${own.id}`, { kernel_id: kernel, netboot_enabled: true });
    await page.goto(`${server.url}/archs`);
    await page.locator(`[data-arch="${own.arch}"]`).getByRole("button", { name: `Delete subarchitecture ${own.subarch}`, exact: true }).click();
    await agree();
    await uses.waitFor();
    await dialog.locator("#removal").selectOption({ label: "They go on without it" });
    await dialog.getByTestId("confirm-action").click();
    const errors = dialog.getByTestId("form-errors");
    await errors.getByText(`the bootloader of ${own.subarch} is in use by`).waitFor();
    await errors.getByText(/switch netboot off on .* first/).waitFor();
    assert.match(await errors.textContent(), new RegExp(own.name));
    await page.keyboard.press("Escape");
    await api(page, "PUT", `/machine/${own.id}`, { netboot_enabled: false });
    browser.takeMessages(IN_USE);
  });
  await report.check("AR1: an architecture cannot be done without: that is not offered", async () => {
    const whole = (await api(page, "GET", "/arch")).find(({ name }) => name === own.arch);
    await api(page, "POST", `/arch/${whole.id}/subarch`, { name: "only-here" });
    await page.goto(`${server.url}/archs`);
    await page.getByRole("button", { name: `Delete architecture ${own.arch}` }).click();
    await agree();
    await uses.waitFor();
    await dialog.getByRole("heading", { name: "Delete architecture", exact: true }).waitFor();
    const archs = await api(page, "GET", "/arch");
    const others = archs.filter(({ name }) => name !== own.arch);
    const offered = await dialog.locator("#removal option").allTextContents();
    assert.deepEqual(offered.toSorted(), ["Choose…", ...others.map(({ name }) => `They get ${name} instead`)].toSorted());
    // what the other one cannot give them is said before it is sent
    await dialog.locator("#removal").selectOption({ label: `They get ${others[0].name} instead` });
    const flavours = archs.find(({ name }) => name === own.arch).subarchs.map(({ name }) => name);
    const missing = flavours.filter((name) => !others[0].subarchs.some((other) => other.name === name));
    assert.ok(missing.includes("only-here"));
    await dialog.getByTestId("lost-flavours").getByText(`Machines whose subarchitecture ${others[0].name} does not have lose it: ${missing.join(", ")}.`).waitFor();
    // somebody else was quicker: said with the API's words
    const refusal = { error_type: "InUse", errors: [`architecture ${own.arch} is in use by machine ${own.name}`], status: 409, title: "Conflict", in_use_by: [{ kind: "machine", role: "arch", id: own.id, name: own.name }] };
    const still = (route) => route.fulfill({ status: 409, contentType: "application/json", body: JSON.stringify(refusal) });
    await page.route(/replace_with/, still);
    await dialog.getByTestId("confirm-action").click();
    await dialog.getByTestId("form-errors").getByText(/still in use/).waitFor();
    await dialog.getByTestId("form-errors").getByText(refusal.errors[0]).waitFor();
    assert.equal(await uses.count(), 1);
    await page.unroute(/replace_with/, still);
    await page.keyboard.press("Escape");
    browser.takeMessages(IN_USE);
    await page.getByRole("button", { name: `Delete subarchitecture ${own.subarch}`, exact: true }).first().click();
    await dialog.getByRole("heading", { name: "Delete subarchitecture", exact: true }).waitFor();
    await page.keyboard.press("Escape");
  });
  await report.check("AR1: where there is no other, that is said, and nothing can be sent", async () => {
    for (const arch of await api(page, "GET", "/arch")) {
      if (arch.name !== own.arch) await api(page, "DELETE", `/arch/${arch.id}?replace_with=${(await api(page, "GET", "/arch")).find(({ name }) => name === own.arch).id}`);
    }
    await page.goto(`${server.url}/archs`);
    await page.getByRole("button", { name: `Delete architecture ${own.arch}` }).click();
    await agree();
    await uses.getByTestId("no-other").waitFor();
    assert.ok(await dialog.getByTestId("confirm-action").isDisabled());
    await page.keyboard.press("Escape");
    browser.takeMessages(IN_USE);
  });
  await report.check("no page complained of anything else", () => browser.assertQuiet());
}
