//! `cargo xtask bench [name]`: which benches there are, and what each needs.

use anyhow::{Result, bail};
use std::process::Command;

use crate::{
    bench,
    node::Node,
    postgres::Postgres,
    process, setup,
    web::{self, Profile},
    workspace::Workspace,
};

/// In the order in which they run; the short ones first.
const NAMES: [&str; 7] = ["ipmi", "sol", "sweep", "api", "page", "heap", "tftp"];

/// Runs the named bench, or all.
pub(crate) fn run(workspace: &Workspace, name: Option<&str>) -> Result<()> {
    if let Some(unknown) = name.filter(|name| !NAMES.contains(name)) {
        bail!("no bench {unknown}: one of {}", NAMES.join(", "));
    }
    for bench in NAMES.into_iter().filter(|own| name.is_none_or(|name| name == *own)) {
        println!("==== {bench}");
        match bench {
            "tftp" => {
                setup::packages(setup::BENCH_TFTP)?;
                bench::tftp::run(workspace)?;
            }
            "sol" | "sweep" => {
                setup::packages(setup::BENCH_FLEET)?;
                let (figures, bounds) = if bench == "sol" { bench::sol::run(workspace)? } else { bench::sweep::run(workspace)? };
                bench::print(&figures);
                bench::print_bounds(&bounds);
            }
            "ipmi" => {
                setup::packages(setup::BENCH_IPMI)?;
                process::run(workspace.cargo().args([
                    "build",
                    "--release",
                    "--locked",
                    "--package",
                    "ipmi-client",
                    "--example",
                    "latency",
                ]))?;
                let node = Node::set_up(workspace)?;
                let latency = workspace.target.join("release/examples/latency");
                process::run(node.script("end2end/bench/ipmi.mjs").env("LATENCY_UNDER_TEST", latency))?;
            }
            "api" => {
                setup::packages(setup::DATABASES)?;
                let postgres = Postgres::start_durable()?;
                process::run(server_script(workspace, bench)?.env("BENCH_POSTGRES", postgres.url()))?;
            }
            script => process::run(&mut server_script(workspace, script)?)?,
        }
    }
    Ok(())
}

/// A script that measures the server as it is deployed.
fn server_script(workspace: &Workspace, name: &str) -> Result<Command> {
    setup::packages(setup::BENCH_SERVER)?;
    web::build(workspace, Profile::Release)?;
    let node = Node::set_up(workspace)?;
    let server = workspace.build_server(true)?;
    let mut command = node.script(&format!("end2end/bench/{name}.mjs"));
    command.env("SERVER_UNDER_TEST", server);
    Ok(command)
}
