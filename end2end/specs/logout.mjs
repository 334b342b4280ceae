// Logging out: nothing on the page takes it for a session that has ended by itself.
import assert from "node:assert/strict";
import { api, follows, logIn, openConsole, visit } from "../lib/pages.mjs";

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  const machine = (await api(page, "GET", "/machine?show_all=true")).find(({ bmc_id }) => bmc_id !== null);
  const session = "**/api/v1/session";
  const logOut = async () => {
    const entry = page.getByTestId("logout");
    if (!(await entry.isVisible())) await page.getByTestId("user-menu").click();
    await entry.click();
  };
  const status = page.getByTestId("console-status");
  const connected = () => page.locator("[data-testid=console-status][data-line=connected]").waitFor({ timeout: 20_000 });

  await report.check("what was typed is asked about while one still is logged in", async () => {
    await visit(page, server, "/preseeds/new");
    await page.locator("#preseed-content").fill("typed\n");
    await logOut();
    const question = page.getByRole("dialog", { name: "Leave without saving?" });
    await question.getByRole("button", { name: "Cancel" }).click();
    await question.waitFor({ state: "hidden" });
    await api(page, "GET", "/self");
    await follows(page);
    assert.equal(await page.locator("#preseed-content").inputValue(), "typed\n");
    await logOut();
    await question.getByRole("button", { name: "Leave" }).click();
    await page.waitForURL(/\/login$/);
    browser.assertQuiet();
  });
  await report.check("refused: said, and the page goes on as before", async () => {
    await logIn(page, server);
    await openConsole(page, server, machine.id);
    await page.route(session, (route) => route.fulfill({ status: 500, contentType: "application/json", body: "{}" }), { times: 1 });
    await logOut();
    await page.getByTestId("toasts").getByText("Not logged out").waitFor();
    await follows(page);
    await connected();
    await page.evaluate(() => dispatchEvent(new Event("focus")));
    await page.waitForResponse((answer) => answer.url().endsWith("/api/v1/self"));
    assert.deepEqual(browser.takeMessages([/^500 .*\/session$/, /status of 500/]), []);
  });
  await report.check("until the answer is there nothing is asked, and nothing said: neither by the stream nor by a console", async () => {
    const said = await status.textContent();
    await page.route(
      session,
      async (route) => {
        const answer = await route.fetch();
        // the session has ended by now
        await new Promise((resolve) => setTimeout(resolve, 3_000));
        await route.fulfill({ response: answer });
      },
      { times: 1 },
    );
    const before = browser.requests.length;
    await logOut();
    await page.waitForTimeout(500);
    await page.evaluate(() => dispatchEvent(new Event("focus")));
    await page.waitForTimeout(2_000);
    assert.deepEqual(browser.requests.slice(before).filter((path) => path.startsWith("/api/")), ["/api/v1/session"]);
    assert.equal(await page.getByTestId("relogin").isVisible(), false);
    assert.equal(await page.getByTestId("logged-out").count(), 0);
    assert.equal(await status.textContent(), said);
    assert.equal(await page.getByTestId("live-status").getAttribute("data-status"), "none");
    await page.waitForURL(/\/login$/);
    browser.assertQuiet();
  });
  await report.check("and the session has ended", () => assert.rejects(api(page, "GET", "/self"), /401/));
  await report.check("from the palette, too", async () => {
    await logIn(page, server);
    await follows(page);
    await page.keyboard.press("Control+k");
    await page.getByTestId("palette-input").fill("log out");
    await page.getByRole("option", { name: "Log out" }).waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/login$/);
    await assert.rejects(api(page, "GET", "/self"), /401/);
    browser.takeMessages();
  });
}
