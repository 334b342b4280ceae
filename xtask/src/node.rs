//! Node and the packages of the lockfile.

use anyhow::{Context, Result, bail};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{process, setup, workspace::Workspace};

/// What Tailwind and Playwright ask for. Debian 12 has 18.
const OLDEST: u32 = 20;

/// What is fetched where the machine's own is older: the same programs as npm packages.
const NODE_VERSION: &str = "24.20.0";
const NPM_VERSION: &str = "11.21.1";

/// A node that is new enough, with everything of `package-lock.json` installed.
pub(crate) struct Node {
    program: PathBuf,
    root: PathBuf,
}

impl Node {
    /// Installs what is missing.
    pub(crate) fn set_up(workspace: &Workspace) -> Result<Self> {
        setup::packages(setup::NODE)?;
        let node = setup::find_program("node").context("no node")?;
        let (program, npm) =
            if major_version(&node).is_some_and(|major| major >= OLDEST) { (node, Command::new("npm")) } else { newer(workspace)? };
        install_packages(workspace, npm)?;
        Ok(Self { program, root: workspace.root.clone() })
    }

    /// Runs a file of the workspace.
    pub(crate) fn script(&self, file: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.root).arg(self.root.join(file));
        command
    }

    /// Where the program is, for those who start it themselves.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }
}

fn install_packages(workspace: &Workspace, mut npm: Command) -> Result<()> {
    let lock = fs::read(workspace.root.join("package-lock.json"))?;
    // A copy of the lockfile that was installed: file times say nothing after a git checkout.
    let installed = workspace.root.join("node_modules/.installed-lock.json");
    if fs::read(&installed).is_ok_and(|content| content == lock) {
        return Ok(());
    }
    eprintln!("setup: npm ci");
    process::run(npm.current_dir(&workspace.root).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]))?;
    fs::write(installed, lock)?;
    Ok(())
}

/// `v18.20.4` is 18.
fn major_version(node: &Path) -> Option<u32> {
    let version = process::output(Command::new(node).arg("--version")).ok()?;
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// A newer node and npm in the target folder, fetched by the old npm. Returns the program and the start of npm's
/// command line.
fn newer(workspace: &Workspace) -> Result<(PathBuf, Command)> {
    let architecture = match env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => bail!("node {OLDEST} or newer is needed; there is none to fetch for {other}"),
    };
    let package = format!("node-linux-{architecture}");
    let folder = workspace.target.join(format!("node-{NODE_VERSION}"));
    let modules = folder.join("node_modules");
    let program = modules.join(&package).join("bin/node");
    let npm = modules.join("npm/bin/npm-cli.js");
    if !(program.is_file() && npm.is_file()) {
        eprintln!("setup: the machine's node is older than {OLDEST}: fetching node {NODE_VERSION} with npm (once)");
        fs::create_dir_all(&folder)?;
        let mut fetch = Command::new("npm");
        fetch.current_dir(&folder).arg("install").arg("--prefix").arg(&folder);
        fetch.args(["--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
        process::run(fetch.arg(format!("{package}@{NODE_VERSION}")).arg(format!("npm@{NPM_VERSION}")))?;
    }
    if major_version(&program).is_none() {
        bail!("{} does not run", program.display());
    }
    let mut command = Command::new(&program);
    command.arg(npm);
    Ok((program, command))
}
