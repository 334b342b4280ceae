//! `cargo xtask web`: everything the browser downloads, into `dist/`.
//!
//! `dist/assets/` holds files named by their content, each with a `.br` and a `.gz` beside it in release builds;
//! `dist/public/` holds `public/` as it is; `dist/manifest.json` tells the server the addresses of the entry files.

mod bundle;
mod glue;
mod merge;
mod report;
mod sources;
mod split;
mod toolchain;
mod unused;

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
    thread,
};
use wasm_bindgen_cli_support::Bindgen;

use crate::{node::Node, process, workspace::Workspace};

/// How the browser's code is compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Small to download: link-time optimization, wasm-opt, minified, precompressed.
    Release,
    /// Quick to build.
    Dev,
}

impl Profile {
    /// The name of the profile in the root `Cargo.toml`.
    fn name(self) -> &'static str {
        match self {
            Self::Release => "wasm-release",
            Self::Dev => "wasm-dev",
        }
    }
}

/// What rustc's wasm32 target has switched on. `--all-features` would let wasm-opt emit what browsers lack.
const WASM_FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-sign-ext",
];

/// For size, as often as it finds something. The first addresses are the far end of the stack; names were for the splitter.
const WASM_OPT: [&str; 5] = ["-Oz", "--converge", "--low-memory-unused", "--strip-debug", "--strip-producers"];

/// Builds `dist/`, or does nothing when it was built from the same sources already.
pub(crate) fn build(workspace: &Workspace, profile: Profile) -> Result<()> {
    let sources = sources::fingerprint(&workspace.root)?;
    let dist = workspace.root.join("dist");
    if is_current(&dist, &sources, profile) {
        eprintln!("web: dist/ is up to date");
        return Ok(());
    }
    let node = Node::set_up(workspace)?;
    let work = workspace.target.join("web");
    let package = work.join("pkg");
    let wasm = process::timed("cargo", || toolchain::compile(workspace, profile))?;
    remove(&package)?;
    let pages = process::timed("split", || split::split(&wasm, &package))?;
    process::timed("wasm-bindgen", || bind(&workspace.root, &package))?;
    glue::drop_classes(&package)?;
    if profile == Profile::Release {
        process::timed("wasm-opt", || optimize(&node, &package, &pages))?;
    }
    glue::shorten(&package)?;
    process::timed("tailwind", || style(&node, profile, &package.join("app.css")))?;
    // Built beside and then renamed: a server that reads dist/ must not see half of it.
    let fresh = workspace.root.join("dist.new");
    remove(&fresh)?;
    let mut manifest = process::timed("esbuild", || bundle::bundle(&node, profile, &package, &pages, &fresh))?;
    copy_public(&workspace.root.join("public"), &fresh.join("public"))?;
    if profile == Profile::Release {
        process::timed("compress", || compress(&node, &fresh))?;
    }
    report::report(&fresh, &manifest)?;
    manifest["profile"] = json!(profile.name());
    manifest["sources"] = json!(sources);
    fs::write(fresh.join("manifest.json"), format!("{manifest:#}\n"))?;
    replace(&fresh, &dist)
}

/// A release build serves those who asked for a quick one just as well.
fn is_current(dist: &Path, sources: &str, profile: Profile) -> bool {
    let Some(manifest) = fs::read(dist.join("manifest.json")).ok().and_then(|text| serde_json::from_slice::<Value>(&text).ok()) else {
        return false;
    };
    let built_as = manifest["profile"].as_str().unwrap_or_default();
    let there = |address: &str| !address.is_empty() && dist.join(address.trim_start_matches('/')).is_file();
    let complete = bundle::ENTRIES.iter().all(|(entry, ..)| there(manifest[*entry].as_str().unwrap_or_default()));
    let lists = manifest["pages"].as_object().into_iter().flat_map(|pages| pages.values()).chain([&manifest["imports"]]);
    complete
        && lists.flat_map(report::addresses).all(there)
        && manifest["sources"] == sources
        && (built_as == profile.name() || built_as == Profile::Release.name())
}

/// The JavaScript around the wasm, and the entry that starts both.
fn bind(root: &Path, package: &Path) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(package.join("main.wasm")).out_name("app").typescript(false).omit_default_module_path(true);
    // the parts import the table and the stack's pointer
    bindgen.web(true)?.keep_lld_exports(true);
    bindgen.generate(package)?;
    for script in ["boot.js", "parts.js"] {
        let from = root.join("xtask/web").join(script);
        fs::copy(&from, package.join(script)).with_context(|| from.display().to_string())?;
    }
    Ok(())
}

/// Each by itself: what they share goes through the table and the memory, which wasm-opt leaves as they are, for both are exported.
fn optimize(node: &Node, package: &Path, pages: &split::Pages) -> Result<()> {
    let parts: BTreeSet<String> = pages.values().flatten().map(|part| split::stem(part)).collect();
    // the longest first
    let waiting = Mutex::new(["app_bg".to_owned()].into_iter().chain(parts));
    let work = || -> Result<()> {
        loop {
            let next = waiting.lock().map_err(|_| anyhow!("another thread panicked"))?.next();
            let Some(stem) = next else { return Ok(()) };
            let wasm = package.join(stem).with_extension("wasm");
            let mut command = node.script("node_modules/binaryen/bin/wasm-opt");
            process::run(command.args(WASM_OPT).args(WASM_FEATURES).arg(&wasm).arg("-o").arg(&wasm))?;
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| anyhow!("a thread panicked"))?)
    })
}

fn style(node: &Node, profile: Profile, output: &Path) -> Result<()> {
    let mut command = node.script("node_modules/@tailwindcss/cli/dist/index.mjs");
    command.args(["--input", "style/app.css", "--output"]).arg(output);
    if profile == Profile::Release {
        command.arg("--minify");
    }
    // It says how long it took on standard error; its errors come with its exit status.
    process::output(&mut command).map(drop)
}

fn copy_public(from: &Path, to: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(from) else { return Ok(()) };
    fs::create_dir_all(to)?;
    for entry in entries {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_public(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn compress(node: &Node, dist: &Path) -> Result<()> {
    process::run(node.script("xtask/web/compress.mjs").arg(dist))
}

fn replace(fresh: &Path, dist: &Path) -> Result<()> {
    remove(dist)?;
    fs::rename(fresh, dist).with_context(|| format!("{} to {}", fresh.display(), dist.display()))
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).with_context(|| folder.display().to_string()),
        _ => Ok(()),
    }
}

/// `path` as text; a workspace under a path that is no UTF-8 is refused by name.
fn text(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("not UTF-8: {}", path.display()))
}

/// All files under a folder, sorted, without those of version control.
fn files_under(folder: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
    let mut entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?.collect::<std::io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        if entry.file_type()?.is_dir() {
            files_under(&entry.path(), into)?;
        } else {
            into.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dist(profile: Profile) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("temp folder");
        fs::create_dir(folder.path().join("assets")).expect("folder");
        for name in ["boot-1.js", "app-1.css", "app_bg-1.wasm", "part_users-1.wasm", "docs-1.js", "docs-1.css"] {
            fs::write(folder.path().join("assets").join(name), "x").expect("written");
        }
        let manifest = json!({"script": "/assets/boot-1.js", "style": "/assets/app-1.css", "wasm": "/assets/app_bg-1.wasm",
            "docs_script": "/assets/docs-1.js", "docs_style": "/assets/docs-1.css",
            "pages": {"users": ["/assets/part_users-1.wasm"]}, "profile": profile.name(), "sources": "abc"});
        fs::write(folder.path().join("manifest.json"), manifest.to_string()).expect("written");
        folder
    }

    #[test]
    fn the_same_sources_are_not_built_again() {
        assert!(is_current(dist(Profile::Release).path(), "abc", Profile::Release));
        assert!(is_current(dist(Profile::Release).path(), "abc", Profile::Dev));
        assert!(is_current(dist(Profile::Dev).path(), "abc", Profile::Dev));
    }

    #[test]
    fn other_sources_a_lesser_profile_or_a_lost_file_are() {
        assert!(!is_current(dist(Profile::Release).path(), "abd", Profile::Release));
        assert!(!is_current(dist(Profile::Dev).path(), "abc", Profile::Release));
        for lost in ["app_bg-1.wasm", "part_users-1.wasm"] {
            let folder = dist(Profile::Release);
            fs::remove_file(folder.path().join("assets").join(lost)).expect("removed");
            assert!(!is_current(folder.path(), "abc", Profile::Release), "{lost}");
        }
    }
}
