//! Whether anything changed that the browser's files are made from.

use anyhow::{Context, Result};
use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};

use super::files_under;

/// All that goes into `dist/`: files and folders of the workspace.
const SOURCES: [&str; 10] = [
    ".cargo/config.toml",
    "Cargo.lock",
    "Cargo.toml",
    "app",
    "frontend",
    "package-lock.json",
    "public",
    "style",
    "xtask/src/web",
    "xtask/web",
];

/// A short text that changes when a source does. It guards against needless work, not against anybody.
pub(super) fn fingerprint(root: &Path) -> Result<String> {
    let mut files = Vec::new();
    for source in SOURCES {
        let path = root.join(source);
        if path.is_dir() {
            files_under(&path, &mut files)?;
        } else if path.exists() {
            files.push(path);
        }
    }
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.strip_prefix(root)?.hash(&mut hasher);
        fs::read(&file).with_context(|| file.display().to_string())?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_a_moved_and_a_new_file_change_it() {
        let root = tempfile::tempdir().expect("temp folder");
        fs::create_dir_all(root.path().join("app/src")).expect("folder");
        let (one, two) = (root.path().join("app/src/one.rs"), root.path().join("app/src/two.rs"));
        let mut seen = vec![fingerprint(root.path()).expect("hashed")];
        fs::write(&one, "a").expect("written");
        seen.push(fingerprint(root.path()).expect("hashed"));
        assert_eq!(fingerprint(root.path()).expect("hashed"), seen[1]);
        fs::write(&one, "b").expect("written");
        seen.push(fingerprint(root.path()).expect("hashed"));
        fs::rename(&one, &two).expect("renamed");
        seen.push(fingerprint(root.path()).expect("hashed"));
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 4);
    }
}
