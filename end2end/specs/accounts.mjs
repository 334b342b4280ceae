// Who may in, who may not, and how the pages say so.
import assert from "node:assert/strict";
import { Browser } from "../lib/browser.mjs";
import { api, follows, logIn } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

const REFUSED = [/^40[0-9] /, /Failed to load resource: the server responded with a status of 40/];

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.check("without a session every page leads to the login, and back afterwards", async () => {
    await page.goto(`${server.url}/images?x=1`);
    await page.waitForURL(/\/login\?next=/);
    await page.getByLabel("User name").fill("admin");
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByTestId("form-errors").filter({ hasText: /\w/ }).waitFor();
    browser.takeMessages(REFUSED);
    await page.getByLabel("Password").fill(server.password);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.waitForURL(/\/images/);
    await page.getByTestId("images").waitFor();
  });
  await report.check("the session's cookie is not for scripts", async () => {
    const cookies = await page.context().cookies();
    assert.ok(cookies.length > 0);
    assert.ok(cookies.filter(({ name }) => name !== "theme").every(({ httpOnly, sameSite }) => httpOnly && sameSite === "Lax"), JSON.stringify(cookies));
  });
  await report.check("another site's page cannot use it", async () => {
    const answer = await page.context().request.post(`${server.url}/api/v1/arch`, {
      headers: { origin: "http://elsewhere.example", "sec-fetch-site": "cross-site" },
      data: { name: "evil" },
    });
    assert.equal(answer.status(), 403);
    assert.ok(!(await api(page, "GET", "/arch")).some(({ name }) => name === "evil"));
  });
  await report.check("an address that is nothing is a page that says so", async () => {
    const answer = await page.goto(`${server.url}/nowhere`);
    assert.equal(answer.status(), 404);
    await page.getByText("There is nothing here").waitFor();
    await page.getByRole("link", { name: "All machines" }).click();
    await page.getByTestId("machine-row").first().waitFor();
    browser.takeMessages(REFUSED);
  });
  await report.check("a user who is no admin sees machines but cannot command them", async () => {
    const { password } = await api(page, "POST", "/user", { username: "eve" });
    await page.getByTestId("user-menu").click();
    await page.getByTestId("logout").click();
    await page.waitForURL(/\/login/);
    await logIn(page, server, { username: "eve", password });
    await page.getByTestId("machine-row").first().waitFor();
    assert.equal(await page.getByTestId("add-machine").count(), 0);
    assert.equal(await page.getByTestId("row-power").count(), 0);
    const { id } = (await api(page, "GET", "/machine?show_all=true"))[0];
    await assert.rejects(api(page, "POST", `/machine/${id}/power`, { state: "off" }), /40[34]/);
    browser.takeMessages(REFUSED);
  });
  await report.check("who is made an administrator meanwhile gets the menu, and what was typed stays", async () => {
    const admin = await Browser.launch();
    try {
      const office = await admin.page();
      await logIn(office, server);
      const eve = (await api(office, "GET", "/user")).find(({ username }) => username === "eve");
      await page.goto(`${server.url}/preseeds/new`);
      await follows(page);
      await page.locator("#preseed-content").fill("typed\n");
      assert.equal(await page.getByTestId("admin-menu").count(), 0);
      await api(office, "PUT", `/user/${eve.id}`, { admin: true });
      await page.getByTestId("admin-menu").waitFor({ timeout: 5_000 });
      assert.equal(await page.locator("#preseed-content").inputValue(), "typed\n");
      await page.locator("#preseed-content").fill("");
      await page.getByTestId("admin-menu").click();
      await page.getByRole("link", { name: "Users" }).click();
      await page.getByTestId("add-user").waitFor();
      await api(office, "PUT", `/user/${eve.id}`, { admin: false });
      await page.getByTestId("admin-menu").waitFor({ state: "detached" });
    } finally {
      await admin.close();
    }
  });
  await report.check("the page that is open follows one's rights, both ways, and says so", async () => {
    const admin = await Browser.launch();
    try {
      const office = await admin.page();
      await logIn(office, server);
      const eve = (await api(office, "GET", "/user")).find(({ username }) => username === "eve");
      const may = (yes) => api(office, "PUT", `/user/${eve.id}`, { admin: yes });
      const toasts = page.getByTestId("toasts");
      const [{ id }] = await api(page, "GET", "/machine?show_all=true");
      for (const [path, button] of [["/bmcs", "Add BMC"], ["/networks", "Add network"], ["/archs", "Add architecture"], ["/users", "Add user"], [`/machines/${id}`, "Edit machine"]]) {
        await page.goto(`${server.url}${path}`);
        await follows(page);
        const own = page.getByRole("button", { name: button, exact: true });
        assert.equal(await own.count(), 0, path);
        await may(true);
        await own.waitFor({ timeout: 10_000 });
        await toasts.getByText("You are an administrator now.").first().waitFor();
        // a form that is not allowed any more goes with the rights
        await own.click();
        await page.locator("dialog[open]").waitFor();
        await may(false);
        await toasts.getByText("You are no administrator any more.").first().waitFor();
        await until(`the form has gone from ${path}`, 10, async () => (await page.locator("dialog[open]").count()) === 0);
        await own.waitFor({ state: "detached" });
        await page.getByRole("heading", { level: 1 }).first().waitFor();
      }
      for (const [path, there] of [["/discovery", "refresh"], ["/audit", "audit-filter"]]) {
        await page.goto(`${server.url}${path}`);
        await follows(page);
        await page.getByTestId("load-error").waitFor();
        await may(true);
        await page.getByTestId(there).first().waitFor({ timeout: 10_000 });
        await may(false);
        await page.getByTestId("load-error").waitFor({ timeout: 10_000 });
        assert.equal(await page.getByTestId(there).count(), 0, path);
      }
      browser.takeMessages(REFUSED);
    } finally {
      await admin.close();
    }
  });
  await report.check("an administrator is asked before their own rights are taken away", async () => {
    const admin = await Browser.launch();
    try {
      const office = await admin.page();
      await logIn(office, server);
      const eve = (await api(office, "GET", "/user")).find(({ username }) => username === "eve");
      const isAdmin = async () => (await api(office, "GET", `/user/${eve.id}`)).admin;
      await api(office, "PUT", `/user/${eve.id}`, { admin: true });
      await page.goto(`${server.url}/users`);
      await follows(page);
      await page.getByRole("button", { name: "Edit user eve", exact: true }).click();
      const form = page.locator("dialog[open]").filter({ has: page.locator("#edit-user-admin") });
      await form.getByTestId("edit-user-admin").uncheck();
      await form.getByRole("button", { name: "Save", exact: true }).click();
      const question = page.locator("dialog[open]").filter({ hasText: "You will no longer be an administrator, and cannot undo that yourself." });
      await question.getByRole("button", { name: "Cancel" }).click();
      await question.waitFor({ state: "hidden" });
      assert.equal(await isAdmin(), true);
      await form.getByRole("button", { name: "Save", exact: true }).click();
      await question.getByTestId("confirm-action").click();
      await page.getByTestId("add-user").waitFor({ state: "detached", timeout: 10_000 });
      assert.equal(await isAdmin(), false);
    } finally {
      await admin.close();
    }
  });
  await report.check("log out ends the session", async () => {
    await page.getByTestId("user-menu").click();
    await page.getByTestId("logout").click();
    await page.waitForURL(/\/login/);
    await assert.rejects(api(page, "GET", "/machine"), /401/);
    browser.takeMessages(REFUSED);
  });
  await report.check("no page complained of anything else", () => browser.assertQuiet());
}
