//! `cargo xtask schema`: schemathesis asks the built server what its OpenAPI document allows and forbids.
//!
//! What is asked, what is left out and why stands in `end2end/schema`.

use anyhow::Result;

use crate::{node::Node, process, setup, test::Outcome, workspace::Workspace};

/// `arguments` go to schemathesis. Counts operations without a failure, and distinct failures.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<Outcome> {
    setup::packages(setup::PYTHON)?;
    let program = setup::schemathesis(workspace)?;
    let node = Node::set_up(workspace)?;
    let server = workspace.build_server(false)?;
    let mut command = node.script("end2end/schema/run.mjs");
    command.args(arguments).env("SCHEMATHESIS", program).env("SERVER_UNDER_TEST", server);
    let (success, lines) = process::watch(&mut command)?;
    Ok(Outcome::from_closing_line(success, &lines))
}
