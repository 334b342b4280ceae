// Every page in every state: nothing there yet, loading, failed, not allowed. Each says what is so, and axe finds nothing in either
// colour scheme, on a desk and on a telephone.
import assert from "node:assert/strict";
import { assertLooks } from "../lib/looks.mjs";
import { Browser } from "../lib/browser.mjs";
import { api, follows, logIn } from "../lib/pages.mjs";
import { Server } from "../lib/server.mjs";
import { until } from "../lib/report.mjs";

export const options = { args: ["--machines", "4"] };

/** [name, address, what its empty state says, or none if it cannot be empty] */
const PAGES = [
  ["overview", "/overview", "No machines yet"],
  ["machines", "/machines", "No machines yet"],
  ["images", "/images", "No images yet"],
  ["preseeds", "/preseeds", "No preseeds yet"],
  ["leases", "/leases", "No leases yet"],
  ["bmcs", "/bmcs", "No BMCs yet"],
  ["networks", "/networks", "No networks yet"],
  ["archs", "/archs", "No architectures yet"],
  ["users", "/users"],
  ["discovery", "/discovery", "Nothing unknown has asked"],
  ["audit", "/audit"],
  ["account", "/account"],
];

/** To another page as a click leads there: within the application, which then has to ask for its data. */
async function lead(page, path) {
  await page.evaluate((path) => {
    const link = document.createElement("a");
    link.href = path;
    link.id = "lead";
    document.body.append(link);
  }, path);
  await page.locator("#lead").evaluate((link) => link.click());
  await page.locator("#lead").evaluate((link) => link.remove());
}

const live = follows;

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  const [machine] = await api(page, "GET", "/machine?show_all=true");
  const preseed = (await api(page, "GET", "/preseed?show_all=true"))[0];
  const more = [...PAGES, ["machine", `/machines/${machine.id}`], ["console", `/machines/${machine.id}/console`], ["preseed", `/preseeds/${preseed.id}`]];

  const pattern = /\/api\/v1\/(?!stream|self$|docs)/;
  for (const [name, path] of more) {
    await report.check(`${name}: says that it is loading, then why it failed, and tries again`, async () => {
      await page.goto(`${server.url}${name === "networks" ? "/archs" : "/networks"}`);
      await live(page);
      let answer;
      const answered = new Promise((resolve) => (answer = resolve));
      // what a check that failed has left
      await page.unroute(pattern);
      await page.route(pattern, async (route) => {
        await answered;
        await route.fulfill({ status: 503, contentType: "application/json", body: JSON.stringify({ error_type: "Unavailable", errors: ["the store is being moved"], status: 503, title: "Service Unavailable" }) });
      });
      await lead(page, path);
      const loading = page.locator("main [role=status]").filter({ hasText: "Loading…" });
      await loading.first().waitFor();
      await assertLooks(browser, page, `state-${name}-loading`);
      answer();
      const failed = page.getByTestId("load-error");
      await failed.getByText("the store is being moved").waitFor();
      assert.equal(await failed.getAttribute("role"), "alert");
      assert.equal(await page.locator("main h1").count(), 1, "no heading");
      await assertLooks(browser, page, `state-${name}-error`);
      await page.unroute(pattern);
      await failed.getByRole("button", { name: "Try again" }).click();
      await failed.waitFor({ state: "detached" });
      await page.locator("main h1").first().waitFor();
      browser.takeMessages([/^503 /, /status of 503/]);
    });
  }
  await page.unroute(pattern);
  await report.check("drawn by the server, a failure has its status and the same words", async () => {
    const answer = await page.goto(`${server.url}/machines/999999`);
    assert.equal(answer.status(), 404);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await assertLooks(browser, page, "state-not-found");
    browser.takeMessages([/^404 /, /status of 404/]);
  });

  await report.check("no right: each page shows what one may see, and says what one may not", async () => {
    const { password } = await api(page, "POST", "/user", { username: "eve" });
    const other = await Browser.launch();
    try {
      const own = await other.page();
      await logIn(own, server, { username: "eve", password });
      for (const [name, path] of more) {
        await own.goto(`${server.url}${path}`);
        await live(own);
        const said = {
          users: own.getByText("Only administrators manage accounts."),
          discovery: own.getByTestId("load-error"),
          audit: own.getByTestId("load-error"),
          machine: own.getByText("You can look at this machine, but only those it is assigned to"),
          console: own.getByText("This console is not yours"),
          preseed: own.getByText("Only its owner and administrators can change this preseed."),
        }[name];
        await said?.first().waitFor();
        assert.equal(await own.locator("main h1").count(), 1, `${path} has no heading`);
        for (const button of ["Add BMC", "Add network", "Add architecture", "Add machine", "Add user"]) {
          assert.equal(await own.getByRole("button", { name: button }).count(), 0, `${path} offers ${button}`);
        }
        assert.equal(await own.getByRole("button", { name: /^(Edit|Delete) / }).count(), 0, `${path} offers to edit what is not one's own`);
        await assertLooks(other, own, `state-${name}-no-right`);
      }
      other.assertQuiet([/^403 /, /status of 403/]);
    } finally {
      await other.close();
    }
  });

  const empty = await report.need("an empty lab", () => Server.start({ command: "serve", name: "server-empty" }));
  const fresh = await Browser.launch();
  try {
    const own = await fresh.page();
    await logIn(own, empty);
    for (const [name, path, words] of PAGES) {
      await report.check(`${name}: with nothing there yet`, async () => {
        await own.goto(`${empty.url}${path}`);
        await live(own);
        if (words) await own.getByTestId("empty").getByText(words).waitFor();
        await assertLooks(fresh, own, `state-${name}-empty`);
      });
    }
    await report.check("the empty lab's pages do not complain", () => fresh.assertQuiet());
  } finally {
    await fresh.close();
    await until("the empty lab has ended", 20, async () => (await empty.stop()) !== undefined);
  }
  await report.check("no page complained", () => browser.assertQuiet());
}
