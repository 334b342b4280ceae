// What the original's browser side cannot be smaller or quicker than: the libraries its pages import, in the versions it names, bundled
// and compressed by today's tools (its own did neither split nor compress as well), and nothing of its own code. The page that they
// are loaded into shows one title.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

const { buildSync } = createRequire(import.meta.url)("esbuild");

const VERSIONS = {
  "aphrodite": "1.2.5", "fuse.js": "3.6.1", "graphql-tag": "2.12.6", "grommet": "1.11.0", "intl": "1.2.5", "ipaddr.js": "1.9.1", "moment": "2.30.1",
  "prop-types": "15.8.1", "query-string": "4.3.4", "ramda": "0.24.1", "react": "15.6.2", "react-apollo": "1.4.16", "react-codemirror": "1.0.0",
  "react-dom": "15.6.2", "react-motion": "0.5.2", "react-paginate": "4.4.4", "react-redux": "5.0.7", "react-router": "4.3.1",
  "react-router-dom": "4.3.1", "recompose": "0.23.5", "redux": "3.7.2", "redux-localstorage": "0.4.1", "redux-loop": "2.2.2", "validator": "7.2.0",
  "xterm": "2.9.2",
};
/** What its pages use of grommet. */
const COMPONENTS = [
  "App", "Anchor", "Box", "Button", "CheckBox", "Footer", "Form", "FormField", "FormFields", "Header", "Heading", "Layer", "List", "ListItem",
  "LoginForm", "Menu", "NumberInput", "Notification", "Paragraph", "Search", "Section", "Select", "Table", "TableRow", "TextInput", "Tile", "Tiles", "Title",
];
/** A library's file where it is not the library itself that is imported. */
const FILES = { xterm: "xterm/dist/xterm" };
const LEFT_OUT = ["grommet", "intl", "prop-types", "react-router"];
const STYLES = ["grommet/grommet.min.css", "codemirror/lib/codemirror.css", "xterm/dist/xterm.css"];

/** `{ script, style, close, url }`: sizes in bytes as `{ raw, gzip, brotli }`, and where the page is served, compressed. */
export async function original() {
  const folder = mkdtempSync(join(tmpdir(), "mr-provisioner-original-"));
  const inside = (name) => join(folder, name);
  writeFileSync(inside("package.json"), JSON.stringify({ private: true, dependencies: VERSIONS }));
  execFileSync("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--legacy-peer-deps", "--silent"], { cwd: folder });
  const libraries = Object.keys(VERSIONS).filter((name) => !LEFT_OUT.includes(name));
  const imported = [...libraries.map((name) => FILES[name] ?? name), ...COMPONENTS.map((name) => `grommet/components/${name}`)];
  const entry = [
    ...imported.map((name, index) => `import * as l${index} from ${JSON.stringify(name)};`),
    // used, so that nothing is left out
    `window.kept = [${imported.map((_, index) => `l${index}`)}];`,
    `import { createElement } from "react"; import { render } from "react-dom"; import App from "grommet/components/App"; import Title from "grommet/components/Title";`,
    `render(createElement(App, {}, createElement(Title, {}, "Machines")), document.getElementById("content"));`,
  ];
  writeFileSync(inside("entry.js"), entry.join("\n"));
  buildSync({
    entryPoints: [inside("entry.js")],
    outfile: inside("app.js"),
    bundle: true,
    minify: true,
    format: "iife",
    define: { "process.env.NODE_ENV": '"production"', global: "window" },
    // as its bundler did, for libraries that look
    banner: { js: "var process = { env: {} };" },
    logLevel: "error",
  });
  const script = readFileSync(inside("app.js"));
  const style = Buffer.concat(STYLES.map((name) => readFileSync(inside(`node_modules/${name}`))));
  rmSync(folder, { recursive: true });
  const page = '<!DOCTYPE html><link rel="stylesheet" href="/app.css"><div id="content"></div><script src="/app.js"></script>';
  const served = { "/app.js": [script, "text/javascript"], "/app.css": [style, "text/css"], "/": [Buffer.from(page), "text/html"] };
  const packed = Object.fromEntries(Object.entries(served).map(([path, [content, type]]) => [path, [brotliCompressSync(content), type]]));
  const server = createServer(({ url }, answer) => {
    const [content, type] = packed[url] ?? [];
    if (!content) return answer.writeHead(404).end();
    answer.writeHead(200, { "content-type": type, "content-encoding": "br", "cache-control": "no-store" }).end(content);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { script: sizes(script), style: sizes(style), url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

function sizes(content) {
  return { raw: content.length, gzip: gzipSync(content, { level: 9 }).length, brotli: brotliCompressSync(content).length };
}
