// Lists of what is not machines: rows that stay while they change, sorting, links to what is meant, and what others do while one looks.
import assert from "node:assert/strict";
import { assertLooks } from "../lib/looks.mjs";
import { api, follows, logIn, uploadImage, visit } from "../lib/pages.mjs";
import { until } from "../lib/report.mjs";

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  await report.need("log in", () => logIn(page, server));
  const open = (path) => visit(page, server, path);
  const button = (name) => page.getByRole("button", { name, exact: true });
  const imageButton = (verb, name) => page.getByRole("button", { name: new RegExp(`^${verb} image ${name} \\(`) });
  const dialog = page.locator("dialog[open]");
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent.trim().slice(0, 40));
  /** There, and still there when everything has been drawn. */
  const focusIs = async (name) => {
    await until(`the focus is on ${name}`, 5, async () => (await focused()) === name).catch(async () => assert.fail(`the focus is on ${await focused()}, not on ${name}`));
    await page.waitForTimeout(800);
    assert.equal(await focused(), name);
  };
  const save = async (field, value) => {
    await dialog.locator(field).fill(value);
    await dialog.getByRole("button", { name: "Save", exact: true }).click();
    await dialog.waitFor({ state: "hidden" });
  };
  const agree = async () => {
    const acknowledge = dialog.getByTestId("acknowledge");
    await dialog.getByTestId("confirm-action").waitFor();
    if (await acknowledge.count()) await acknowledge.check();
    await dialog.getByTestId("confirm-action").click();
    await dialog.waitFor({ state: "hidden" });
  };

  await report.need("there is something in every list", async () => {
    for (const [name, subnet] of [["net-a", "10.7.1.0/24"], ["net-b", "10.7.2.0/24"], ["net-c", "10.7.3.0/24"]]) {
      await api(page, "POST", "/network", { name, subnet, static_net: name === "net-b" ? "10.7.2.0/26" : null });
    }
    for (const username of ["ann", "bob"]) await api(page, "POST", "/user", { username });
    await api(page, "POST", "/preseed", { name: "described", description: "aaa", content: "d-i", type: "preseed", known_good: true });
    await api(page, "POST", "/preseed", { name: "bare", description: "", content: "d-i", type: "preseed" });
    const file = (name) => ({ name, mimeType: "application/octet-stream", buffer: Buffer.from(name) });
    await uploadImage(page, server, { file: file("vmlinuz-z"), type: "Kernel", arch: "x86_64", description: "aaa" });
    await uploadImage(page, server, { file: file("grub.efi"), type: "Bootloader", arch: "x86_64", description: "" });
  });
  const machines = await api(page, "GET", "/machine?show_all=true");
  const [machine] = machines;
  const bmcs = await api(page, "GET", "/bmc");

  await report.check("saved: the focus comes back to the row's button, wherever the row is now", async () => {
    await open("/networks");
    await button("Edit network net-a").click();
    await page.getByRole("heading", { name: "Edit network net-a" }).waitFor();
    await save("#network-name", "net-x");
    await focusIs("Edit network net-x");
    await open("/bmcs");
    await button(`Edit BMC ${bmcs[0].name}`).click();
    await save("#bmc-name", "zz-renamed");
    await focusIs("Edit BMC zz-renamed");
    await open("/users");
    await button("Edit user ann").click();
    await page.getByRole("heading", { name: "Edit user ann" }).waitFor();
    await save("#edit-user-email", "ann@lab");
    await focusIs("Edit user ann");
    await open("/images");
    await imageButton("Edit", "vmlinuz-z").click();
    await save("#edit-image-description", "bbb");
    await focusIs(await imageButton("Edit", "vmlinuz-z").getAttribute("aria-label"));
    await open("/archs");
    const { name } = (await api(page, "GET", "/arch"))[0];
    await button(`Edit architecture ${name}`).click();
    await save("#arch-description", "changed");
    await focusIs(`Edit architecture ${name}`);
  });
  await report.check("a changed image is told, and comes back as it was", async () => {
    await open("/images");
    await imageButton("Edit", "vmlinuz-z").click();
    await save("#edit-image-description", "wrong");
    const saved = page.getByTestId("toasts").locator("[data-toast]").filter({ hasText: "vmlinuz-z saved." });
    await saved.getByRole("button", { name: "Undo" }).click();
    const image = async () => (await api(page, "GET", "/image?show_all=true")).find(({ filename }) => filename === "vmlinuz-z");
    await until("it is as before", 5, async () => (await image()).description === "bbb");
  });
  await report.check("saved on a machine's page, likewise", async () => {
    const [nic] = await api(page, "GET", `/machine/${machine.id}/interface`);
    await api(page, "POST", `/machine/${machine.id}/assignee`, { user: "ann", reason: "old" });
    await open(`/machines/${machine.id}`);
    await button(`Edit interface ${nic.mac}`).click();
    await save("#if-identifier", "lan7");
    await focusIs(`Edit interface ${nic.mac}`);
    await page.getByTestId("interfaces").getByText("lan7").waitFor();
    await button("Edit reason of ann").click();
    await save("#change-reason", "new");
    await focusIs("Edit reason of ann");
    await page.getByTestId("assignees").getByText("new", { exact: true }).waitFor();
  });
  await report.check("removed: the focus goes to the next row's button, and to the one that adds when there is none", async () => {
    await open("/networks");
    await button("Delete network net-b").click();
    await agree();
    await focusIs("Delete network net-c");
    await api(page, "POST", `/machine/${machine.id}/interface`, { mac: "02:00:00:00:07:01" });
    await open(`/machines/${machine.id}`);
    await button("Remove interface 02:00:00:00:07:01").click();
    await agree();
    await button("Remove interface 02:00:00:00:07:01").waitFor({ state: "detached" });
    await focusIs(await page.locator("[data-testid=interfaces] tbody tr").last().getByRole("button", { name: /^Remove/ }).getAttribute("aria-label"));
    for (const { id, user } of await api(page, "GET", `/machine/${machine.id}/assignee`)) {
      if (user !== "ann") await api(page, "DELETE", `/machine/${machine.id}/assignee/${id}`);
    }
    await open(`/machines/${machine.id}`);
    await button("Remove ann").click();
    await agree();
    await focusIs("Assign a user");
  });

  const order = async (path, rows, heading, expected) => {
    await open(path);
    for (const direction of ["ascending", "descending"]) {
      const sorted = page.locator(`th[aria-sort=${direction}]`).filter({ hasText: heading });
      // the first column is what the list is sorted by at first
      if ((await sorted.count()) === 0) await page.getByRole("columnheader").getByRole("button", { name: new RegExp(`^${heading}( ?, \\w+)?$`) }).first().click();
      await sorted.first().waitFor();
      const shown = await page.locator(rows).evaluateAll((all) => all.map(({ dataset }) => dataset.bmc ?? dataset.network ?? dataset.image ?? dataset.preseed));
      const wanted = direction === "ascending" ? expected : expected.toReversed();
      const found = shown.filter((name) => expected.includes(name));
      assert.deepEqual(found, wanted, `${path} by ${heading}, ${direction}`);
    }
  };
  await report.check("L12, N1, I1, P1: BMCs, users, networks and architectures are sorted by their columns, images and preseeds by what they are marked with", async () => {
    await api(page, "POST", "/network", { name: "net-0", subnet: "10.7.200.0/24" });
    await order("/networks", "[data-network]", "Subnet", ["net-x", "net-c", "net-0"]);
    await order("/bmcs", "[data-bmc]", "Name", [bmcs[1].name, "zz-renamed"]);
    await order("/preseeds", "[data-preseed]", "Description", ["described", "bare"]);
    await order("/preseeds", "[data-preseed]", "Known good", ["described", "bare"]);
    await order("/images", "[data-image]", "Description", ["vmlinuz-z", "grub.efi"]);
    // of two in one column the one that is sorted by says so, and how
    await page.getByRole("button", { name: /^Description ?, descending$/, pressed: true }).waitFor();
    await page.getByRole("button", { name: "File", exact: true, pressed: false }).waitFor();
    await open("/users");
    await page.getByRole("button", { name: "Privilege", exact: true }).click();
    assert.match((await page.locator("[data-testid=users] tbody tr").first().textContent()) ?? "", /Administrator/);
    await page.getByRole("button", { name: "Privilege", exact: true }).click();
    assert.doesNotMatch((await page.locator("[data-testid=users] tbody tr").first().textContent()) ?? "", /Administrator/);
    await open("/archs");
    const shown = () => page.getByTestId("arch").first().locator("tbody tr").evaluateAll((all) => all.map((row) => row.textContent));
    await page.getByRole("button", { name: "Name", exact: true }).first().click();
    await page.locator("th[aria-sort=descending]").first().waitFor();
    assert.ok((await shown()).length > 0);
  });
  await report.check("N1: networks and architectures are searched, and a link leads to one of them", async () => {
    await open("/networks?q=net-c");
    assert.equal(await page.locator("[data-network]").count(), 1);
    await page.getByTestId("filter").fill("no such network");
    await page.getByText("No network matches").waitFor();
    await open("/archs?q=no-such-arch");
    await page.getByText("No architecture matches").waitFor();
    const { name } = (await api(page, "GET", "/arch"))[0];
    await page.getByTestId("filter").fill(name);
    await page.locator(`[data-arch="${name}"]`).waitFor();
  });
  await report.check("the order is kept in the address: a reload and Back have it again", async () => {
    const down = (heading) => page.locator("th[aria-sort=descending]").filter({ hasText: heading });
    for (const [path, heading, word] of [["/networks", "Subnet", "-subnet"], ["/bmcs", "Health", "-health"], ["/users", "E-mail", "-email"], ["/preseeds", "Owner", "-owner"], ["/images", "Size", "-size"]]) {
      await open(path);
      for (let click = 0; click < 2; click += 1) await page.getByRole("columnheader").getByRole("button", { name: heading, exact: true }).click();
      await page.waitForURL((url) => url.searchParams.get("sort") === word);
      await down(heading).waitFor();
      await page.reload();
      await down(heading).waitFor();
      await follows(page);
      await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Leases" }).click();
      await page.waitForURL(/\/leases$/);
      await page.goBack();
      await page.waitForURL((url) => url.pathname === path && url.searchParams.get("sort") === word);
      await down(heading).waitFor();
    }
    // what is no column is the page's own order, which is not named
    await open("/networks?sort=-nothing");
    await page.locator("th[aria-sort=ascending]").filter({ hasText: "Name" }).waitFor();
  });
  await report.check("what a filter has left is told once typing pauses", async () => {
    for (const [path, some] of [["/networks", "net-c"], ["/bmcs", bmcs[1].name], ["/users", "bob"], ["/archs", (await api(page, "GET", "/arch"))[0].name]]) {
      await open(path);
      const left = page.getByTestId("filter-left");
      assert.equal(await left.getAttribute("aria-live"), "polite");
      assert.equal((await left.textContent()).trim(), "");
      await page.getByTestId("filter").fill(some);
      await left.filter({ hasText: /^\d+ of \d+$/ }).waitFor({ state: "attached" });
      await page.getByTestId("filter").fill("no such thing");
      await left.filter({ hasText: "None matches" }).waitFor({ state: "attached" });
      await page.getByTestId("filter").fill("");
      await until("nothing is said of a list that is not filtered", 5, async () => (await left.textContent()).trim() === "");
    }
  });
  await report.check("L10, BM2, N1: what uses a BMC or a network is told, with links", async () => {
    await api(page, "POST", `/machine/${machine.id}/interface`, { mac: "02:00:00:00:07:02", network_id: (await api(page, "GET", "/network")).find(({ name }) => name === "net-c").id });
    await open("/networks");
    await button("What uses network net-c").click();
    assert.equal(await page.getByTestId("used-by").getByRole("link", { name: machine.name, exact: true }).getAttribute("href"), `/machines/${machine.id}`);
    await page.keyboard.press("Escape");
    await focusIs("What uses network net-c");
    const bmc = (await api(page, "GET", "/bmc")).find(({ machines }) => machines.length > 0);
    await open(`/bmcs?q=${encodeURIComponent(bmc.name)}`);
    await button(`What uses BMC ${bmc.name}`).click();
    await page.getByTestId("used-by").getByRole("link", { name: bmc.machines[0], exact: true }).waitFor();
    await page.keyboard.press("Escape");
    const cell = page.locator(`[data-bmc="${bmc.name}"] td`).getByRole("link", { name: bmc.machines[0], exact: true });
    assert.equal(await cell.getAttribute("href"), `/machines/${bmc.machine_ids[0]}`);
    await open("/networks?q=net-0");
    await button("What uses network net-0").click();
    await page.getByTestId("unused").getByText("Nothing uses it.").waitFor();
    await page.keyboard.press("Escape");
  });
  await report.check("N1: of many machines in a network some are named, the others counted, and all told", async () => {
    const { id } = await api(page, "POST", "/network", { name: "crowded", subnet: "10.7.201.0/24" });
    for (const [number, own] of machines.entries()) await api(page, "POST", `/machine/${own.id}/interface`, { mac: `02:00:00:00:08:0${number}`, network_id: id });
    await open("/networks?q=crowded");
    const row = page.locator("[data-network=crowded]");
    const links = row.locator("td a[href^='/machines/']");
    const { machines: names, machine_ids: ids } = await api(page, "GET", `/network/${id}`);
    assert.deepEqual(await links.allTextContents(), names.slice(0, 3));
    assert.deepEqual(await links.evaluateAll((all) => all.map((own) => own.getAttribute("href"))), ids.slice(0, 3).map((own) => `/machines/${own}`));
    await row.getByRole("button", { name: `and ${names.length - 3} more: what uses network crowded`, exact: true }).click();
    await page.getByTestId("used-by").getByRole("link", { name: names.at(-1), exact: true }).waitFor();
    await page.keyboard.press("Escape");
    await links.first().click();
    await page.getByTestId("machine-name").filter({ hasText: names[0] }).waitFor();
  });

  const other = await browser.page();
  await report.need("somebody else", () => other.goto(`${server.url}/account`));
  await report.check("what somebody else adds, changes and removes is shown, on every list", async () => {
    const adds = {
      "/networks": async () => {
        const { id } = await api(other, "POST", "/network", { name: "theirs", subnet: "10.8.0.0/24" });
        return `/network/${id}`;
      },
      "/bmcs": async () => {
        const { id } = await api(other, "POST", "/bmc", { name: "theirs", ip: "127.9.9.9" });
        return `/bmc/${id}`;
      },
      "/users": async () => {
        const { id } = await api(other, "POST", "/user", { username: "theirs" });
        return `/user/${id}`;
      },
      "/archs": async () => {
        const { id } = await api(other, "POST", "/arch", { name: "theirs" });
        return `/arch/${id}`;
      },
      "/preseeds": async () => {
        const { id } = await api(other, "POST", "/preseed", { name: "theirs", description: "", content: "d-i", type: "preseed" });
        return `/preseed/${id}`;
      },
      "/discovery": async () => {
        const data = { discover: true, mac: "02:ac:3e:00:00:09", options: [{ option: 12, value: "theirs" }] };
        assert.ok((await other.context().request.post(`${server.url}/dhcp/ipv4/seen`, { data })).ok());
        const { id } = (await api(other, "GET", "/discovered")).find(({ mac }) => mac === data.mac);
        return `/discovered/${id}`;
      },
    };
    for (const [path, add] of Object.entries(adds)) {
      await open(path);
      const shown = page.locator("main").getByText("theirs").and(page.locator(":visible")).first();
      assert.equal(await shown.count(), 0, path);
      const made = await add();
      await shown.waitFor({ timeout: 5000 }).catch(() => assert.fail(`${path} does not show what was added`));
      await api(other, "DELETE", made);
      await until(`${path} shows that it is gone`, 5, async () => (await shown.count()) === 0);
    }
  });
  await report.check("an image somebody else renames, while the page is open", async () => {
    await open("/images");
    const image = (await api(other, "GET", "/image?show_all=true")).find(({ filename }) => filename === "grub.efi");
    await api(other, "PUT", `/image/${image.id}`, { description: "by somebody else" });
    await page.locator("[data-image='grub.efi']").getByText("by somebody else").first().waitFor();
  });
  await report.check("K1: an address that DHCP gives out, the next one, and whose it is", async () => {
    const mac = "02:1e:a5:e0:00:01";
    const told = async (ipv4) => assert.ok((await other.context().request.post(`${server.url}/dhcp/ipv4/lease`, { data: { mac, ipv4, duration: 3600 } })).ok());
    await open("/leases");
    const row = page.locator(`[data-lease="${mac}"]`);
    assert.equal(await row.count(), 0);
    await told("10.99.0.7");
    await row.getByText("10.99.0.7").waitFor({ timeout: 5000 });
    await row.getByText("unknown").waitFor();
    await told("10.99.0.8");
    await row.getByText("10.99.0.8").waitFor({ timeout: 5000 });
    await api(other, "POST", `/machine/${machine.id}/interface`, { mac });
    await row.getByRole("link", { name: machine.name, exact: true }).waitFor({ timeout: 5000 });
  });
  await report.check("meanwhile the focus stays, and an open dialog with what was typed", async () => {
    await open("/networks");
    await button("Edit network net-x").focus();
    const network = (await api(other, "GET", "/network")).find(({ name }) => name === "net-x");
    await api(other, "PUT", `/network/${network.id}`, { name: "net-x", subnet: "10.7.9.0/24" });
    await page.locator("[data-network=net-x]").getByText("10.7.9.0/24").waitFor();
    await focusIs("Edit network net-x");
    await button("Edit network net-x").click();
    await dialog.locator("#network-static").fill("10.7.9.0/2");
    await api(other, "POST", "/network", { name: "meanwhile", subnet: "10.8.1.0/24" });
    await page.locator("[data-network=meanwhile]").waitFor({ state: "attached" });
    await page.keyboard.type("6");
    assert.equal(await dialog.locator("#network-static").inputValue(), "10.7.9.0/26");
    // once more: something was typed
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await focusIs("Edit network net-x");
  });

  await report.check("on a telephone nothing is out of reach", async () => {
    // each look at a page ends on the desk
    const openSmall = async (path) => {
      await page.setViewportSize({ width: 390, height: 844 });
      await open(path);
    };
    await openSmall("/networks?q=net-c");
    const network = page.locator("[data-network=net-c]");
    for (const words of [/static –/, /reserved –/, machine.name]) await network.getByText(words).and(page.locator(":visible")).first().waitFor();
    await assertLooks(browser, page, "lists-networks-phone");
    const bmc = (await api(page, "GET", "/bmc")).find(({ machines }) => machines.length > 0);
    await openSmall(`/bmcs?q=${encodeURIComponent(bmc.name)}`);
    for (const words of [bmc.ip, bmc.type, bmc.machines[0]]) await page.locator(`[data-bmc="${bmc.name}"]`).getByText(words).and(page.locator(":visible")).first().waitFor();
    await assertLooks(browser, page, "lists-bmcs-phone");
    await openSmall("/users?q=ann");
    await page.locator("[data-testid=users] tbody").getByText("ann@lab").and(page.locator(":visible")).first().waitFor();
    await assertLooks(browser, page, "lists-users-phone");
    await openSmall("/images?q=grub.efi");
    const image = page.locator("[data-image='grub.efi']");
    for (const words of ["Private", "Owner: admin", /^SHA-256/]) await image.getByText(words).and(page.locator(":visible")).first().waitFor();
    await assertLooks(browser, page, "lists-images-phone");
  });
  await report.check("no page complained", () => browser.assertQuiet());
}
