// Calls of the API that take their time, or fail.
const REFUSAL = { error_type: "Conflict", errors: ["the lab is being moved"], status: 409, title: "Conflict" };

/** Holds back calls that match until `release` is called; `answered` counts those the server has answered. */
export async function held(page, method, pattern) {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  const passed = [];
  const handler = (route) => {
    if (route.request().method() !== method) return route.fallback();
    passed.push(released.then(() => route.continue()));
    return passed.at(-1);
  };
  await page.route(pattern, handler);
  let answered = 0;
  page.on("requestfinished", (request) => {
    if (request.method() === method && pattern.test(request.url())) answered += 1;
  });
  const through = async () => {
    release();
    await Promise.all(passed);
  };
  return { seen: () => passed.length, answered: () => answered, release: through };
}

/** Has calls that match done at once, and holds back their answers until `release` is called; `done` counts those the server has answered. */
export async function late(page, method, pattern) {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  let done = 0;
  await page.route(pattern, async (route) => {
    if (route.request().method() !== method) return route.fallback();
    const response = await route.fetch();
    done += 1;
    await released;
    return route.fulfill({ response });
  });
  return { done: () => done, release };
}

/** Refuses calls that match, until `stop`. */
export async function refused(page, method, pattern) {
  const handler = (route) =>
    route.request().method() === method ? route.fulfill({ status: 409, contentType: "application/json", body: JSON.stringify(REFUSAL) }) : route.fallback();
  await page.route(pattern, handler);
  return { stop: () => page.unroute(pattern, handler) };
}
