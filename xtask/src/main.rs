//! The project's own commands: `cargo xtask web|run|test|e2e|screenshots|schema|lab|interop|fuzz|bench|sqlx`. Each does the set-up it needs.

mod bench;
mod benches;
mod browser_tests;
mod fuzz;
mod interop;
mod node;
mod postgres;
mod process;
mod run;
mod schema;
mod setup;
mod sqlx;
mod test;
mod web;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

use crate::{test::Part, web::Profile, workspace::Workspace};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Builds, runs, tests and measures mr-provisioner", version)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Builds what the browser downloads into dist/
    Web {
        /// Quick to build, large to download
        #[arg(long)]
        dev: bool,
    },
    /// Builds and starts the server with an embedded database and simulated machines
    Run {
        /// Start with an empty lab instead of simulated machines
        #[arg(long)]
        no_demo: bool,
        /// Optimized server and browser code, as deployed
        #[arg(long)]
        release: bool,
        /// Arguments for the server
        #[arg(last = true)]
        server: Vec<String>,
    },
    /// Runs all checks and tests, or the named parts
    Test {
        #[arg(value_enum)]
        parts: Vec<Part>,
    },
    /// Tests the server in a real browser (Playwright)
    E2e {
        /// Only spec files whose name contains one of these
        specs: Vec<String>,
    },
    /// Takes the README's pictures of a demo lab at work, into docs/screenshots
    Screenshots,
    /// Asks every operation of the API's description what its schemas allow and forbid (schemathesis)
    Schema {
        /// Arguments for schemathesis, such as --include-path /machine
        #[arg(last = true)]
        schemathesis: Vec<String>,
    },
    /// Boots real firmware against the server inside a network namespace
    Lab {
        /// Only these firmware kinds: bios, uefi
        firmware: Vec<String>,
    },
    /// Our IPMI client and simulator against everybody else's, as a table
    Interop,
    /// Feeds every reader of foreign bytes what a fuzzer can think of
    Fuzz {
        /// For each target
        #[arg(long, default_value_t = fuzz::SECONDS)]
        seconds: u32,
        /// Only these: the files in fuzz/targets
        targets: Vec<String>,
    },
    /// Measures, beside the peers' figures
    Bench {
        /// Which bench: ipmi, sol, sweep, api, page, heap or tftp; all of them without it
        name: Option<String>,
    },
    /// Checks every SQL statement against live databases and rewrites the committed caches
    Sqlx {
        /// Change nothing, fail when a cache is not what the databases say
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    match perform(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> anyhow::Result<()> {
    let workspace = Workspace::find()?;
    match task {
        Task::Web { dev } => web::build(&workspace, if dev { Profile::Dev } else { Profile::Release }),
        Task::Run { no_demo, release, server } => run::run(&workspace, !no_demo, release, &server),
        Task::Test { parts } => test::run(&workspace, &parts),
        Task::E2e { specs } => browser_tests::end_to_end(&workspace, &specs)?.into_result(),
        Task::Screenshots => browser_tests::screenshots(&workspace)?.into_result(),
        Task::Schema { schemathesis } => schema::run(&workspace, &schemathesis)?.into_result(),
        Task::Lab { firmware } => browser_tests::lab(&workspace, &firmware)?.into_result(),
        Task::Interop => interop::run(&workspace)?.into_result(),
        Task::Fuzz { seconds, targets } => fuzz::run(&workspace, seconds, &targets)?.into_result(),
        Task::Bench { name } => benches::run(&workspace, name.as_deref()),
        Task::Sqlx { check } => sqlx::run(&workspace, check),
    }
}
