//! Tests of the wire format. `vectors` replays exchanges of `ipmitool` captured on this project's own machines; the rest
//! are properties and the protocol facts other implementations get wrong.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bridge;
mod capture;
mod decoders;
mod inventory;
mod roundtrip;
mod session;
mod sol;
mod vectors;
