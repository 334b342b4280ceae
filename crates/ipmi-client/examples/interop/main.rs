//! The interoperability matrix: our client against three simulated BMCs, and foreign clients against `bmc-sim`.
//!
//! `cargo xtask interop` sets up what it needs and runs it. Prints a table; ends with status 1 when something fails that the peer
//! supports. Needs ipmitool, FreeIPMI's programs, `ipmi_sim`, `script`, a Python with pyghmi in `PYGHMI_PYTHON`, and the right to
//! listen on port 623 of loopback addresses.
#![allow(clippy::unwrap_used, reason = "a lock whose holder panicked has ended the matrix already")]

mod host;
mod ours;
mod run;
mod sims;
mod table;
mod tools;

use std::process::ExitCode;

use ipmi_client::CipherSuite;
use tokio::time::timeout;

use run::LIMIT;
use sims::{Bmc, IpmiSim, OurSim, Pyghmi};
use table::{Cell, Column, Row};
use tools::Tool;

/// Our client and a simulator. When that does not start, every cell of its column has failed.
async fn ours<B: Bmc>(name: &'static str, bmc: Result<B, String>) -> Column {
    let mut cells = Vec::new();
    for row in Row::all() {
        cells.push(match &bmc {
            Err(why) => Cell::Failed(why.clone()),
            Ok(bmc) => match bmc.cannot(row) {
                Some(why) => Cell::Unsupported(why),
                None => match timeout(LIMIT * 2, ours::check(bmc, row)).await {
                    Err(_) => Cell::Failed("no end".into()),
                    Ok(Err(why)) => Cell::Failed(why),
                    Ok(Ok(())) => bmc.but(row).map_or(Cell::Passed, Cell::PassedBut),
                },
            },
        });
    }
    Column { name, cells }
}

/// A foreign client and a `bmc-sim` of its own.
async fn theirs(tool: Tool, number: u8) -> Column {
    let sim = OurSim::start(number, &CipherSuite::ALL).await;
    let mut cells = Vec::new();
    for row in Row::all() {
        cells.push(match &sim {
            Err(why) => Cell::Failed(why.clone()),
            Ok(sim) => timeout(LIMIT * 3, tool.cell(sim, row)).await.unwrap_or_else(|_| Cell::Failed("no end".into())),
        });
    }
    if let Ok(sim) = sim {
        sim.lab.shutdown().await;
    }
    Column { name: tool.name(), cells }
}

#[tokio::main]
async fn main() -> ExitCode {
    println!("our client with bmc-sim (suite 17, suite 3), ipmi_sim and pyghmi's server; then foreign clients with bmc-sim");
    let both = CipherSuite::ALL;
    let (mut columns, foreign) = tokio::join!(
        async {
            vec![
                ours("bmc-sim 17", OurSim::start(1, &both).await).await,
                ours("bmc-sim 3", OurSim::start(2, &[CipherSuite::Suite3]).await).await,
                ours("ipmi_sim", IpmiSim::start().await).await,
                ours("pyghmi srv", Pyghmi::start().await).await,
            ]
        },
        async {
            let tools = [Tool::Ipmitool(3), Tool::Ipmitool(17), Tool::Ipmipower, Tool::IpmiChassis, Tool::Ipmiconsole, Tool::Pyghmi];
            let mut columns = Vec::new();
            for (tool, number) in tools.into_iter().zip(3..) {
                columns.push(theirs(tool, number).await);
            }
            columns
        }
    );
    columns.extend(foreign);
    let (passed, failed) = table::print(&Row::all(), &columns);
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
