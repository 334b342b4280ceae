// Starts the application on the page that the server drew. Bundled with the application.
import init, { hydrate } from "./app.js";
import wasm from "./app_bg.wasm";

try {
  await init({ module_or_path: wasm });
  await hydrate(location.pathname);
} catch (error) {
  console.error(error);
  // the page is there to be read, but nothing on it works; the server drew this for the case
  document.getElementById("not-started")?.removeAttribute("hidden");
}
