//! The program. What it does stands in the library beside it.

mod cli;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mr-provisioner: {error:#}");
            ExitCode::FAILURE
        }
    }
}
