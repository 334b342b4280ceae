// Every list on a telephone: nothing is wider than its box, and every button can be pressed.
import assert from "node:assert/strict";
import { api, createPreseed, logIn, uploadImage, visit } from "../lib/pages.mjs";
import { assertLooks } from "../lib/looks.mjs";

const PHONE = { width: 360, height: 740 };
const TABLET = { width: 768, height: 1024 };
const DESK = { width: 1280, height: 800 };
/** As long as names may be without a place to break them. */
const LONG = "n".repeat(60);

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  const told = async (path, data) => {
    const answer = await page.context().request.post(`${server.url}/dhcp/ipv4/${path}`, { data });
    assert.ok(answer.ok(), `${path}: ${answer.status()}`);
  };
  let machine;
  await report.need("there is something with a long name in every list", async () => {
    [machine] = await api(page, "GET", "/machine?show_all=true");
    await api(page, "POST", "/user", { username: `u${LONG}`, email: `${LONG}@lab` });
    await api(page, "POST", "/network", { name: `net${LONG}`, subnet: "10.200.100.128/25", static_net: "10.200.100.128/26", reserved_net: "10.200.100.192/26" });
    await api(page, "POST", "/bmc", { name: `bmc${LONG}`, ip: "127.9.9.9", username: "u".repeat(16), password: "secret" });
    const arch = await api(page, "POST", "/arch", { name: `arch${LONG}`, description: LONG });
    await uploadImage(page, server, { file: { name: `loader${LONG}`, mimeType: "application/octet-stream", buffer: Buffer.from("x") }, type: "bootloader", arch: arch.name, description: LONG });
    const loader = (await api(page, "GET", "/image?show_all=true")).find(({ filename }) => filename === `loader${LONG}`);
    await api(page, "POST", `/arch/${arch.id}/subarch`, { name: `flavour${LONG}`, description: LONG, bootloader_id: loader.id });
    await createPreseed(page, server, { name: `preseed${LONG}`, content: "d-i" });
    await api(page, "POST", "/self/token", { description: `token${LONG}`, scopes: ["read", "machines", "images", "admin"] });
    await told("seen", { discover: true, mac: "02:ac:3e:00:00:01", options: [{ option: 12, value: `host${LONG.slice(4)}` }, { option: 93, value: 7 }] });
    await told("lease", { mac: machine.macs[0], ipv4: "10.200.100.200", duration: 3600 });
  });
  /** Tables wider than their box; buttons and links of rows that stand beyond the window, or on one another. */
  const outOfReach = () =>
    page.evaluate(() => {
      const found = [];
      for (const table of document.querySelectorAll("main table, dialog[open] table")) {
        const box = table.parentElement;
        const name = table.caption?.textContent ?? "a table";
        if (table.scrollWidth > box.clientWidth) found.push(`${name} is ${table.scrollWidth - box.clientWidth} px too wide`);
        const all = [...table.querySelectorAll("tbody :is(button, a)")].filter((own) => own.getClientRects().length > 0);
        const covers = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
        for (const [index, own] of all.entries()) {
          const label = `${name}: ${own.getAttribute("aria-label") ?? own.textContent}`;
          const box = own.getBoundingClientRect();
          if (box.left < 0 || box.right > innerWidth) found.push(label);
          // links may begin in the line where another ends
          if (own.matches("button") && all.slice(index + 1).some((other) => other.matches("button") && covers(box, other.getBoundingClientRect()))) found.push(`${label} lies on another`);
          if (own.matches("button") && own.scrollHeight > own.offsetHeight + 1) found.push(`${label} is higher than its button`);
        }
      }
      return found;
    });
  const LISTS = ["/images", "/preseeds", "/leases", "/bmcs", "/networks", "/archs", "/users", "/discovery", "/account"];
  for (const path of LISTS) {
    await report.check(`${path}: all of it within the window`, async () => {
      for (const size of [PHONE, TABLET]) {
        await page.setViewportSize(size);
        await visit(page, server, path);
        await page.locator("main table tbody tr").first().waitFor();
        assert.deepEqual(await outOfReach(), [], `${size.width} px`);
      }
      await assertLooks(browser, page, `phone${path.replace("/", "-")}`);
    });
  }
  await report.check("what has no column on a telephone stands below the name", async () => {
    const says = async (path, row, words) => {
      await page.setViewportSize(PHONE);
      await visit(page, server, path);
      for (const text of words) await page.locator(row).getByText(text).and(page.locator(":visible")).first().waitFor();
    };
    await says("/discovery", "[data-mac]", [/^host/, "x64 UEFI", /^Last seen/, /^First seen/]);
    await says("/leases", "[data-lease]", [machine.macs[0]]);
    await says("/preseeds", `[data-preseed="preseed${LONG}"]`, ["Owner: admin", "Private"]);
    await says("/account", "[data-token]", ["May: read, machines, images, admin", /^Created/, /^Last used/, /^Good until/]);
    await says("/account", "[data-session]", ["127.0.0.1", /^Logged in/, /^Ends/]);
    await says("/archs", "[data-arch] tbody tr", ["BIOS or default"]);
    await says("/users", "[data-testid=users] tbody tr", ["Administrator"]);
  });
  await report.check("what somebody else is logged in with, too", async () => {
    await page.setViewportSize(PHONE);
    await visit(page, server, "/users");
    await page.getByRole("button", { name: "Sessions and tokens of admin", exact: true }).click();
    await page.getByTestId("access").locator("tbody tr").first().waitFor();
    assert.deepEqual(await outOfReach(), []);
    await page.setViewportSize(DESK);
  });
  await report.check("no page complained", () => browser.assertQuiet());
}
