// Where one is logged in, tokens with limits, and what administrators see of both.
import assert from "node:assert/strict";
import { Browser } from "../lib/browser.mjs";
import { assertLooks } from "../lib/looks.mjs";
import { api, follows, logIn } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  const { password, id: user } = await api(page, "POST", "/user", { username: "sara" });
  const others = await Promise.all([Browser.launch(), Browser.launch()]);
  try {
    const [other, third] = await Promise.all(others.map((own) => own.page()));
    for (const elsewhere of [other, third]) await logIn(elsewhere, server);
    await page.goto(`${server.url}/account`);
    await follows(page);
    const rows = page.locator("[data-testid=sessions] tbody tr");
    const comeBack = () => page.evaluate(() => dispatchEvent(new Event("focus")));

    await report.check("one's own sessions: the own first, with browser and address", async () => {
      assert.equal(await rows.count(), 3);
      assert.match(await rows.first().textContent(), /Chrome on Linux.*This one.*127\.0\.0\.1/s);
      assert.equal(await rows.first().getByRole("button").count(), 0);
    });
    await report.check("axe, both colour schemes, desk and telephone", () => assertLooks(browser, page, "account"));
    await report.check("one is ended after a question, and is logged out at once", async () => {
      await rows.nth(1).getByRole("button", { name: /End session of/ }).click();
      const dialog = page.locator("dialog[open]");
      await dialog.getByText(/logged out at once/).waitFor();
      await dialog.getByTestId("confirm-action").click();
      await page.getByTestId("toasts").filter({ hasText: "1 session ended" }).waitFor();
      assert.equal(await rows.count(), 2);
      const alive = await Promise.all([other, third].map((elsewhere) => api(elsewhere, "GET", "/self").then(() => 1, () => 0)));
      assert.equal(alive[0] + alive[1], 1);
    });
    await report.check("all others are ended in one go; the own one stays", async () => {
      await page.getByTestId("end-others").click();
      await page.locator("dialog[open]").getByTestId("confirm-action").click();
      await until("only the own one is left", 5, async () => (await rows.count()) === 1);
      await page.locator("[data-testid=sessions] tbody tr[data-current]").waitFor();
      assert.equal(await page.getByTestId("end-others").count(), 0);
      for (const elsewhere of [other, third]) await assert.rejects(api(elsewhere, "GET", "/self"), /401/);
      await api(page, "GET", "/self");
    });

    await report.check("a token may be limited and end on a day; what is wrong is said by the API's words at the field", async () => {
      await page.getByLabel("What for?").fill("reports");
      await page.getByLabel("Good until").fill("2020-01-01");
      await page.getByTestId("create-token").click();
      await page.getByTestId("field-error").filter({ hasText: "expires must be in the future" }).waitFor();
      browser.takeMessages([/^400 /, /status of 400/]);
      await page.getByLabel("Good until").fill("2099-12-31");
      await page.getByLabel("Limit what it may do").check();
      assert.ok(await page.getByLabel(/^read See what you see/).isDisabled());
      await page.getByLabel(/^machines Provision/).check();
      await assertLooks(browser, page, "account-token");
      await page.getByTestId("create-token").click();
      await page.getByTestId("token-secret").waitFor();
      const [token] = await api(page, "GET", "/self/token");
      assert.deepEqual([token.scopes, token.expires], [["read", "machines"], "2099-12-31T23:59:59.000000Z"]);
      const row = page.locator(`[data-token="${token.prefix}"]`);
      assert.match(await row.textContent(), /reports.*read, machines.*never.*2099-12-31 23:59:59/s);
    });

    await report.check("who comes back to the window sees what was begun and made elsewhere meanwhile", async () => {
      await logIn(third, server);
      const token = await api(third, "POST", "/self/token", { description: "made elsewhere" });
      assert.equal(await rows.count(), 1);
      await comeBack();
      await until("the other session", 5, async () => (await rows.count()) === 2);
      await page.getByTestId("tokens").getByText("made elsewhere").waitFor();
      await api(third, "DELETE", `/self/token/${token.id}`);
      await comeBack();
      await page.getByTestId("tokens").getByText("made elsewhere").waitFor({ state: "detached" });
      await api(third, "DELETE", "/session");
    });
    await logIn(third, server, { username: "sara", password });
    await report.check("administrators see and end the sessions of others", async () => {
      await page.goto(`${server.url}/users`);
      await follows(page);
      await page.getByRole("button", { name: "Sessions and tokens of sara" }).click();
      const dialog = page.getByTestId("access");
      const row = dialog.locator("[data-testid=sessions] tbody tr");
      await row.first().waitFor();
      assert.equal(await row.count(), 1);
      await assertLooks(browser, page, "users-access");
      // what is begun elsewhere meanwhile is seen by who comes back to the window
      await logIn(other, server, { username: "sara", password });
      await comeBack();
      await until("the other session", 5, async () => (await row.count()) === 2);
      await api(other, "DELETE", "/session");
      await comeBack();
      await until("it has ended", 5, async () => (await row.count()) === 1);
      await row.getByRole("button", { name: /End session of/ }).click();
      await dialog.getByTestId("confirm-action").click();
      await dialog.getByText("No sessions.").waitFor();
      assert.deepEqual(await api(page, "GET", `/user/${user}/session`), []);
      await assert.rejects(api(third, "GET", "/self"), /401/);
    });
    await report.check("a change of the password ends the others, and the list says so", async () => {
      await logIn(third, server);
      await page.goto(`${server.url}/account`);
      await follows(page);
      assert.equal(await rows.count(), 2);
      await page.getByLabel("Old password").fill(server.password);
      await page.getByLabel("New password", { exact: true }).fill("another password");
      await page.getByLabel("New password again").fill("another password");
      await page.getByRole("button", { name: "Change password" }).click();
      await page.getByTestId("toasts").filter({ hasText: "All other sessions have ended" }).waitFor();
      assert.equal(await rows.count(), 1);
      await assert.rejects(api(third, "GET", "/self"), /401/);
    });
    await report.check("no page complained", () => browser.assertQuiet());
  } finally {
    await Promise.all(others.map((own) => own.close()));
  }
}
