// Loads the parts of the application's wasm (`xtask/src/web/split.rs`). Bundled with the application.
import { initSync } from "./app.js";

// what the splitter's debug builds check
const CANARY = ~0xdead;

export function loader(canary) {
  const loaded = new Map();
  // there once the application runs, which is who asks
  const application = () => initSync(undefined, undefined);

  function part(address) {
    if (!loaded.has(address)) {
      const shared = canary ? { ...application(), [canary]: CANARY } : application();
      const loading = WebAssembly.instantiateStreaming(fetch(address), { __wasm_split: shared });
      loaded.set(address, loading);
      // a part is instantiated once, but may be asked for again after a failure
      loading.catch(() => loaded.delete(address));
    }
    return loaded.get(address);
  }

  return (...addresses) =>
    async (callback, data) => {
      const results = await Promise.allSettled(addresses.map(part));
      const failed = results.filter(({ status }) => status === "rejected");
      for (const { reason } of failed) console.error(reason);
      application().__indirect_function_table.get(callback)(data, failed.length === 0);
    };
}
