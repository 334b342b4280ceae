// A session that ends while somebody is typing (L3): logged in again in place, nothing is lost.
import assert from "node:assert/strict";
import { Browser, SESSION_ENDED } from "../lib/browser.mjs";
import { assertLooks } from "../lib/looks.mjs";
import { api, follows, logIn } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

// what is pressed meanwhile is refused, whatever it asks for
const ENDED = [...SESSION_ENDED, /^401 /];

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  const office = await Browser.launch();
  try {
    const admin = await office.page();
    await logIn(admin, server);
    const { id, password } = await api(admin, "POST", "/user", { username: "nora" });
    await logIn(page, server, { username: "nora", password });
    const endSessions = async () => {
      const sessions = await api(admin, "GET", `/user/${id}/session`);
      assert.ok(sessions.length > 0);
      for (const session of sessions) await api(admin, "DELETE", `/user/${id}/session/${session.id}`);
    };
    const dialog = page.getByTestId("relogin");
    // as somebody who is quicker than the message that asks for the password by itself
    const press = (button) => button.evaluate((own) => own.click());
    const answer = async (secret, name) => {
      if (name) await dialog.getByLabel("User name").fill(name);
      await dialog.getByLabel("Password").fill(secret);
      await dialog.getByRole("button", { name: "Log in", exact: true }).click();
    };

    await report.need("something is typed, and the session ends", async () => {
      await page.goto(`${server.url}/preseeds/new`);
      await follows(page);
      await page.locator("#preseed-name").fill("half an hour's work");
      await page.locator("#preseed-content").fill("# {{ hostname }}\nlong text\n");
      await endSessions();
    });
    await report.check("Save asks for the password over the page, whose text stays", async () => {
      await press(page.getByTestId("save-preseed"));
      await dialog.getByText("Your session has ended").waitFor();
      assert.equal(await dialog.getByLabel("User name").inputValue(), "nora");
      // the name is filled in already
      await until("the focus is on the password", 5, () => dialog.getByLabel("Password").evaluate((own) => own === document.activeElement));
      assert.equal(await page.locator("#preseed-name").inputValue(), "half an hour's work");
      assert.match(page.url(), /\/preseeds\/new$/);
    });
    await report.check("axe, both colour schemes, desk and telephone", () => assertLooks(browser, page, "relogin"));
    await report.check("a wrong password is refused there", async () => {
      await answer("wrong");
      await dialog.getByTestId("form-errors").filter({ hasText: /./ }).waitFor();
    });
    await report.check("after the right one what was asked for happens by itself", async () => {
      await answer(password);
      await page.waitForURL(/\/preseeds\/\d+$/);
      await dialog.waitFor({ state: "hidden" });
      const saved = await api(page, "GET", `/preseed/${/(\d+)$/.exec(page.url())[1]}`);
      assert.deepEqual([saved.name, saved.content], ["half an hour's work", "# {{ hostname }}\nlong text\n"]);
    });

    await report.check("Later: the page stays, says so, and asks again when a button is pressed", async () => {
      // before: once the question is there, it would be typed into that
      await page.locator("#preseed-description").fill("typed before the end");
      await endSessions();
      await press(page.getByTestId("save-preseed"));
      await dialog.getByText("Your session has ended").waitFor();
      await until("the focus is on the password", 5, () => dialog.getByLabel("Password").evaluate((own) => own === document.activeElement));
      await page.keyboard.press("Escape");
      await page.getByTestId("logged-out").waitFor();
      await page.getByTestId("form-errors").filter({ hasText: "You are logged out" }).waitFor();
      assert.equal(await page.locator("#preseed-description").inputValue(), "typed before the end");
      await press(page.getByTestId("save-preseed"));
      await answer(password);
      await page.getByTestId("toasts").filter({ hasText: "saved" }).waitFor();
      await page.getByTestId("logged-out").waitFor({ state: "detached" });
    });
    await report.check("a click within the application leads on after the password", async () => {
      await endSessions();
      await press(page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Images" }));
      await answer(password);
      await page.getByRole("heading", { level: 1, name: "Images" }).waitFor();
      await page.getByTestId("upload-image").waitFor();
    });
    await report.check("a page that could not be loaded comes by itself when the login that was put off is made", async () => {
      await endSessions();
      await dialog.getByText("Your session has ended").waitFor();
      await until("the focus is on the password", 5, () => dialog.getByLabel("Password").evaluate((own) => own === document.activeElement));
      await page.keyboard.press("Escape");
      await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Leases" }).click();
      const main = page.getByRole("main");
      await main.getByText("You are not logged in.").waitFor();
      assert.equal(await main.getByRole("link", { name: "Log in" }).getAttribute("href"), "/login?next=/leases");
      await page.getByTestId("logged-out").getByRole("button", { name: "Log in" }).click();
      await answer(password);
      await main.getByText("No leases yet").waitFor();
      assert.equal(await main.getByText("You are not logged in.").count(), 0);
      await follows(page);
    });
    await report.check("the bar says so at once, and nothing is tried until somebody has logged in", async () => {
      await endSessions();
      const status = page.getByTestId("live-status");
      const words = [];
      await page.exposeFunction("told", (text) => words.push(text));
      await status.evaluate((own) => new MutationObserver(() => window.told(own.textContent)).observe(own, { childList: true, subtree: true, characterData: true }));
      await page.locator("[data-testid=live-status][data-status=logged-out]").getByText("Logged out").waitFor({ timeout: 2_000 });
      const before = browser.requests.length;
      await page.waitForTimeout(5_000);
      assert.deepEqual(browser.requests.slice(before).filter((path) => /\/(stream|self)$/.test(path)), []);
      assert.ok(!words.some((text) => text.includes("Connection lost")), words.join());
      await answer(password);
      await follows(page);
    });
    await report.check("logged in again in another tab: this one goes on when it is come back to", async () => {
      await endSessions();
      await dialog.getByText("Your session has ended").waitFor();
      const other = await browser.page();
      await logIn(other, server, { username: "nora", password });
      await other.close();
      await page.evaluate(() => dispatchEvent(new Event("focus")));
      await dialog.waitFor({ state: "hidden" });
      await follows(page);
    });
    await report.check("another user gets a page of their own: nothing of the first one's is shown or saved", async () => {
      await page.goto(`${server.url}/preseeds/new`);
      await follows(page);
      await page.locator("#preseed-name").fill("nora's");
      await endSessions();
      await press(page.getByTestId("save-preseed"));
      const other = dialog.getByTestId("another-user");
      await dialog.getByText("what you have typed on this page is kept").waitFor();
      await dialog.getByLabel("User name").fill("admin");
      await other.filter({ hasText: "what you have typed is lost" }).waitFor();
      assert.equal(await dialog.getByText("what you have typed on this page is kept").count(), 0);
      await dialog.getByLabel("User name").fill("nora");
      await until("it is one's own page again", 5, async () => (await other.textContent()) === "");
      await answer(server.password, "admin");
      await page.getByTestId("user-menu").filter({ hasText: "admin" }).waitFor();
      assert.equal(await page.locator("#preseed-name").inputValue(), "");
      assert.ok(!(await api(page, "GET", "/preseed?show_all=true")).some(({ name }) => name === "nora's"));
    });
    await report.check("no page complained of anything but the ended sessions", () => browser.assertQuiet([...ENDED, /^403 .*\/session$/, /status of 403/]));
  } finally {
    await office.close();
  }
}
