//! The simulator against tools and servers that were not written here.
#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in tests, but does not see that helpers of tests are tests")]

mod boot_server;
mod bridging;
mod control;
mod faults;
mod freeipmi;
mod inventory;
mod ipmitool;
mod lab;
mod netboot;
mod qemu;
mod sol;
mod support;
