//! Typed commands. Every request and response can be written and read, so that both ends use the same types.

mod boot;
mod chassis;
mod device;
mod payload;
mod sensor;
mod session;
mod sol;
mod storage;

pub use boot::{BootChange, BootDevice, BootFlags, BootParameter, GetBootOption, GetBootOptionResponse, ProgressState, SetBootOption};
pub use chassis::{ChassisControl, ChassisIdentify, ChassisStatus, GetChassisStatus, RestorePolicy};
pub use device::{DeviceId, GetDeviceId, GetSystemGuid, SystemGuid};
pub use payload::{
    ActivatePayload, ActivatePayloadResponse, DeactivatePayload, GetPayloadActivationStatus, GetPayloadInstanceInfo,
    PayloadActivationStatus, PayloadInstanceInfo,
};
pub use sensor::{GetReadingFactors, GetSensorReading, GetSensorThresholds, RawThresholds, ReadingFactors, SensorReading};
pub use session::{
    ChannelAuthCapabilities, CipherSuiteRecords, CloseSession, GetChannelAuthCapabilities, GetChannelCipherSuites, SessionPrivilege,
    SetSessionPrivilege, SuiteRecord, THIS_CHANNEL, encode_suite_records, parse_suite_records,
};
pub use sol::{GetSolConfig, SetSolConfig, SolConfigData, SolParameter};
pub use storage::{
    ClearSel, Erasure, FIRST_RECORD, FruAreaInfo, FruPiece, GetDeviceSdr, GetFruAreaInfo, GetSdr, GetSdrInfo, GetSelEntry, GetSelInfo,
    GetSelTime, LAST_RECORD, ReadFru, RecordPiece, Reservation, ReserveDeviceSdr, ReserveSdr, ReserveSel, SdrInfo, SelInfo, SelTime,
};

use crate::DecodeError;
use crate::message::{CompletionCode, NetFn};

/// The data of a request, or of a response after its completion code.
pub trait Body: Sized {
    /// Appends the data.
    fn encode(&self, out: &mut Vec<u8>);

    /// Reads the data. Trailing octets are tolerated: later revisions add fields at the end.
    ///
    /// # Errors
    /// Too short, or a value without meaning.
    fn decode(data: &[u8]) -> Result<Self, DecodeError>;
}

/// Nothing at all.
impl Body for () {
    fn encode(&self, _out: &mut Vec<u8>) {}

    fn decode(_data: &[u8]) -> Result<Self, DecodeError> {
        Ok(())
    }
}

/// A command: where it goes, what it is called, and what answers it.
pub trait Command: Body {
    const NET_FN: NetFn;
    const CMD: u8;
    /// As the specification titles it, for errors and logs.
    const NAME: &'static str;
    type Response: Body;

    /// Executing it twice is the same as executing it once. A retransmission of anything else can do harm when the
    /// first copy did arrive and only its answer was lost.
    fn is_idempotent(&self) -> bool {
        true
    }

    /// Meaning of this command's own completion codes (0x80..=0xBE); `None` for the generic ones.
    #[must_use]
    fn completion_text(_code: CompletionCode) -> Option<&'static str> {
        None
    }
}

/// The text for a completion code as this command means it.
#[must_use]
pub fn explain<C: Command>(code: CompletionCode) -> String {
    match C::completion_text(code) {
        Some(text) => format!("{text} ({:#04x})", code.0),
        None => code.to_string(),
    }
}
