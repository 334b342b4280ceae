#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod blocks;
mod busy_poll;
mod config;
mod driver;
mod net;
mod packet;
mod server;
mod slots;
mod source;
mod transfer;

pub use config::Config;
pub use packet::{ErrorCode, Options};
pub use server::Server;
pub use source::{Content, Event, Failure, FileSource, OpenError, Request};
