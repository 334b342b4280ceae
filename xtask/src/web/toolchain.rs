//! A Rust compiler that has a standard library for the browser.
//!
//! The active compiler has it, or rustup fetches it, or (where rustup cannot reach its server) Debian's second
//! compiler builds it from the sources that Debian packages.

use anyhow::{Context, Result, bail};
use std::{
    env, fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::Command,
};

use super::{Profile, text};
use crate::{process, setup, workspace::Workspace};

const TARGET: &str = "wasm32-unknown-unknown";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";

/// Set to `debian` to use Debian's compiler although the active one has the target: to test that way.
const CHOICE: &str = "XTASK_WASM_TOOLCHAIN";

/// The folders of the registries' sources.
fn registries() -> Result<Vec<String>> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let Some(Ok(entries)) = home.map(|home| fs::read_dir(home.join("registry/src"))) else { return Ok(Vec::new()) };
    let mut folders = entries.map(|entry| Ok(text(&entry?.path())?.to_owned())).collect::<Result<Vec<_>>>()?;
    folders.sort();
    Ok(folders)
}

enum Toolchain {
    /// The cargo that started us.
    Active,
    /// Debian's, with a standard library of our own making.
    Debian { sysroot: PathBuf },
}

/// Compiles the crate `frontend` and tells where the wasm is.
pub(super) fn compile(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    // A target folder of its own: two compilers may use it, and a native build must not wait for this one.
    let target_dir = workspace.target.join("wasm");
    // As .cargo/config.toml does for the server, which the flags set here replace.
    let mut flags = vec!["--cfg=erase_components".to_owned()];
    // the splitter follows them from function to function; it takes them out again
    flags.push("-Clink-args=--emit-relocs".to_owned());
    // places of panics name the crate and its file, not the folders of who built it
    flags.extend(registries()?.into_iter().map(|folder| format!("--remap-path-prefix={folder}/=")));
    let mut command = match choose(workspace)? {
        Toolchain::Active => workspace.cargo(),
        Toolchain::Debian { sysroot } => {
            // With --target, flags do not reach build scripts and procedural macros: the host needs nothing in there.
            flags.push(format!("--sysroot={}", text(&sysroot)?));
            debian_cargo(&workspace.root)
        }
    };
    command.args(["build", "--locked", "--package", "frontend", "--target", TARGET, "--profile", profile.name()]);
    command.arg("--target-dir").arg(&target_dir);
    // Flags of the environment are for the server.
    command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}")).env_remove("RUSTFLAGS");
    process::run(&mut command)?;
    Ok(target_dir.join(TARGET).join(profile.name()).join("frontend.wasm"))
}

fn choose(workspace: &Workspace) -> Result<Toolchain> {
    let forced = env::var(CHOICE).is_ok_and(|choice| choice == "debian");
    if !forced {
        if has_target(Command::new("rustc").current_dir(&workspace.root)) {
            return Ok(Toolchain::Active);
        }
        // Not asked again once the Debian way has worked: rustup takes its time to find out that nobody answers.
        let built_before = workspace.target.join("wasm-std").is_dir();
        if !built_before && setup::find_program("rustup").is_some() {
            eprintln!("web: this rustc has no {TARGET}: rustup target add {TARGET}");
            let added = process::run(Command::new("rustup").current_dir(&workspace.root).args(["target", "add", TARGET]));
            if added.is_ok() && has_target(Command::new("rustc").current_dir(&workspace.root)) {
                return Ok(Toolchain::Active);
            }
        }
    }
    setup::packages(setup::WASM_DEBIAN)
        .with_context(|| format!("rustc has no target {TARGET}, rustup could not add it, and Debian's compiler is not there"))?;
    Ok(Toolchain::Debian { sysroot: standard_library(workspace)? })
}

fn has_target(rustc: &mut Command) -> bool {
    let folder = process::output(rustc.args(["--print", "target-libdir", "--target", TARGET])).unwrap_or_default();
    fs::read_dir(folder.trim()).is_ok_and(|mut entries| entries.next().is_some())
}

/// Debian's cargo with Debian's rustc, whatever rustup and `cargo run` put into the environment.
fn debian_cargo(folder: &Path) -> Command {
    let mut command = Command::new(DEBIAN_CARGO);
    command.current_dir(folder);
    let foreign = [
        "CARGO_BUILD_RUST",
        "CARGO_BUILD_TARGET",
        "CARGO_ENCODED_",
        "CARGO_MANIFEST_",
        "CARGO_PKG_",
        "CARGO_PRIMARY_",
        "CARGO_TARGET_",
        "RUST",
    ];
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| name == "CARGO" || foreign.iter().any(|start| name.starts_with(start))) {
            command.env_remove(name);
        }
    }
    command.env("RUSTC", DEBIAN_RUSTC).env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld-19");
    command
}

/// The crate whose build makes cargo compile std. Small code, since it is downloaded.
const SEED_MANIFEST: &str = r#"[package]
name = "std-seed"
version = "0.0.0"
edition = "2024"

[lib]
path = "lib.rs"

[profile.release]
opt-level = "z"
codegen-units = 1
panic = "abort"

[workspace]
"#;

/// Compiles std for the browser once per compiler version, and returns its `--sysroot`.
///
/// Debian packages no wasm32 std, and the one of `-Zbuild-std` would be compiled in every target folder again.
fn standard_library(workspace: &Workspace) -> Result<PathBuf> {
    let version = process::output(Command::new(DEBIAN_RUSTC).arg("-vV"))?;
    let mut hasher = DefaultHasher::new();
    (&version, SEED_MANIFEST).hash(&mut hasher);
    let sysroot = workspace.target.join("wasm-std").join(format!("{:016x}", hasher.finish()));
    if sysroot.is_dir() {
        return Ok(sysroot);
    }
    let name = version.lines().next().unwrap_or_default();
    eprintln!("web: no standard library for {TARGET} to be had: compiling one with Debian's {name} (once, 1 to 2 minutes)");
    let seed = workspace.target.join("wasm-std-build");
    super::remove(&seed)?;
    fs::create_dir_all(&seed)?;
    fs::write(seed.join("Cargo.toml"), SEED_MANIFEST)?;
    fs::write(seed.join("lib.rs"), "#![no_std]\n")?;
    let mut cargo = debian_cargo(&seed);
    cargo.args(["build", "-Zbuild-std=std,panic_abort", "--release", "--target", TARGET, "--target-dir"]).arg(seed.join("target"));
    // Link-time optimization reads bitcode, which cargo leaves out of a library that is not itself optimized so.
    cargo.env("RUSTC_BOOTSTRAP", "1").env("CARGO_ENCODED_RUSTFLAGS", ["-C", "embed-bitcode=yes"].join("\u{1f}"));
    process::run(&mut cargo).context("compiling the standard library")?;

    let fresh = seed.join("sysroot");
    let libraries = fresh.join("lib/rustlib").join(TARGET).join("lib");
    fs::create_dir_all(&libraries)?;
    let mut copied = 0;
    for entry in fs::read_dir(seed.join("target").join(TARGET).join("release/deps"))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".rlib") && !name.starts_with("libstd_seed") {
            fs::copy(entry.path(), libraries.join(name))?;
            copied += 1;
        }
    }
    if copied == 0 {
        bail!("cargo compiled no libraries into {}", seed.display());
    }
    fs::create_dir_all(workspace.target.join("wasm-std"))?;
    // Renamed when whole: a folder with this name is always complete.
    fs::rename(&fresh, &sysroot)?;
    super::remove(&seed)?;
    Ok(sysroot)
}
