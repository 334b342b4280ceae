//! The server as its clients see it: foreign programs over loopback, and packets made by hand.
#![allow(clippy::unwrap_used, reason = "all of this is test code; the exemption for tests only covers test functions")]

mod hostile;
mod interop;
mod limits;
mod protocol;
mod support;
