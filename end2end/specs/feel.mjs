// How it feels to work here: a way back, two people at one thing, scripts of what one clicks, the console at a glance.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { assertLooks } from "../lib/looks.mjs";
import { api, follows, logIn, openMachine } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const versions = [];
  page.on("request", (request) => {
    if (request.method() === "PUT") versions.push([new URL(request.url()).pathname, request.headers()["if-match"]]);
  });
  await report.need("log in", () => logIn(page, server));
  const machines = await api(page, "GET", "/machine?show_all=true");
  const own = machines.find(({ arch, assignees }) => arch === "x86_64" && assignees.length === 0);
  const images = await api(page, "GET", "/image?show_all=true");
  const image = (kind) => images.find((one) => one.type === kind && one.arch === own.arch).id;
  const [preseed] = await api(page, "GET", "/preseed?show_all=true");
  await api(page, "PUT", `/machine/${own.id}`, { kernel_id: image("Kernel"), initrd_id: image("Initrd"), preseed_id: preseed.id });
  await api(page, "POST", "/user", { username: "olga" });
  await api(page, "POST", "/preseed", { name: "older", type: "preseed", content: "" });
  for (let n = 1; n <= 8; n += 1) await api(page, "POST", "/preseed", { name: `lab-${n}`, type: "preseed", content: "", description: n === 5 ? "for the blades" : "" });
  const live = () => follows(page);
  const toast = (text) => page.getByTestId("toasts").locator("[data-toast]").filter({ hasText: text });
  const undo = (text) => toast(text).getByRole("button", { name: "Undo" }).click();
  const form = page.getByTestId("provisioning-form");
  const save = async () => {
    await page.getByTestId("save-provisioning").click();
  };

  await report.need("a machine's page", async () => {
    await openMachine(page, server, own.name);
    await live();
  });
  await report.check("MP12: an assignment can be undone where it is told", async () => {
    const row = page.getByTestId("assignees").getByText("olga");
    await page.getByTestId("add-assignee").click();
    await page.getByTestId("assignee-dialog").getByLabel("User").selectOption("olga");
    await page.getByTestId("assignee-dialog").getByRole("button", { name: "Assign", exact: true }).click();
    await row.waitFor();
    await undo("olga has the machine now");
    await toast("Undone").waitFor();
    await row.waitFor({ state: "detached" });
    assert.deepEqual(await api(page, "GET", `/machine/${own.id}/assignee`), []);
  });
  await report.check("MP12: and so can taking it away, with its reason", async () => {
    await api(page, "POST", `/machine/${own.id}/assignee`, { user: "olga", reason: "kernel tests" });
    const row = page.getByTestId("assignees").getByRole("row").filter({ hasText: "olga" });
    await row.getByRole("button", { name: "Remove olga" }).click();
    await page.locator("dialog[open]").getByTestId("confirm-action").click();
    await row.waitFor({ state: "detached" });
    await undo("olga no longer has the machine");
    await row.filter({ hasText: "kernel tests" }).waitFor();
  });
  await report.check("MP12: and another reason", async () => {
    const row = page.getByTestId("assignees").getByRole("row").filter({ hasText: "olga" });
    await row.getByRole("button", { name: "Edit reason of olga" }).click();
    await page.locator("dialog[open]").locator("#change-reason").fill("other tests");
    await page.locator("dialog[open]").getByTestId("form-send").click();
    await row.filter({ hasText: "other tests" }).waitFor();
    await undo("Reason of olga saved");
    await row.filter({ hasText: "kernel tests" }).waitFor();
  });
  await report.check("MP5: settings too: all of them at once, as they were", async () => {
    await form.locator("#kernel-opts").fill("wrong=1");
    await form.locator("#preseed").selectOption("");
    await save();
    await toast("Settings saved").waitFor();
    const changed = await api(page, "GET", `/machine/${own.id}`);
    assert.deepEqual([changed.kernel_opts, changed.preseed_id], ["wrong=1", null]);
    await undo("Settings saved");
    await until("the form is as before", 5, async () => (await form.locator("#kernel-opts").inputValue()) === own.kernel_opts);
    const back = await api(page, "GET", `/machine/${own.id}`);
    assert.deepEqual([back.kernel_opts, back.preseed_id, back.kernel_id], [own.kernel_opts, preseed.id, image("Kernel")]);
  });
  await report.check("a refused inverse says why", async () => {
    const take = async () => {
      for (const { id } of await api(page, "GET", `/machine/${own.id}/assignee`)) await api(page, "DELETE", `/machine/${own.id}/assignee/${id}`);
    };
    await take();
    await page.getByTestId("assignees").getByText("olga").waitFor({ state: "detached" });
    await page.getByTestId("add-assignee").click();
    await page.getByTestId("assignee-dialog").getByLabel("User").selectOption("olga");
    await page.getByTestId("assignee-dialog").getByRole("button", { name: "Assign", exact: true }).click();
    await toast("olga has the machine now").waitFor();
    await take();
    await undo("olga has the machine now");
    await toast("Not undone").waitFor();
    browser.takeMessages([/^404 .*assignee/, /status of 404/]);
  });

  await report.check("two people change a machine's settings: who is later is told, and nothing typed is lost", async () => {
    await form.locator("#kernel-opts").fill("mine=1");
    await api(page, "PUT", `/machine/${own.id}`, { kernel_opts: "theirs=1" });
    await form.getByText("changed elsewhere while you were editing").waitFor();
    assert.equal(await form.locator("#kernel-opts").inputValue(), "mine=1");
    await form.getByRole("button", { name: "take theirs" }).click();
    assert.equal(await form.locator("#kernel-opts").inputValue(), "theirs=1");
    await form.locator("#kernel-opts").fill("mine=2");
    await api(page, "PUT", `/machine/${own.id}`, { kernel_opts: "theirs=2" });
    await form.getByText("changed elsewhere while you were editing").waitFor();
    versions.length = 0;
    await save();
    await until("it is overwritten knowingly", 5, async () => (await api(page, "GET", `/machine/${own.id}`)).kernel_opts === "mine=2");
    assert.match(versions.find(([path]) => path.endsWith(`/machine/${own.id}`))[1] ?? "none", /^"/, "no If-Match");
  });
  await report.check("two people write a preseed: who is in the middle of it is told, and loses nothing", async () => {
    const editor = await browser.page();
    await editor.goto(`${server.url}/preseeds/${preseed.id}`);
    await follows(editor);
    await editor.locator("#preseed-content").fill("# mine\n");
    await api(page, "PUT", `/preseed/${preseed.id}`, { content: "# theirs\n" });
    const notice = editor.getByTestId("overtaken");
    await notice.waitFor();
    assert.equal(await editor.locator("#preseed-content").inputValue(), "# mine\n");
    assert.equal((await api(page, "GET", `/preseed/${preseed.id}`)).content, "# theirs\n");
    await assertLooks(browser, editor, "overtaken");
    await notice.getByRole("button", { name: "take theirs" }).click();
    assert.equal(await editor.locator("#preseed-content").inputValue(), "# theirs\n");
    await notice.waitFor({ state: "detached" });
    await editor.locator("#preseed-content").fill("# mine after all\n");
    await api(page, "PUT", `/preseed/${preseed.id}`, { content: "# theirs again\n" });
    await notice.waitFor();
    await editor.getByTestId("save-preseed").click();
    await editor.getByTestId("toasts").filter({ hasText: "saved" }).waitFor();
    assert.equal((await api(page, "GET", `/preseed/${preseed.id}`)).content, "# mine after all\n");
    await editor.close();
  });

  await report.check("what the buttons do is copied as a command that does it", async () => {
    const { secret } = await api(page, "POST", "/self/token", { description: "curl" });
    const run = async (name) => {
      await page.getByTestId("curl-menu").click();
      await page.locator("details[open]").getByRole("button", { name, exact: true }).click();
      await toast(`Copied “${name}”`).first().waitFor();
      const command = await page.evaluate(() => navigator.clipboard.readText());
      assert.ok(!command.includes(secret));
      return execFileSync("sh", ["-c", command], { env: { ...process.env, MR_PROVISIONER_TOKEN: secret }, encoding: "utf8" });
    };
    assert.equal(JSON.parse(await run("Read the machine")).name, own.name);
    await form.locator("#kernel-opts").fill("it's=quoted $HOME");
    assert.equal(JSON.parse(await run("Save the settings")).kernel_opts, "it's=quoted $HOME");
    await run("Power on");
    await page.locator("[data-testid=power][data-power=on]").first().waitFor();
  });
  await report.check("L13: a long choice is searched", async () => {
    const offered = () => form.locator("#preseed option").allTextContents();
    await form.locator("[data-search=preseed]").fill("blades");
    await until("one and the chosen one are left", 5, async () => (await offered()).length === 3);
    await form.locator("[data-found=preseed]").filter({ hasText: /^1 fits$/ }).waitFor();
    assert.ok((await offered()).some((label) => label.startsWith("lab-5 (for the blades)")));
    await form.locator("[data-search=preseed]").fill("");
    await until("all", 5, async () => (await offered()).length > 9);
    assert.equal(await form.locator("[data-found=preseed]").textContent(), "");
  });
  await report.check("L13: Enter in the search chooses the one that fits, or leads to those that do; Escape clears it", async () => {
    const search = form.locator("[data-search=preseed]");
    const found = (words) => form.locator("[data-found=preseed]").filter({ hasText: words }).waitFor();
    const select = form.locator("#preseed");
    const before = await select.inputValue();
    await search.fill("no such preseed");
    await found(/^none fits$/);
    await search.press("Enter");
    assert.equal(await select.inputValue(), before);
    await search.fill("blades");
    await found(/^1 fits$/);
    await search.press("Enter");
    await until("it is chosen", 5, async () => (await select.locator("option:checked").textContent()).startsWith("lab-5 (for the blades)"));
    await form.getByText("Not saved yet").waitFor();
    await search.fill("lab-");
    await found(/^\d+ fit$/);
    await search.press("Escape");
    await until("the search is empty", 5, async () => (await search.inputValue()) === "" && (await select.locator("option").count()) > 9);
    await search.fill("lab-");
    await found(/^\d+ fit$/);
    await search.press("Enter");
    await until("the focus is on the choice", 5, () => select.evaluate((own) => own === document.activeElement));
    await page.keyboard.press("Escape");
    await search.fill("");
    await select.selectOption(before);
    await form.getByText("Not saved yet").waitFor({ state: "detached" });
  });
  await report.check("MP17: the time line is narrowed down, and says when nothing is left", async () => {
    const filters = page.getByTestId("event-filters");
    const kinds = () => page.locator("[data-testid=events] [data-event]").evaluateAll((entries) => [...new Set(entries.map((entry) => entry.dataset.event))].sort());
    await until("several kinds", 10, async () => (await kinds()).length > 1);
    await filters.getByRole("button", { name: "Power" }).click();
    await until("power only", 5, async () => (await kinds()).every((kind) => ["BMC_ERROR", "BOOT_DEVICE", "POWER_CHANGE"].includes(kind)));
    await filters.getByRole("button", { name: "Faults only" }).click();
    await page.getByTestId("no-event").waitFor();
    await page.getByTestId("no-event").getByRole("button", { name: "Show all" }).click();
    await filters.getByRole("searchbox").fill("powered on");
    await until("by words", 5, async () => (await kinds()).join() === "POWER_CHANGE");
    await filters.getByRole("searchbox").fill("");
  });
  await report.check("the console's end is on the machine's page, follows an install, and leads to the console", async () => {
    const tail = page.getByTestId("console-tail");
    await page.reload();
    await live();
    await api(page, "POST", `/machine/${own.id}/state`, { state: "provision" });
    await until("the installed system's log-in prompt", 60, async () => (await tail.textContent()).includes(`${own.name} login:`), 250);
    assert.ok(!(await tail.textContent()).includes("\u001b"));
  });
  await report.check("axe, both colour schemes, desk and telephone", () => assertLooks(browser, page, "machine"));
  await report.check("from there to the console", async () => {
    await page.getByTestId("tail-open").click();
    await page.waitForURL(/\/console$/);
    await page.locator("[data-testid=console-status][data-line=connected]").waitFor({ timeout: 20_000 });
  });
  await report.check("no page complained", () => browser.assertQuiet());
}
