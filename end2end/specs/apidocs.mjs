// The page of the API's description: offline, under a policy without exceptions, and one can try the API from it.
import assert from "node:assert/strict";
import { logIn } from "../lib/pages.mjs";

export async function spec({ server, browser, report }) {
  const page = await browser.page();
  const foreign = [];
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== server.url && url.protocol !== "data:") foreign.push(request.url());
  });
  const operation = (path) => page.locator(".opblock-get").filter({ has: page.locator(`[data-path="${path}"]`) });
  const open = async (path) => {
    await operation(path).locator(".opblock-summary-control").click();
    await operation(path).getByRole("button", { name: "Execute" }).click();
    return operation(path).locator(".live-responses-table .response").first();
  };

  await report.need("it shows every operation, without a login", async () => {
    const answer = await page.goto(`${server.url}/api/v1/docs`);
    assert.equal(answer.status(), 200);
    await page.locator(".opblock").first().waitFor();
    const { paths } = await (await page.context().request.get(`${server.url}/api/v1/openapi.json`)).json();
    const documented = Object.values(paths).flatMap((operations) => Object.keys(operations)).length;
    assert.equal(await page.locator(".opblock").count(), documented);
    browser.assertQuiet();
  });
  await report.check("a link leads back to the application", async () => {
    await page.getByRole("link", { name: "mr-provisioner" }).click();
    await page.waitForURL(/\/login/);
    browser.assertQuiet();
  });
  await report.check("its policy names this server only, and no exception", async () => {
    const answer = await page.goto(`${server.url}/api/v1/docs`);
    const policy = answer.headers()["content-security-policy"];
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'/);
    assert.ok(!/unsafe|nonce|\*|https?:/.test(policy), policy);
  });
  await report.check("who is not logged in is told so when trying", async () => {
    const response = await open("/self");
    await response.locator(".response-col_status").filter({ hasText: "401" }).waitFor();
    const refused = [/^401 .*\/api\/v1\/self$/, /Failed to load resource: the server responded with a status of 401/];
    browser.assertQuiet(refused);
  });
  await report.check("after a login, trying works with the session", async () => {
    await logIn(page, server);
    await page.goto(`${server.url}/api/v1/docs`);
    const response = await open("/self");
    await response.locator(".response-col_status").filter({ hasText: "200" }).waitFor();
    assert.match(await response.locator(".highlight-code").first().textContent(), /"username": "admin"/);
    await browser.screenshot(page, "apidocs");
    browser.assertQuiet();
  });
  await report.check("an operation of each kind unfolds in silence", async () => {
    for (const [method, path] of [["get", "/machine"], ["post", "/machine"], ["post", "/image"], ["put", "/machine/{id}"], ["delete", "/machine/{id}"]]) {
      const block = page.locator(`.opblock-${method}`).filter({ has: page.locator(`[data-path="${path}"]`) });
      await block.locator(".opblock-summary-control").click();
      await block.locator(".responses-table").first().waitFor();
    }
    browser.assertQuiet();
  });
  await report.check("light and dark, by the pages' choice", async () => {
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await background();
    await page.context().addCookies([{ name: "theme", value: "dark", url: server.url }]);
    await page.reload();
    assert.notEqual(await background(), light);
  });
  await report.check("the original's address of the description leads to it", async () => {
    const answer = await page.context().request.get(`${server.url}/api/v1/swagger.yaml`);
    assert.equal(answer.url(), `${server.url}/api/v1/openapi.json`);
    assert.equal((await answer.json()).openapi, "3.1.0");
  });
  await report.check("nothing was asked of another host", () => assert.deepEqual(foreign, []));
}
