//! How much the browser downloads.

use anyhow::{Context, Result};
use serde_json::Value;
use std::{fs, path::Path};

use super::bundle::ENTRIES;

/// What a first load of these pages is printed for: their names in the manifest and their addresses.
const SHOWN: [(&str, &str); 4] =
    [("machines", "/machines"), ("machine", "/machines/:id"), ("console", "/machines/:id/console"), ("login", "/login")];

/// What every page loads, by its key in the manifest.
const ALWAYS: [&str; 3] = ["script", "style", "wasm"];

/// Bytes of a file: as it is, and compressed, if that was done.
#[derive(Clone, Copy, Default)]
struct Size {
    raw: u64,
    gzip: Option<u64>,
    brotli: Option<u64>,
}

impl Size {
    fn of(file: &Path) -> Result<Self> {
        let size = |suffix: &str| fs::metadata(format!("{}{suffix}", file.display())).map(|data| data.len());
        let raw = size("").with_context(|| file.display().to_string())?;
        Ok(Self { raw, gzip: size(".gz").ok(), brotli: size(".br").ok() })
    }

    fn plus(self, other: Self) -> Self {
        let both = |one: Option<u64>, other: Option<u64>| Some(one? + other?);
        Self { raw: self.raw + other.raw, gzip: both(self.gzip, other.gzip), brotli: both(self.brotli, other.brotli) }
    }

    fn text(self) -> String {
        match (self.gzip, self.brotli) {
            (Some(gzip), Some(brotli)) => format!("{} bytes, {gzip} gzip, {brotli} brotli", self.raw),
            _ => format!("{} bytes", self.raw),
        }
    }
}

/// Prints the size of each entry file and each part, and what a first load of the main pages transfers: all but the document and,
/// on a console, the terminal.
pub(super) fn report(dist: &Path, manifest: &Value) -> Result<()> {
    for line in lines(dist, manifest)? {
        eprintln!("{line}");
    }
    Ok(())
}

/// A list of the manifest's.
pub(super) fn addresses(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn lines(dist: &Path, manifest: &Value) -> Result<Vec<String>> {
    let size = |address: &str| Size::of(&dist.join(address.trim_start_matches('/')));
    let entry = |key: &str| manifest[key].as_str().with_context(|| format!("no {key} in the manifest"));
    let own = |page: &str| addresses(&manifest["pages"][page]);
    let mut lines = Vec::new();
    for (key, ..) in ENTRIES {
        lines.push(format!("{key:>13} {}", size(entry(key)?)?.text()));
    }
    let mut parts: Vec<&str> =
        manifest["pages"].as_object().into_iter().flat_map(|pages| pages.keys()).flat_map(|page| own(page)).collect();
    parts.sort_unstable();
    parts.dedup();
    for part in parts {
        let name = part.rsplit('/').next().and_then(|name| name.rsplit_once('-')).map_or(part, |(name, _)| name);
        lines.push(format!("{name:>17} {}", size(part)?.text()));
    }
    for (page, path) in SHOWN {
        let mut sum = Size { raw: 0, gzip: Some(0), brotli: Some(0) };
        for key in ALWAYS {
            sum = sum.plus(size(entry(key)?)?);
        }
        for address in addresses(&manifest["imports"]).chain(own(page)) {
            sum = sum.plus(size(address)?);
        }
        lines.push(format!("first load of {path}: {}", sum.text()));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_first_load_is_what_every_page_needs_and_the_pages_own_parts() {
        let dist = tempfile::tempdir().expect("temp folder");
        fs::create_dir(dist.path().join("assets")).expect("folder");
        let write = |name: &str, raw: usize, packed: usize| {
            let file = dist.path().join("assets").join(name);
            fs::write(&file, vec![0; raw]).expect("written");
            fs::write(file.with_added_extension("gz"), vec![0; packed + 1]).expect("written");
            fs::write(file.with_added_extension("br"), vec![0; packed]).expect("written");
            json!(format!("/assets/{name}"))
        };
        let manifest = json!({
            "script": write("boot-1.js", 10, 1), "style": write("app-1.css", 20, 2), "wasm": write("app_bg-1.wasm", 40, 4),
            "docs_script": write("docs-1.js", 80, 8), "docs_style": write("docs-1.css", 160, 16),
            "imports": [write("chunk-1.js", 5, 3)],
            "pages": {"machines": [write("part_base-1.wasm", 1000, 100), write("part_machines-1.wasm", 2000, 200)],
                "users": [write("part_base-1.wasm", 1000, 100), write("part_users-1.wasm", 4000, 400)]},
        });
        let lines = lines(dist.path(), &manifest).expect("reported");
        assert!(lines.contains(&"first load of /machines: 3075 bytes, 316 gzip, 310 brotli".to_owned()), "{lines:#?}");
        assert!(lines.contains(&"       part_users 4000 bytes, 401 gzip, 400 brotli".to_owned()), "{lines:#?}");
        assert_eq!(lines.iter().filter(|line| line.contains("part_base")).count(), 1);
    }
}
