//! The server of mr-provisioner. Floors, from the ground up (an import never points up):
//! `store`, `app::api`, `journal`, `secrets`, `config` → `bmc`, `console`, `netboot` → `lab` → `http` → the binary.
#![recursion_limit = "512"]

pub mod journal;
pub mod lab;
pub mod secrets;
