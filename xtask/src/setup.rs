//! What a command needs on the machine, and how it gets there on a Debian with nothing but cargo.

use anyhow::{Context, Result, bail};
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    process,
    workspace::{Workspace, newest_version_folder},
};

/// One thing that must be there. What is asked for is the thing, not its package: a node from elsewhere
/// than Debian, or another distribution with everything installed, is as good.
#[derive(Clone, Copy)]
pub(crate) struct Need {
    proof: Proof,
    /// The Debian package that brings it.
    package: &'static str,
}

#[derive(Clone, Copy)]
enum Proof {
    Program(&'static str),
    File(&'static str),
    /// `<parent>/<version>/<inside>`
    Versioned(&'static str, &'static str),
}

const fn program(name: &'static str, package: &'static str) -> Need {
    Need { proof: Proof::Program(name), package }
}

const fn file(path: &'static str, package: &'static str) -> Need {
    Need { proof: Proof::File(path), package }
}

/// Any command that runs JavaScript tools.
pub(crate) const NODE: &[Need] = &[program("node", "nodejs"), program("npm", "npm")];

/// A second Rust compiler with std's sources, where rustup cannot fetch the browser's target.
pub(crate) const WASM_DEBIAN: &[Need] = &[
    file("/usr/bin/rustc", "rustc-web"),
    file("/usr/bin/cargo", "cargo-web"),
    file("/usr/lib/rustlib/src/rust/library/std/src/lib.rs", "rust-web-src"),
    program("wasm-ld-19", "lld-19"),
];

/// Foreign clients and simulators that unit and integration tests talk to.
pub(crate) const UNIT: &[Need] = &[
    program("cc", "gcc"),
    program("ipmitool", "ipmitool"),
    program("ipmi_sim", "openipmi"),
    program("ipmipower", "freeipmi-tools"),
    program("tftp", "tftp-hpa"),
    program("in.tftpd", "tftpd-hpa"),
    program("atftp", "atftp"),
    program("curl", "curl"),
    program("script", "bsdutils"),
    // the machine behind a simulated BMC, with SeaBIOS
    program("qemu-system-x86_64", "qemu-system-x86"),
    POSTGRES,
];

pub(crate) const POSTGRES: Need = Need { proof: Proof::Versioned("/usr/lib/postgresql", "bin/initdb"), package: "postgresql" };

/// Live databases for checking SQL.
pub(crate) const DATABASES: &[Need] = &[program("sqlite3", "sqlite3"), POSTGRES];

pub(crate) const BROWSER: &[Need] = &[program("chromium", "chromium"), program("ssh-keygen", "openssh-client")];

/// TFTP servers that ours is measured against, and clients that measure. (atftpd excludes tftpd-hpa: the bench unpacks it.)
pub(crate) const BENCH_TFTP: &[Need] = &[
    program("in.tftpd", "tftpd-hpa"),
    program("dnsmasq", "dnsmasq-base"),
    program("atftp", "atftp"),
    program("curl", "curl"),
    program("taskset", "util-linux"),
];

/// Foreign clients and simulators of the interoperability matrix. (The last: `python3 -m venv` needs it.)
pub(crate) const INTEROP: &[Need] = &[
    program("ipmitool", "ipmitool"),
    program("ipmi_sim", "openipmi"),
    program("ipmipower", "freeipmi-tools"),
    program("script", "bsdutils"),
    program("python3", "python3"),
    Need { proof: Proof::Versioned("/usr/lib", "ensurepip/__init__.py"), package: "python3-venv" },
];

/// A Python to install packages of its own with.
pub(crate) const PYTHON: &[Need] =
    &[program("python3", "python3"), Need { proof: Proof::Versioned("/usr/lib", "ensurepip/__init__.py"), package: "python3-venv" }];

/// libFuzzer is C++.
pub(crate) const FUZZ: &[Need] = &[program("c++", "g++")];

/// What sweeps and consoles are measured against.
pub(crate) const BENCH_FLEET: &[Need] = &[
    program("ipmitool", "ipmitool"),
    program("ipmi_sim", "openipmi"),
    program("ipmipower", "freeipmi-tools"),
    program("conmand", "conman"),
    program("script", "bsdutils"),
    program("prlimit", "util-linux"),
];

pub(crate) const BENCH_IPMI: &[Need] = &[program("ipmitool", "ipmitool"), program("ipmi_sim", "openipmi")];

/// Load for the server, and a browser for its pages.
pub(crate) const BENCH_SERVER: &[Need] = &[program("wrk", "wrk"), program("chromium", "chromium"), program("argon2", "argon2")];

/// Real firmware and what surrounds it.
pub(crate) const LAB: &[Need] = &[
    program("chromium", "chromium"),
    program("ip", "iproute2"),
    program("unshare", "util-linux"),
    program("dnsmasq", "dnsmasq-base"),
    program("ipmi_sim", "openipmi"),
    program("qemu-system-x86_64", "qemu-system-x86"),
    file("/usr/share/OVMF/OVMF_CODE_4M.fd", "ovmf"),
    file("/usr/lib/ipxe/qemu/efi-virtio.rom", "ipxe-qemu"),
    file("/usr/lib/PXELINUX/pxelinux.0", "pxelinux"),
    file("/usr/lib/syslinux/modules/bios/ldlinux.c32", "syslinux-common"),
    file("/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed", "grub-efi-amd64-signed"),
    file("/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64/linux", "debian-installer-12-netboot-amd64"),
    file("/bin/busybox", "busybox-static"),
];

/// Installs what is missing of `needs` with apt, or says the command that a person must run.
pub(crate) fn packages(needs: &[Need]) -> Result<()> {
    let missing = |needs: &[Need]| -> Vec<&'static str> {
        let mut names: Vec<_> = needs.iter().filter(|need| !present(need.proof)).map(|need| need.package).collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    let names = missing(needs);
    if names.is_empty() {
        return Ok(());
    }
    if find_program("apt-get").is_none() {
        bail!("missing on this machine (names of Debian's packages): {}", names.join(" "));
    }
    if !is_root() {
        bail!("missing packages; run: sudo apt-get install -y --no-install-recommends {}", names.join(" "));
    }
    eprintln!("setup: apt-get install {}", names.join(" "));
    if install(&names).is_err() {
        // An image without package lists, or with old ones.
        process::run(apt().args(["update", "-q"]))?;
        install(&names)?;
    }
    let still = missing(needs);
    if !still.is_empty() {
        bail!("apt-get installed them, but what they should bring is not there: {}", still.join(" "));
    }
    Ok(())
}

fn install(names: &[&str]) -> Result<()> {
    process::run(apt().args(["install", "-y", "-q", "--no-install-recommends"]).args(names))
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    // wait for another apt instead of failing
    command.args(["-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0"]).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Whether `cargo nextest` can be used, after trying to install it.
pub(crate) fn nextest(workspace: &Workspace) -> bool {
    let works = || process::succeeds(workspace.cargo().args(["nextest", "--version"]));
    if works() {
        return true;
    }
    eprintln!("setup: cargo install cargo-nextest --locked (some minutes, once)");
    if let Err(error) = process::run(workspace.cargo().args(["install", "cargo-nextest", "--locked"])) {
        eprintln!("setup: {error:#}; using cargo test");
    }
    works()
}

/// cargo-fuzz, installed when it is not there.
pub(crate) fn cargo_fuzz(workspace: &Workspace) -> Result<()> {
    if process::succeeds(workspace.cargo().args(["fuzz", "--version"])) {
        return Ok(());
    }
    eprintln!("setup: cargo install cargo-fuzz --locked (a minute, once)");
    process::run(workspace.cargo().args(["install", "cargo-fuzz", "--version", CARGO_FUZZ, "--locked"]))
        .context("cargo-fuzz is needed; run: cargo install cargo-fuzz --locked")
}

const CARGO_FUZZ: &str = "0.13.2";

/// pyghmi, and what of its needs is compiled.
const PYGHMI: [&str; 3] = ["pyghmi==1.6.19", "cryptography==50.0.2", "python-dateutil==4.0.0"];

/// schemathesis, and what of its needs decides which requests a seed leads to.
const SCHEMATHESIS: [&str; 3] = ["schemathesis==4.32.5", "hypothesis==6.170.15", "jsonschema_rs==0.60.3"];

/// A Python with pyghmi, in the target folder. Answers its path.
pub(crate) fn pyghmi(workspace: &Workspace) -> Result<PathBuf> {
    python(workspace, "pyghmi", &PYGHMI).map(|folder| folder.join("bin/python3"))
}

/// schemathesis, in the target folder. Answers the program's path.
pub(crate) fn schemathesis(workspace: &Workspace) -> Result<PathBuf> {
    python(workspace, "schemathesis", &SCHEMATHESIS).map(|folder| folder.join("bin/schemathesis"))
}

/// A virtual environment with these packages, in the target folder. Answers where.
fn python(workspace: &Workspace, name: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = workspace.target.join(name);
    let python = folder.join("bin/python3");
    // The list that was installed, so that a new one is noticed.
    let installed = folder.join("installed");
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&installed).is_ok_and(|list| list == wanted) && process::succeeds(Command::new(&python).arg("--version")) {
        return Ok(folder);
    }
    eprintln!("setup: {} into {}", packages.join(" "), folder.display());
    let system = Path::new("/usr/bin/python3");
    let maker = if system.exists() { system } else { Path::new("python3") };
    process::run(Command::new(maker).args(["-m", "venv", "--clear"]).arg(&folder))?;
    process::run(Command::new(&python).args(["-m", "pip", "install", "-q", "--disable-pip-version-check"]).args(packages))?;
    std::fs::write(installed, wanted)?;
    Ok(folder)
}

/// Whether this process has user id 0.
pub(crate) fn is_root() -> bool {
    process::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

fn present(proof: Proof) -> bool {
    match proof {
        Proof::Program(name) => find_program(name).is_some(),
        Proof::File(path) => Path::new(path).exists(),
        Proof::Versioned(parent, inside) => newest_version_folder(Path::new(parent), inside).is_some(),
    }
}

/// Where a program is: PATH, then the folders of system programs that an ordinary user's PATH lacks.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders.map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_needs_no_package() {
        assert!(packages(&[program("sh", "no-such-package"), file("/proc/self/exe", "no-such-package")]).is_ok());
    }

    #[test]
    fn a_versioned_folder_is_found_by_its_highest_number() {
        let folder = tempfile::tempdir().expect("temp folder");
        for version in ["9", "15", "none"] {
            std::fs::create_dir_all(folder.path().join(version).join("bin")).expect("folder");
        }
        std::fs::create_dir(folder.path().join("17")).expect("folder");
        assert_eq!(newest_version_folder(folder.path(), "bin"), Some(folder.path().join("15")));
    }
}
