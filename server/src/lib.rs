//! The server of mr-provisioner. Floors, from the ground up (an import never points up):
//! `store`, `app::api`, `journal`, `secrets`, `config` → `bmc`, `console`, `netboot` → `lab` → `http` → the binary.
#![recursion_limit = "512"]

pub mod bmc;
pub mod config;
pub mod console;
pub mod demo;
pub mod http;
pub mod images;
pub mod journal;
pub mod lab;
pub mod netboot;
pub mod secrets;
pub mod serve;
