// A session that ends while somebody is typing (L3): logged in again in place, nothing is lost.
import assert from "node:assert/strict";
import { Browser } from "../lib/browser.mjs";
import { assertLooks } from "../lib/looks.mjs";
import { api, follows, logIn } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

const ENDED = [/^401 /, /status of 401/];

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
      await page.getByTestId("save-preseed").click();
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
      await endSessions();
      await page.locator("#preseed-description").fill("typed after the end");
      await page.getByTestId("save-preseed").click();
      await dialog.getByText("Your session has ended").waitFor();
      await page.keyboard.press("Escape");
      await page.getByTestId("logged-out").waitFor();
      await page.getByTestId("form-errors").filter({ hasText: "You are logged out" }).waitFor();
      assert.equal(await page.locator("#preseed-description").inputValue(), "typed after the end");
      await page.getByTestId("save-preseed").click();
      await answer(password);
      await page.getByTestId("toasts").filter({ hasText: "saved" }).waitFor();
      await page.getByTestId("logged-out").waitFor({ state: "detached" });
    });
    await report.check("a click within the application leads on after the password", async () => {
      await endSessions();
      await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Images" }).click();
      await answer(password);
      await page.getByRole("heading", { level: 1, name: "Images" }).waitFor();
      await page.getByTestId("upload-image").waitFor();
    });
    await report.check("another user gets a page of their own: nothing of the first one's is shown or saved", async () => {
      await page.goto(`${server.url}/preseeds/new`);
      await follows(page);
      await page.locator("#preseed-name").fill("nora's");
      await endSessions();
      await page.getByTestId("save-preseed").click();
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
