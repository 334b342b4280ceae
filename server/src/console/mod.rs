//! Serial consoles: one SOL session per machine, any number of viewers, everything kept on disk.

mod broker;
mod line;
mod ring;
mod viewer;

pub use broker::{Broker, Lines, Settings};
pub use viewer::{Output, Viewer};
