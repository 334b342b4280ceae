//! The tests in `end2end/`: they drive the built server from outside, in a real browser and on real firmware.

use anyhow::{Result, bail};
use std::process::Command;

use crate::{
    node::Node,
    process, setup,
    test::Outcome,
    web::{self, Profile},
    workspace::Workspace,
};

/// Playwright against the demo lab; `specs` choose spec files by a part of their names.
pub(crate) fn end_to_end(workspace: &Workspace, specs: &[String]) -> Result<Outcome> {
    setup::packages(setup::BROWSER)?;
    let node = Node::set_up(workspace)?;
    let mut command = node.script("end2end/run.mjs");
    command.args(specs).env("SIMULATOR_UNDER_TEST", workspace.build_simulator()?);
    perform(workspace, command)
}

/// The README's pictures, into docs/screenshots.
pub(crate) fn screenshots(workspace: &Workspace) -> Result<Outcome> {
    setup::packages(setup::BROWSER)?;
    let command = Node::set_up(workspace)?.script("end2end/screenshots.mjs");
    perform(workspace, command)
}

/// QEMU, a simulated BMC and a browser in a network namespace of their own; `firmware` chooses among bios and uefi.
pub(crate) fn lab(workspace: &Workspace, firmware: &[String]) -> Result<Outcome> {
    setup::packages(setup::LAB)?;
    // Without root it works where the kernel lets everybody have user namespaces and /dev/net/tun.
    if !process::succeeds(namespace().args(["ip", "tuntap", "add", "dev", "probe", "mode", "tap"])) {
        bail!("the lab makes a network of its own, which this user may not; run as root: sudo -E cargo xtask lab");
    }
    let mut command = namespace();
    let node = Node::set_up(workspace)?;
    command.arg(node.program()).arg("end2end/lab/run.mjs").args(firmware);
    perform(workspace, command)
}

/// `unshare` into new network, process and mount namespaces. The kernel takes away with them whatever the lab
/// made: interfaces, bridges and every process, however the lab ended.
fn namespace() -> Command {
    let mut command = Command::new("unshare");
    if !setup::is_root() {
        command.arg("--map-root-user");
    }
    command.args(["--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]);
    command
}

fn perform(workspace: &Workspace, mut command: Command) -> Result<Outcome> {
    web::build(workspace, Profile::Release)?;
    let server = workspace.build_server(false)?;
    command.current_dir(&workspace.root).env("SERVER_UNDER_TEST", server);
    let (success, lines) = process::watch(&mut command)?;
    Ok(Outcome::from_closing_line(success, &lines))
}
