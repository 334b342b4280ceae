//! Where things are, and how to call cargo from inside a program that cargo started.

use anyhow::{Context, Result};
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crate::process;

/// The checkout this program works on.
pub(crate) struct Workspace {
    /// The folder of the root `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Cargo's target folder, wherever CARGO_TARGET_DIR or a cargo configuration puts it.
    pub(crate) target: PathBuf,
}

/// The folder of the root `Cargo.toml`. At run time first: several checkouts may share one target folder, and so one xtask executable.
pub(crate) fn root() -> Option<PathBuf> {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest.parent().map(Path::to_owned)
}

impl Workspace {
    pub(crate) fn find() -> Result<Self> {
        let root = root().context("xtask has no parent folder")?;
        let metadata = process::output(cargo().current_dir(&root).args(["metadata", "--no-deps", "--format-version=1"]))?;
        let metadata: serde_json::Value = serde_json::from_str(&metadata).context("cargo metadata")?;
        let target = metadata["target_directory"].as_str().context("cargo metadata names no target folder")?.into();
        Ok(Self { root, target })
    }

    /// The cargo that started us, in the workspace's root.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = cargo();
        command.current_dir(&self.root);
        command
    }

    /// Builds the server and tells where it is.
    ///
    /// The package is not named on purpose: selected alone, the server would get other features of shared
    /// dependencies than in a build of all default members, and half of them would be compiled twice.
    pub(crate) fn build_server(&self, release: bool) -> Result<PathBuf> {
        self.build_program("mr-provisioner", release)
    }

    /// Builds the simulator of BMCs, which tests plug in, and tells where it is.
    pub(crate) fn build_simulator(&self) -> Result<PathBuf> {
        self.build_program("bmc-sim", false)
    }

    fn build_program(&self, name: &str, release: bool) -> Result<PathBuf> {
        let mut command = self.cargo();
        command.args(["build", "--locked", "--bin", name]);
        if release {
            command.arg("--release");
        }
        process::run(&mut command)?;
        Ok(self.target.join(if release { "release" } else { "debug" }).join(name))
    }
}

fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    forget_own_package(&mut command);
    command
}

/// Takes away what `cargo run` says about the package xtask: build scripts of dependencies watch these
/// variables, and would be run again for every change between a plain `cargo` and one started from here.
fn forget_own_package(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") || text == "CARGO_PRIMARY_PACKAGE" {
            command.env_remove(name);
        }
    }
}

/// `<folder>/<first entry that matches>` for paths whose middle part is a version number.
pub(crate) fn newest_version_folder(parent: &Path, inside: &str) -> Option<PathBuf> {
    let version = |path: &PathBuf| -> u32 { path.file_name().and_then(|n| n.to_str()).and_then(|n| n.parse().ok()).unwrap_or(0) };
    let entries = std::fs::read_dir(parent).ok()?;
    let folders = entries.filter_map(|entry| entry.ok().map(|e| e.path())).filter(|path| path.join(inside).exists());
    folders.max_by_key(version)
}
