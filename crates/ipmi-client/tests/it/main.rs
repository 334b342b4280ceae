//! Tests of the client: against a BMC that can be told to misbehave in every way the protocol facts name, against OpenIPMI's
//! `ipmi_sim`, and against `bmc-sim`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod air;
mod day;
mod errors;
mod facts;
mod fake_bmc;
mod inventory;
mod ipmi_sim;
mod lab;
mod loss;
mod numbers;
mod sol;
