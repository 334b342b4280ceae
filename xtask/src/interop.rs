//! `cargo xtask interop`: our IPMI client and simulator against everybody else's. The matrix itself is an example of `ipmi-client`.

use anyhow::Result;

use crate::{process, setup, test::Outcome, workspace::Workspace};

/// Prints the matrix. A cell fails when its peer supports the row and the two do not agree.
pub(crate) fn run(workspace: &Workspace) -> Result<Outcome> {
    setup::packages(setup::INTEROP)?;
    let python = setup::pyghmi(workspace)?;
    // No package is named, for the features' sake: see `Workspace::build_server`.
    process::run(workspace.cargo().args(["build", "--locked", "--example", "interop"]))?;
    let mut matrix = std::process::Command::new(workspace.target.join("debug/examples/interop"));
    let (success, lines) = process::watch(matrix.env("PYGHMI_PYTHON", python))?;
    Ok(Outcome::from_closing_line(success, &lines))
}
