//! The simulator against tools and servers that were not written here.

mod boot_server;
mod faults;
mod freeipmi;
mod ipmitool;
mod lab;
mod netboot;
mod sol;
mod support;
