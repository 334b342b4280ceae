// Who may in, who may not, and how the pages say so.
import assert from "node:assert/strict";
import { Browser } from "../lib/browser.mjs";
import { api, follows, logIn } from "../lib/pages.mjs";

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
  await report.check("log out ends the session", async () => {
    await page.getByTestId("user-menu").click();
    await page.getByTestId("logout").click();
    await page.waitForURL(/\/login/);
    await assert.rejects(api(page, "GET", "/machine"), /401/);
    browser.takeMessages(REFUSED);
  });
  await report.check("no page complained of anything else", () => browser.assertQuiet());
}
