//! Sessions: what surrounds a payload on the wire, how keys are agreed, and which sequence numbers are fresh.

mod handshake;
mod header;
mod keys;
mod setup;
mod window;

pub use handshake::{BmcHandshake, BmcUser, ConsoleHandshake, ConsoleParams, Established, HandshakeError, Stage, Step};
pub use header::{Datagram, Packet, PayloadTooLong, PayloadType, V15Packet, seal, unprotected_v15, unprotected_v20};
pub use keys::{KeyTooLong, SecretKey, SessionKeys, Username};
pub use setup::{OpenSessionRequest, OpenSessionResponse, Rakp1, Rakp2, Rakp3, Rakp4, Setup, Status};
pub use window::{OutgoingSequence, ReplayWindow};
