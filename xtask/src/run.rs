//! `cargo xtask run`: from a clean checkout to a server in the foreground.

use anyhow::{Context, Result};
use std::{os::unix::process::CommandExt, process::Command};

use crate::{
    web::{self, Profile},
    workspace::Workspace,
};

pub(crate) fn run(workspace: &Workspace, demo: bool, release: bool, arguments: &[String]) -> Result<()> {
    web::build(workspace, if release { Profile::Release } else { Profile::Dev })?;
    let server = workspace.build_server(release)?;
    // Replaces this program: signals and the exit status are the server's own.
    let error = Command::new(&server).arg(if demo { "demo" } else { "serve" }).args(arguments).exec();
    Err(error).with_context(|| server.display().to_string())
}
