//! esbuild: one call bundles, splits off the terminal and names every file by its content.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::{fs, path::Path};

use super::{
    Profile,
    split::{self, Pages},
    text,
};
use crate::{node::Node, process};

/// What the server asks for by its key in the manifest: the file's name but for the hash.
pub(super) const ENTRIES: [(&str, &str, &str); 5] = [
    ("script", "boot-", ".js"),
    ("wasm", "app_bg-", ".wasm"),
    ("style", "app-", ".css"),
    ("docs_script", "docs-", ".js"),
    ("docs_style", "docs-", ".css"),
];

/// Bundles `package`, and the page of the API's description, into `<dist>/assets` and returns the manifest: the addresses of the entry
/// files, of what the script begins by importing (`imports`), and of the parts of each page (`pages`).
pub(super) fn bundle(node: &Node, profile: Profile, package: &Path, pages: &Pages, dist: &Path) -> Result<Value> {
    let meta = package.with_file_name("meta.json");
    let mut command = node.script("node_modules/esbuild/bin/esbuild");
    command.arg(package.join("boot.js")).arg(package.join("app.css")).arg("xtask/web/docs.js").args([
        "--bundle",
        "--splitting",
        "--format=esm",
        "--target=es2022",
        "--public-path=/assets/",
        "--entry-names=[name]-[hash]",
        "--chunk-names=[name]-[hash]",
        "--asset-names=[name]-[hash]",
        "--loader:.wasm=file",
        // wasm-bindgen copies only the file that a binding names, so what that file imports must have a bare name.
        "--alias:console-xterm=./app/js/xterm.js",
        "--log-level=warning",
        // wasm-bindgen imports a file once per function of it and names it as often, always meaning the same
        "--log-override:duplicate-object-key=silent",
    ]);
    command.arg(format!("--outdir={}", text(&dist.join("assets"))?)).arg(format!("--metafile={}", text(&meta)?));
    if profile == Profile::Release {
        command.args(["--minify", "--legal-comments=none"]);
    }
    process::run(&mut command)?;
    let meta: Value = serde_json::from_str(&fs::read_to_string(meta)?)?;
    manifest(&meta, pages)
}

fn manifest(meta: &Value, pages: &Pages) -> Result<Value> {
    let outputs = meta["outputs"].as_object().context("esbuild names no outputs")?;
    let names: Vec<&str> = outputs.keys().filter_map(|path| path.rsplit('/').next()).collect();
    let address = |start: &str, end: &str| -> Result<String> {
        let mut found = names.iter().filter(|name| name.starts_with(start) && name.ends_with(end));
        match (found.next(), found.next()) {
            (Some(name), None) => Ok(format!("/assets/{name}")),
            _ => bail!("not exactly one {start}*{end} among {names:?}"),
        }
    };
    let entries = ENTRIES.map(|(key, start, end)| Ok((key.to_owned(), json!(address(start, end)?))));
    let mut manifest = entries.into_iter().collect::<Result<serde_json::Map<_, _>>>()?;
    let parts =
        |page: &Vec<String>| page.iter().map(|part| address(&format!("{}-", split::stem(part)), ".wasm")).collect::<Result<Vec<_>>>();
    let pages = pages.iter().map(|(page, own)| Ok((page.clone(), json!(parts(own)?)))).collect::<Result<serde_json::Map<_, _>>>()?;
    manifest.insert("pages".to_owned(), Value::Object(pages));
    manifest.insert("imports".to_owned(), imports(outputs));
    Ok(Value::Object(manifest))
}

/// The files that the script imports before anything of it runs.
fn imports(outputs: &serde_json::Map<String, Value>) -> Value {
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let scripts = outputs.iter().filter(|(path, _)| name(path).starts_with("boot-"));
    let imports = scripts.filter_map(|(_, output)| output["imports"].as_array()).flatten();
    imports
        .filter(|import| import["kind"] == "import-statement")
        .filter_map(|import| Some(json!(format!("/assets/{}", name(import["path"].as_str()?)))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_names_the_entries() {
        let meta = json!({"outputs": {"dist/assets/boot-A.js": {"imports": [
                {"path": "dist/assets/chunk-J.js", "kind": "import-statement"}, {"path": "dist/assets/xterm-B.js", "kind": "dynamic-import"}]},
            "dist/assets/chunk-J.js": {}, "dist/assets/xterm-B.js": {}, "dist/assets/app-C.css": {}, "dist/assets/app_bg-D.wasm": {},
            "dist/assets/docs-E.js": {}, "dist/assets/docs-F.css": {}, "dist/assets/part_machine-G.wasm": {},
            "dist/assets/part_machines-H.wasm": {}, "dist/assets/part_base-I.wasm": {}}});
        let own = |parts: [&str; 2]| parts.map(str::to_owned).to_vec();
        let pages = Pages::from([("machine".to_owned(), own(["base", "machine"])), ("machines".to_owned(), own(["base", "machines"]))]);
        let expected = json!({"script": "/assets/boot-A.js", "wasm": "/assets/app_bg-D.wasm", "style": "/assets/app-C.css",
            "docs_script": "/assets/docs-E.js", "docs_style": "/assets/docs-F.css", "imports": ["/assets/chunk-J.js"], "pages": {
                "machine": ["/assets/part_base-I.wasm", "/assets/part_machine-G.wasm"],
                "machines": ["/assets/part_base-I.wasm", "/assets/part_machines-H.wasm"]}});
        assert_eq!(manifest(&meta, &pages).expect("complete"), expected);
    }

    #[test]
    fn a_missing_entry_is_named() {
        let error = manifest(&json!({"outputs": {"dist/assets/boot-A.js": {}}}), &Pages::new()).expect_err("no wasm");
        assert!(error.to_string().contains("app_bg-*.wasm"), "{error}");
    }
}
