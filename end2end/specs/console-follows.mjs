// The console follows the machine: whose it is, what it is called, which BMC carries its line; and it ends with the right to it.
import assert from "node:assert/strict";
import { Browser } from "../lib/browser.mjs";
import { api, logIn, openConsole, visit } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

export async function spec({ server, browser, report }) {
  const admin = await browser.page();
  const bench = await Browser.launch();
  try {
    const page = await bench.page();
    const sockets = [];
    page.on("websocket", (socket) => sockets.push(socket));
    await logIn(admin, server);
    const machines = await api(admin, "GET", "/machine?show_all=true");
    const [mine, other] = machines.filter(({ bmc_id }) => bmc_id !== null);
    const bob = await api(admin, "POST", "/user", { username: "bob" });
    await logIn(page, server, { username: "bob", password: bob.password });

    const status = page.getByTestId("console-status");
    const says = (words) => status.filter({ hasText: words }).waitFor({ timeout: 10_000 });
    const connected = (on = page) => on.locator("[data-testid=console-status][data-line=connected]").waitFor({ timeout: 20_000 });
    const buttons = page.locator("[data-testid^=power-]");
    const nothingToPress = async () => {
      assert.ok((await buttons.count()) >= 6);
      await until("no power button can be pressed", 5, async () => (await buttons.evaluateAll((all) => all.every((button) => button.disabled || button.ariaDisabled === "true"))));
      assert.ok(await page.getByTestId("send-break").isDisabled());
    };
    const assign = () => api(admin, "POST", `/machine/${mine.id}/assignee`, { user: "bob" });
    const change = (machine, body) => api(admin, "PUT", `/machine/${machine.id}`, body);

    await report.need("who is given the machine sees its console without a reload", async () => {
      await visit(page, server, `/machines/${mine.id}/console`);
      await page.getByText("This console is not yours").waitFor();
      await page.evaluate(() => (window.stillHere = true));
      await assign();
      await connected();
      await page.locator("[data-testid=console-status][data-writer=you]").waitFor();
    });
    await report.check("another name: heading and title", async () => {
      await change(mine, { name: "renamed" });
      await page.getByRole("heading", { level: 1, name: "renamed console" }).waitFor();
      await until("the title", 5, async () => (await page.title()).startsWith("Console of renamed"));
    });
    await report.check("a name of 250 letters is shown to its end, on a desk and on a telephone", async () => {
      const long = "n".repeat(250);
      await change(mine, { name: long });
      const link = page.getByRole("heading", { level: 1 }).getByRole("link", { name: long });
      await link.waitFor();
      for (const width of [1280, 360]) {
        await page.setViewportSize({ width, height: 800 });
        const [right, cut] = await link.evaluate((own) => [own.getBoundingClientRect().right - innerWidth, own.scrollWidth - own.parentElement.clientWidth]);
        assert.ok(right <= 0 && cut <= 0, `${right} and ${cut} px too wide at ${width}`);
      }
      await page.setViewportSize({ width: 1280, height: 800 });
      await change(mine, { name: mine.name });
    });
    await report.check("who loses the machine loses its line and its buttons at once, and keeps what is on the screen", async () => {
      const open = sockets.filter((socket) => !socket.isClosed());
      assert.equal(open.length, 1);
      const [{ id }] = await api(admin, "GET", `/machine/${mine.id}/assignee`);
      await api(admin, "DELETE", `/machine/${mine.id}/assignee/${id}`);
      await says("no longer assigned to you");
      await until("the socket is closed", 5, () => open[0].isClosed());
      await nothingToPress();
      assert.equal(await status.getAttribute("data-writer"), null);
      assert.equal(await page.locator(".xterm").count(), 1);
      const before = sockets.length;
      await page.waitForTimeout(2000);
      assert.equal(sockets.length, before, "it is tried again, though nobody gave the machine back");
    });
    await report.check("given back, it goes on", async () => {
      await assign();
      await connected();
      await page.locator("[data-testid=console-status][data-writer=you]").waitFor();
      await until("the buttons", 5, async () => buttons.evaluateAll((all) => all.some((button) => !button.disabled && button.ariaDisabled !== "true")));
    });
    await report.check("the BMC is taken away: said, and the line ends", async () => {
      await change(mine, { bmc_id: null });
      await says("no BMC any more");
      await nothingToPress();
    });
    await report.check("the machine that gets that BMC has its console at once, the first one with its own again", async () => {
      const lines = [];
      admin.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => typeof payload === "string" && lines.push(JSON.parse(payload).line)));
      await openConsole(admin, server, other.id);
      lines.length = 0;
      await change(other, { bmc_id: mine.bmc_id });
      // within a moment: too short for the page to show it
      await until("the line ends, and another begins", 10, () => lines.includes("connecting") && lines.at(-1) === "connected");
      await connected(admin);
      await change(mine, { bmc_id: other.bmc_id });
      await connected();
      await change(other, { bmc_id: null });
      await visit(admin, server, `/machines/${other.id}/console`);
      await admin.getByText("There is no console").waitFor();
      await change(other, { bmc_id: mine.bmc_id });
      await connected(admin);
    });
    await report.check("the session ends: the console too, and after the password it goes on in place", async () => {
      const open = sockets.filter((socket) => !socket.isClosed());
      for (const session of await api(admin, "GET", `/user/${bob.id}/session`)) await api(admin, "DELETE", `/user/${bob.id}/session/${session.id}`);
      const question = page.getByTestId("relogin");
      await question.getByText("Your session has ended").waitFor({ timeout: 15_000 });
      assert.ok(open.every((socket) => socket.isClosed()));
      // nothing is tried as long as it would be refused, whether or not the question is put off
      await says("You are logged out.");
      await question.getByRole("button", { name: "Later" }).click();
      await page.getByTestId("logged-out").waitFor();
      await says("You are logged out.");
      const [tried, asked] = [sockets.length, bench.requests.length];
      await page.waitForTimeout(4_000);
      assert.equal(sockets.length, tried, "the console is tried again");
      assert.deepEqual(bench.requests.slice(asked).filter((path) => path.startsWith("/api/v1/machine")), []);
      await page.getByTestId("logged-out").getByRole("button", { name: "Log in" }).click();
      await question.getByLabel("Password").fill(bob.password);
      await question.getByRole("button", { name: "Log in", exact: true }).click();
      await connected();
      assert.equal(await page.evaluate(() => window.stillHere), true);
    });
    await report.check("the machine is deleted: said, and nothing is left to press", async () => {
      await api(admin, "DELETE", `/machine/${mine.id}`);
      await says("has been deleted");
      await nothingToPress();
    });
  } finally {
    await bench.close();
  }
}
