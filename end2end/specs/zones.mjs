// Times are the user's own: in the zone of their browser, which the server draws from the second page on; exactly on hover.
import assert from "node:assert/strict";
import { Browser } from "../lib/browser.mjs";
import { api, follows, logIn } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

// half an hour off everybody else, and no summer time
const ZONE = "Australia/Darwin";
const local = (at) => new Date(at).toLocaleString("sv-SE", { timeZone: ZONE });

async function inZone({ browser, server, report }) {
  const page = await browser.page();
  const live = () => follows(page);
  /** All times on the page, and what each should be. */
  const times = () =>
    page.locator("time").evaluateAll((all) => all.map(({ dateTime, title, textContent }) => ({ at: dateTime, title, text: textContent.trim() })));
  const allLocal = async () => {
    const shown = await times();
    return shown.length > 0 && shown.every(({ at, text }) => [local(at), local(at).slice(5)].includes(text));
  };
  await report.need("log in", () => logIn(page, server));
  const [machine] = await api(page, "GET", "/machine?show_all=true");
  await api(page, "PUT", `/machine/${machine.id}`, { kernel_opts: "quiet" });
  const address = `${server.url}/machines/${machine.id}`;

  await report.check("a browser that was never here: the server's UTC becomes the browser's zone at once", async () => {
    await page.context().clearCookies({ name: "page-zone" });
    const html = await (await page.context().request.get(address)).text();
    assert.ok(html.includes("times in UTC"));
    await page.goto(address);
    await live();
    await page.getByText(`newest first, times in ${ZONE}`).waitFor();
    await until("all times are local", 5, allLocal);
  });
  await report.check("the exact time, in UTC, on hover", async () => {
    for (const { at, title } of await times()) assert.equal(title, at.replace("T", " ").replace("Z", " UTC"));
  });
  await report.check("from then on the server draws it so: nothing changes when the page comes alive", async () => {
    const html = await (await page.context().request.get(address)).text();
    assert.ok(html.includes(`times in ${ZONE}`));
    const [{ at }] = await times();
    assert.ok(html.includes(local(at).slice(5)), local(at));
  });
  await report.check("on every page that tells times", async () => {
    for (const path of ["/audit", "/account", "/overview", "/machines"]) {
      await page.goto(`${server.url}${path}`);
      await live();
      if (path === "/machines") {
        await page.getByTestId("columns").click();
        await page.getByLabel("Last change").check();
        await page.keyboard.press("Escape");
      }
      if (path !== "/overview" || (await times()).length > 0) await until(`${path}: all times are local`, 5, allLocal);
    }
  });
  await report.check("what is typed is local, too: the audit log's filter", async () => {
    await page.goto(`${server.url}/audit`);
    await live();
    await page.getByLabel("Since").fill("2020-01-02T09:00");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.waitForURL(/since=2020-01-01T23%3A30%3A00Z/);
    await page.reload();
    assert.equal(await page.getByLabel("Since").inputValue(), "2020-01-02T09:00");
    await live();
    assert.equal(await page.getByLabel("Since").inputValue(), "2020-01-02T09:00");
  });
  await report.check("and the day until which a token is good: to its end", async () => {
    await page.goto(`${server.url}/account`);
    await live();
    await page.getByLabel("What for?").fill("far away");
    await page.getByLabel("Good until").fill("2099-12-31");
    await page.getByTestId("create-token").click();
    await page.getByTestId("token-secret").waitFor();
    const token = (await api(page, "GET", "/self/token")).find(({ description }) => description === "far away");
    assert.equal(Date.parse(token.expires), Date.parse("2099-12-31T14:29:59Z"), JSON.stringify(token));
    await page.getByText("2099-12-31 23:59:59").and(page.locator(":visible")).waitFor();
  });
  await report.check("no page complained", () => browser.assertQuiet());
}

export async function spec({ server, report }) {
  const browser = await Browser.launch({ timezoneId: ZONE });
  try {
    await inZone({ browser, server, report });
  } finally {
    await browser.close();
  }
}
