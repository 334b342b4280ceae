// What a machine would be sent as its preseed, before it asks; and the keys that preseeds put on machines.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertLooks } from "../lib/looks.mjs";
import { api, createPreseed, follows, logIn } from "../lib/pages.mjs";

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  const live = () => follows(page);
  const [own] = await api(page, "GET", "/machine?show_all=true");
  const keys = mkdtempSync(join(tmpdir(), "mr-provisioner-keys-"));
  const file = join(keys, "id_ed25519");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "admin@desk", "-f", file]);
  const [, fingerprint] = execFileSync("ssh-keygen", ["-lf", `${file}.pub`], { encoding: "utf8" }).split(" ");
  const told = page.getByTestId("ssh-keys").locator("li");

  await report.check("S: a public key is told by its comment and fingerprint, as ssh-keygen prints it; what is none, by its line", async () => {
    await page.goto(`${server.url}/account`);
    await live();
    await page.locator("#own-keys").fill(`# mine\n${readFileSync(`${file}.pub`, "utf8")}ssh-ed25519 AAAA nothing\n`);
    await told.filter({ hasText: "admin@desk" }).getByText(fingerprint, { exact: true }).waitFor();
    await told.filter({ hasText: "Line 3: no public key" }).waitFor();
    await assertLooks(browser, page, "ssh-keys");
  });
  await report.check("a private key stays where it is", async () => {
    await page.locator("#own-keys").fill(readFileSync(file, "utf8"));
    await page.locator("form").filter({ has: page.locator("#own-keys") }).getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("This is a private key. Keep it to yourself").waitFor();
    assert.equal((await api(page, "GET", "/self")).ssh_key, "");
  });
  await report.check("a line that is no key is kept, and named when it is saved", async () => {
    await page.locator("#own-keys").fill("# mine\nmy key\n");
    await page.locator("form").filter({ has: page.locator("#own-keys") }).getByRole("button", { name: "Save", exact: true }).click();
    await page.locator("[data-toast=warning]").filter({ hasText: "Account saved, but line 2 of the SSH keys: no public key that is known here." }).waitFor();
    assert.equal((await api(page, "GET", "/self")).ssh_key, "# mine\nmy key\n");
  });
  await report.check("the public one is kept, and told again", async () => {
    await page.locator("#own-keys").fill(readFileSync(`${file}.pub`, "utf8"));
    await page.locator("form").filter({ has: page.locator("#own-keys") }).getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Account saved.").waitFor();
    await page.reload();
    await told.getByText(fingerprint, { exact: true }).waitFor();
  });

  const dialog = page.getByTestId("preseed-preview");
  const show = async () => {
    await page.getByTestId("preview-preseed").click();
    await dialog.locator("[data-testid=preview-text], [data-testid=preview-error], .alert-error").first().waitFor();
  };
  await report.check("P: a draft is rendered for a machine before it is saved; what is undefined is told with its line", async () => {
    await createPreseed(page, server, { name: "draft", content: "saved\n" });
    await live();
    await page.locator("#preseed-content").fill("first\nhost {{ hostname }}\n{{ nonsense }}\n");
    await page.locator("#preview-machine").selectOption({ label: own.name });
    await show();
    assert.match(await dialog.getByTestId("preview-text").textContent(), new RegExp(`first\\s+host ${own.hostname ?? own.name}`));
    await dialog.getByTestId("preview-diagnostics").getByText(/^Line 3: .*nonsense/).waitFor();
    await assertLooks(browser, page, "preview");
    await page.keyboard.press("Escape");
  });
  await report.check("what cannot be rendered says so, and where", async () => {
    await page.locator("#preseed-content").fill("first\n{% if %}\n");
    await page.getByTestId("preview-preseed").click();
    await dialog.getByText("the machine would get nothing").waitFor();
    await dialog.locator("[data-fatal=true]").getByText("Line 2: syntax error: unexpected end of block", { exact: true }).waitFor();
    await page.keyboard.press("Escape");
    await page.locator("#preseed-content").fill("{{ nothing.here }}\n");
    await page.getByTestId("preview-preseed").click();
    await dialog.locator("[data-fatal=true]").getByText("Line 1: `nothing` is undefined", { exact: true }).waitFor();
    await page.keyboard.press("Escape");
  });
  await report.check("on the machine's page: the preseed that is chosen, saved or not", async () => {
    const preseed = (await api(page, "GET", "/preseed?show_all=true")).find(({ name }) => name === "draft");
    await page.goto(`${server.url}/machines/${own.id}`);
    await live();
    assert.equal(await page.getByTestId("preview-preseed").count(), 0);
    await page.locator("#preseed").selectOption(String(preseed.id));
    await show();
    assert.match(await dialog.getByTestId("preview-text").textContent(), /^\s*saved\s*$/);
    await page.keyboard.press("Escape");
  });
  await report.check("no page complained", () => browser.assertQuiet());
}
