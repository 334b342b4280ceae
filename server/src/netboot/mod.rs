//! What a booting machine is answered: which file or configuration a path means, the loader's configuration for
//! a machine, the rendered preseed. Asked over TFTP and over HTTP alike.

mod ask;
mod cmdline;
mod loader;
mod preseed;
mod rendering;
pub mod sandbox;
mod service;
mod tftp;

pub use preseed::PreseedError;
pub use service::{Answer, Fetched, Netboot, Refusal, Settings};
pub use tftp::TftpSource;
