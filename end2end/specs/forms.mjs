// What a form says of what is wrong with it: in the API's words, beside the field that gets the focus; and where the focus goes
// when a dialog has done its work.
import assert from "node:assert/strict";
import { refused } from "../lib/calls.mjs";
import { assertLooks } from "../lib/looks.mjs";
import { api, follows, logIn } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

export const options = { args: ["--machines", "4"] };

const REFUSED = [/^40[09] /, /status of 40[09]/];

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  const live = () => follows(page);
  const dialog = page.locator("dialog[open]");
  const visit = async (path) => {
    await page.goto(`${server.url}${path}`);
    await live();
  };
  /** The sentence at a field, which has the focus, is marked as wrong, and says so by itself. */
  const refusedAt = async (id, sentence) => {
    const note = page.locator(`#${id}-note`);
    await note.getByTestId("field-error").filter({ hasText: sentence }).waitFor();
    await until(`the focus is in ${id}`, 5, async () => (await page.evaluate(() => document.activeElement?.id)) === id);
    const field = page.locator(`#${id}`);
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    assert.equal(await field.getAttribute("aria-describedby"), `${id}-note`);
    assert.equal(await note.locator("[aria-live=polite]").getByTestId("field-error").count(), 1);
  };
  const focusedOn = (locator) => until("the focus is where it belongs", 5, async () => (await locator.count()) === 1 && (await locator.evaluate((own) => own === document.activeElement)));
  const save = () => dialog.getByTestId("form-send").click();

  await report.check("the login asks for both, not in the browser's bubbles", async () => {
    await page.goto(`${server.url}/login`);
    const button = page.getByRole("button", { name: "Log in" });
    await until("the application is there", 10, () => button.isEnabled());
    await button.click();
    await refusedAt("username", "User name must not be empty");
    assert.deepEqual(await page.getByTestId("field-error").allTextContents(), ["User name must not be empty", "Password must not be empty"]);
    assert.equal(await page.locator("#username").getAttribute("aria-required"), "true");
    // for the eye; the label's words are as they were
    assert.equal(await page.locator("label[for=username]").textContent(), "User name");
    assert.equal(await page.locator("label[for=username] + [aria-hidden=true]").textContent(), "*");
    await assertLooks(browser, page, "login-refused");
    await page.locator("#username").fill("admin");
    await button.click();
    await refusedAt("password", "Password must not be empty");
  });
  await report.need("log in", () => logIn(page, server));
  const [own] = await api(page, "GET", "/machine?show_all=true");

  await report.check("an old refusal goes when the form is sent again", async () => {
    await api(page, "POST", "/bmc", { name: "taken", ip: "10.9.9.9", bmc_type: "plain" });
    await visit("/bmcs");
    await page.getByTestId("add-bmc").click();
    await save();
    await refusedAt("bmc-name", "BMC name must be between 2 and 256 characters long");
    await page.locator("#bmc-ip-note").getByText("IP must not be empty").waitFor();
    await page.locator("#bmc-name").fill("taken");
    await page.locator("#bmc-ip").fill("10.9.9.10");
    await save();
    await refusedAt("bmc-name", "a BMC with this name exists already");
    const refusing = await refused(page, "POST", /api.v1.bmc/);
    await page.locator("#bmc-name").fill("not taken");
    await save();
    await dialog.getByTestId("form-errors").getByText("the lab is being moved").waitFor();
    await focusedOn(dialog.getByTestId("form-send"));
    await refusing.stop();
    browser.takeMessages(REFUSED);
    await page.locator("#bmc-name").fill("x");
    await save();
    await refusedAt("bmc-name", "BMC name must be");
    assert.equal(await dialog.getByTestId("form-errors").textContent(), "");
  });
  await report.check("a field that is folded away is opened", async () => {
    await page.locator("#bmc-name").fill("another");
    await page.getByTestId("bmc-special").getByText("something special").click();
    await page.locator("#bmc-quirks").fill("nonsense");
    await page.getByTestId("bmc-special").getByText("something special").click();
    await save();
    await refusedAt("bmc-quirks", /./);
    assert.ok(await page.locator("#bmc-quirks").isVisible());
  });
  await report.check("an e-mail address is refused in the API's words", async () => {
    await visit("/users");
    await page.getByTestId("add-user").click();
    await page.locator("#user-name").fill("ann");
    await page.locator("#user-email").fill("ann");
    await save();
    await refusedAt("user-email", "email must be a valid email address");
  });
  await report.check("an address that is empty is told as such", async () => {
    await visit("/networks");
    await page.getByTestId("add-network").click();
    await page.locator("#network-name").fill("lab net");
    await save();
    await refusedAt("network-subnet", "IPv4 network must not be empty");
    const network = await api(page, "POST", "/network", { name: "pools", subnet: "172.30.7.0/24", static_net: "172.30.7.128/25" });
    const [first] = await api(page, "GET", `/machine/${own.id}/interface`);
    await api(page, "PUT", `/machine/${own.id}/interface/${first.id}`, { network_id: network.id });
    await visit(`/machines/${own.id}`);
    await page.getByRole("button", { name: /^Edit .*interface/i }).first().click();
    await dialog.locator("#if-kind").selectOption("static");
    await save();
    await refusedAt("if-address", "IPv4 address must not be empty");
  });
  await report.check("a name that is taken, and a pool that does not fit, are told at their fields", async () => {
    await visit("/users");
    await page.getByTestId("add-user").click();
    await page.locator("#user-name").fill("admin");
    await save();
    await refusedAt("user-name", "a user with this name exists already");
    await visit("/machines");
    await page.getByTestId("add-machine").click();
    await page.locator("#new-name").fill(own.name);
    await page.locator("#new-arch").selectOption(own.arch);
    await save();
    await refusedAt("new-name", "a machine with this name exists already");
    await page.locator("#new-name").fill("of-its-own");
    await page.locator("#new-macs").fill(own.macs[0]);
    await save();
    await refusedAt("new-macs", /already in use/);
    await page.locator("#new-macs").fill("52:54:00:99:00:01\n52-54-00-99-00-01");
    await save();
    await refusedAt("new-macs", "MAC 52:54:00:99:00:01 was given twice");
    const [, other] = await api(page, "GET", "/machine?show_all=true");
    await visit(`/machines/${own.id}`);
    await page.getByRole("button", { name: "Edit machine" }).click();
    await page.locator("#edit-name").fill(other.name);
    await save();
    await refusedAt("edit-name", "a machine with this name exists already");
    await visit("/archs");
    await page.getByTestId("add-arch").click();
    await page.locator("#arch-name").fill(own.arch);
    await save();
    await refusedAt("arch-name", "an architecture with this name exists already");
    await visit("/networks");
    await page.getByTestId("add-network").click();
    const fill = async (values) => {
      for (const [field, value] of Object.entries(values)) await page.locator(`#network-${field}`).fill(value);
      await save();
    };
    await fill({ name: "pools", subnet: "172.30.9.0/24" });
    await refusedAt("network-name", "a network with this name exists already");
    await fill({ name: "other-pools", subnet: "172.30.7.0/25" });
    await refusedAt("network-subnet", /conflicts with network pools/);
    await fill({ subnet: "172.30.9.0/24", static: "10.0.0.0/28", reserved: "10.0.1.0/28" });
    await refusedAt("network-static", "Static subnet is not contained within subnet 172.30.9.0/24");
    await page.locator("#network-reserved-note").getByText("Reserved subnet is not contained").waitFor();
    await fill({ static: "172.30.9.0/25", reserved: "172.30.9.0/26" });
    await refusedAt("network-reserved", "Static and reserved subnets overlap");
    assert.equal(await dialog.getByTestId("form-errors").textContent(), "");
    browser.takeMessages(REFUSED);
  });
  await report.check("a refusal of the server that is about a field brings the focus there", async () => {
    await visit("/account");
    await page.locator("#old-password").fill("wrong password");
    for (const id of ["new-password", "new-password-again"]) await page.locator(`#${id}`).fill("correct horse");
    await page.getByRole("button", { name: "Change password" }).click();
    await refusedAt("old-password", /./);
    browser.takeMessages([/^40[03] /, /status of 40[03]/]);
    await page.locator("#old-password").fill("");
    await page.getByRole("button", { name: "Change password" }).click();
    await refusedAt("old-password", "Old password must not be empty");
  });
  await report.check("half a date is not taken for none", async () => {
    await page.getByLabel("What for?").fill("until some day");
    await page.locator("#token-expires").focus();
    await page.keyboard.type("12");
    await page.getByTestId("create-token").click();
    await refusedAt("token-expires", "Good until cannot be read: complete it, or empty it");
    assert.deepEqual(await api(page, "GET", "/self/token"), []);
  });

  await report.check("after saving the focus is on the row's button again, after deleting on the next row's", async () => {
    await visit("/networks");
    const edit = page.getByRole("button", { name: "Edit network pools", exact: true });
    await edit.click();
    await dialog.locator("#network-reserved").fill("172.30.7.64/26");
    await save();
    await page.getByRole("cell", { name: "172.30.7.64/26" }).waitFor();
    await focusedOn(edit);
    await api(page, "POST", "/network", { name: "unused", subnet: "172.30.8.0/24" });
    await visit("/networks");
    await page.getByRole("button", { name: "Delete network unused", exact: true }).click();
    await dialog.getByTestId("acknowledge").check();
    await dialog.getByTestId("confirm-action").click();
    await focusedOn(page.getByRole("button", { name: "Delete network pools", exact: true }));
  });
  await report.check("also where the list is fetched again first", async () => {
    await api(page, "POST", `/machine/${own.id}/assignee`, { user: "admin", reason: "tests" });
    await visit(`/machines/${own.id}`);
    const edit = page.getByRole("button", { name: "Edit reason of admin" });
    await edit.click();
    await dialog.locator("#change-reason").fill("other tests");
    await save();
    await page.getByTestId("assignees").getByText("other tests").waitFor();
    await focusedOn(edit);
    await page.getByRole("button", { name: "Give back" }).click();
    await dialog.getByTestId("confirm-action").click();
    await focusedOn(page.getByTestId("add-assignee"));
  });

  await report.check("long lists of BMCs and users can be searched", async () => {
    for (let number = 1; number <= 8; number += 1) {
      await api(page, "POST", "/bmc", { name: `rack-${number}`, ip: `10.9.8.${number}`, bmc_type: "plain" });
      await api(page, "POST", "/user", { username: `person-${number}` });
    }
    const finds = async (id, text) => {
      await dialog.locator(`[data-search=${id}]`).fill(text);
      await until(`${text} is left`, 5, async () => (await dialog.locator(`#${id} option`).filter({ hasText: /-\d/ }).count()) === 1);
      await dialog.getByRole("button", { name: "Cancel" }).click();
      await dialog.waitFor({ state: "hidden" });
    };
    await visit("/machines");
    await page.getByTestId("add-machine").click();
    await finds("new-bmc", "rack-7");
    await page.getByTestId("machine-row").first().getByRole("checkbox").check();
    await page.getByTestId("bulk-assign").click();
    await finds("bulk-user", "person-7");
    await visit(`/machines/${own.id}`);
    await page.getByTestId("add-assignee").click();
    await finds("assignee-user", "person-7");
    await page.getByRole("button", { name: "Edit machine" }).click();
    // the machine's own stays offered
    await dialog.locator("[data-search=edit-bmc]").fill("rack-7");
    await until("rack-7 is found", 5, async () => (await dialog.locator("#edit-bmc option").filter({ hasText: /rack-\d/ }).count()) === 1);
  });
  await report.check("no page complained of anything else", () => browser.assertQuiet());
}
