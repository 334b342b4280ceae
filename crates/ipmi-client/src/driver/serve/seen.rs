//! What arrives: only authentic, fresh packets of the session count.

use ipmi_wire::DecodeError;
use ipmi_wire::session::{Datagram, PayloadType};

use crate::driver::session::Live;

/// An authentic, fresh packet of the session.
pub(super) struct Seen {
    pub(super) payload_type: PayloadType,
    pub(super) sequence: u32,
    pub(super) payload: Vec<u8>,
    pub(super) port: u16,
}

impl Seen {
    /// `None` is a sound packet that is not for this session, or was here before.
    pub(super) fn read(datagram: &[u8], port: u16, live: &mut Live) -> Result<Option<Self>, DecodeError> {
        let Datagram::V20(packet) = Datagram::decode(datagram)? else { return Ok(None) };
        let payload = live.open(&packet)?;
        Ok(payload.map(|payload| Self { payload_type: packet.payload_type, sequence: packet.sequence, payload, port }))
    }
}
