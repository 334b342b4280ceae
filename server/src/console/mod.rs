//! Serial consoles: one SOL session per machine, any number of viewers, everything kept on disk.

mod broker;
mod line;
mod log;
mod ring;
mod viewer;

pub use broker::{Broker, Lines, Settings};
pub use log::{Tail, tail, whole};
pub use viewer::{Output, Viewer};
