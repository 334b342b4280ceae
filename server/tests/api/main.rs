//! The server as its clients see it: over HTTP, on both engines, as anonymous, user, assignee, admin and token.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail with the test")]

mod acceptance;
mod accounts;
mod archs;
mod assignees;
mod audit;
mod bmcs;
mod booting;
mod bugs;
mod bulk;
mod console_socket;
mod consoles;
mod dhcp;
mod faults;
mod fixtures;
mod hardware;
mod health;
mod http;
mod images;
mod interfaces;
mod ipmitool;
mod lists;
mod machines;
mod moonshot;
mod networks;
mod openapi;
mod operations;
mod overview;
mod pages;
mod policy;
mod preseeds;
mod process;
mod provisioning;
mod reservations;
mod simulated;
mod stream;
mod support;
mod tokens;
mod users;
mod uses;
mod versions;
