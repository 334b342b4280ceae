//! FRU inventory, event log and sensor data repository (spec 31, 33, 34): how their octets are fetched. What the octets
//! mean is in [`crate::inventory`].

use super::{Body, Command};
use crate::DecodeError;
use crate::message::{CompletionCode, NetFn};
use crate::wire::Reader;

/// A request without data.
macro_rules! question {
    ($(#[$doc:meta])* $name:ident, $net_fn:expr, $cmd:expr, $title:expr, $response:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name;

        impl Body for $name {
            fn encode(&self, _out: &mut Vec<u8>) {}

            fn decode(_data: &[u8]) -> Result<Self, DecodeError> {
                Ok(Self)
            }
        }

        impl Command for $name {
            const NET_FN: NetFn = $net_fn;
            const CMD: u8 = $cmd;
            const NAME: &'static str = $title;
            type Response = $response;
        }
    };
}

/// Get FRU Inventory Area Info (0A/10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetFruAreaInfo {
    /// FRU device id; 0 is the BMC's own: the machine.
    pub device: u8,
}

impl Body for GetFruAreaInfo {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.device);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self { device: Reader::new(Self::NAME, data).u8()? })
    }
}

impl Command for GetFruAreaInfo {
    const NET_FN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x10;
    const NAME: &'static str = "Get FRU Inventory Area Info";
    type Response = FruAreaInfo;
}

/// Size of a FRU inventory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FruAreaInfo {
    /// Octets.
    pub size: u16,
    /// Offsets and counts are in units of two octets.
    pub by_words: bool,
}

impl Body for FruAreaInfo {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.size.to_le_bytes());
        out.push(u8::from(self.by_words));
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new("Get FRU Inventory Area Info response", data);
        Ok(Self { size: r.u16()?, by_words: r.u8()? & 1 != 0 })
    }
}

/// Read FRU Data (0A/11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadFru {
    pub device: u8,
    /// In octets or words, as [`FruAreaInfo::by_words`] says.
    pub offset: u16,
    /// The same.
    pub count: u8,
}

impl ReadFru {
    /// The device is busy: to be asked again.
    pub const BUSY: CompletionCode = CompletionCode(0x81);
}

impl Body for ReadFru {
    fn encode(&self, out: &mut Vec<u8>) {
        let [low, high] = self.offset.to_le_bytes();
        out.extend_from_slice(&[self.device, low, high, self.count]);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(Self::NAME, data);
        Ok(Self { device: r.u8()?, offset: r.u16()?, count: r.u8()? })
    }
}

impl Command for ReadFru {
    const NET_FN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x11;
    const NAME: &'static str = "Read FRU Data";
    type Response = FruPiece;

    fn completion_text(code: CompletionCode) -> Option<&'static str> {
        (code == Self::BUSY).then_some("FRU device busy")
    }
}

/// Part of a FRU inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FruPiece {
    /// In octets or words, as it was asked for.
    pub count: u8,
    pub data: Vec<u8>,
}

impl Body for FruPiece {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.count);
        out.extend_from_slice(&self.data);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new("Read FRU Data response", data);
        Ok(Self { count: r.u8()?, data: r.rest().to_vec() })
    }
}

question!(
    /// Get SEL Info (0A/40).
    GetSelInfo, NetFn::STORAGE, 0x40, "Get SEL Info", SelInfo
);

/// State of the event log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelInfo {
    /// BCD, 0x51: 1.5.
    pub version: u8,
    pub entries: u16,
    /// Octets; 0xffff means that many or more.
    pub free: u16,
    /// Seconds since 1970, by the BMC's clock.
    pub last_added: u32,
    pub last_erased: u32,
    /// Bit 7: entries were lost because the log is full; bits 3..0: delete, partial add, reserve, allocation information.
    pub support: u8,
}

impl SelInfo {
    /// Events were lost because there was no room for them.
    #[must_use]
    pub fn overflow(&self) -> bool {
        self.support & 0x80 != 0
    }
}

impl Body for SelInfo {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.version);
        out.extend_from_slice(&self.entries.to_le_bytes());
        out.extend_from_slice(&self.free.to_le_bytes());
        out.extend_from_slice(&self.last_added.to_le_bytes());
        out.extend_from_slice(&self.last_erased.to_le_bytes());
        out.push(self.support);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new("Get SEL Info response", data);
        Ok(Self { version: r.u8()?, entries: r.u16()?, free: r.u16()?, last_added: r.u32()?, last_erased: r.u32()?, support: r.u8()? })
    }
}

/// A reservation: what is read in parts or erased under it has not been changed by others meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reservation(pub u16);

impl Reservation {
    /// Somebody else has changed the repository: reserve again and start over.
    pub const LOST: CompletionCode = CompletionCode(0xc5);
}

impl Body for Reservation {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes());
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self(Reader::new("reservation", data).u16()?))
    }
}

question!(
    /// Reserve SEL (0A/42).
    ReserveSel, NetFn::STORAGE, 0x42, "Reserve SEL", Reservation
);

/// Record id of the first record, of the log and of the repository; in "next record" it is the last.
pub const FIRST_RECORD: u16 = 0;
/// "Next record" after the last; as a wanted id, the last record of the event log.
pub const LAST_RECORD: u16 = 0xffff;

/// Get SEL Entry (0A/43).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSelEntry {
    /// Needed only for parts of a record; otherwise 0.
    pub reservation: u16,
    pub record: u16,
    pub offset: u8,
    /// 0xff: all of it.
    pub count: u8,
}

impl GetSelEntry {
    /// A whole record.
    #[must_use]
    pub fn whole(record: u16) -> Self {
        Self { reservation: 0, record, offset: 0, count: 0xff }
    }
}

impl Body for GetSelEntry {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.reservation.to_le_bytes());
        out.extend_from_slice(&self.record.to_le_bytes());
        out.extend_from_slice(&[self.offset, self.count]);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(Self::NAME, data);
        Ok(Self { reservation: r.u16()?, record: r.u16()?, offset: r.u8()?, count: r.u8()? })
    }
}

impl Command for GetSelEntry {
    const NET_FN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x43;
    const NAME: &'static str = "Get SEL Entry";
    type Response = RecordPiece;

    fn completion_text(code: CompletionCode) -> Option<&'static str> {
        (code.0 == 0x81).then_some("SEL erase in progress")
    }
}

/// A record of the log or the repository, or part of one, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPiece {
    /// [`LAST_RECORD`] after the last.
    pub next: u16,
    pub data: Vec<u8>,
}

impl Body for RecordPiece {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.next.to_le_bytes());
        out.extend_from_slice(&self.data);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new("record", data);
        Ok(Self { next: r.u16()?, data: r.rest().to_vec() })
    }
}

/// Clear SEL (0A/47).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClearSel {
    pub reservation: u16,
    /// Start erasing; otherwise only ask how far it is.
    pub initiate: bool,
}

impl ClearSel {
    const INITIATE: u8 = 0xaa;
}

impl Body for ClearSel {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.reservation.to_le_bytes());
        out.extend_from_slice(b"CLR");
        out.push(if self.initiate { Self::INITIATE } else { 0 });
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(Self::NAME, data);
        let reservation = r.u16()?;
        let [c, l, e, action] = r.array()?;
        if [c, l, e] != *b"CLR" {
            return Err(r.bad(c));
        }
        Ok(Self { reservation, initiate: action == Self::INITIATE })
    }
}

impl Command for ClearSel {
    const NET_FN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x47;
    const NAME: &'static str = "Clear SEL";
    type Response = Erasure;
}

/// How far an erasure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    pub complete: bool,
}

impl Body for Erasure {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.complete));
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self { complete: Reader::new("Clear SEL response", data).u8()? & 0x0f == 1 })
    }
}

question!(
    /// Get SEL Time (0A/48).
    GetSelTime, NetFn::STORAGE, 0x48, "Get SEL Time", SelTime
);

/// The BMC's clock, seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelTime(pub u32);

impl Body for SelTime {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes());
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self(Reader::new("Get SEL Time response", data).u32()?))
    }
}

question!(
    /// Get SDR Repository Info (0A/20).
    GetSdrInfo, NetFn::STORAGE, 0x20, "Get SDR Repository Info", SdrInfo
);

/// State of the sensor data repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SdrInfo {
    /// BCD, 0x51: 1.5.
    pub version: u8,
    pub records: u16,
    pub free: u16,
    /// Change whenever records do, so that a console knows whether what it has read before still holds.
    pub last_added: u32,
    pub last_erased: u32,
    pub support: u8,
}

impl Body for SdrInfo {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.version);
        out.extend_from_slice(&self.records.to_le_bytes());
        out.extend_from_slice(&self.free.to_le_bytes());
        out.extend_from_slice(&self.last_added.to_le_bytes());
        out.extend_from_slice(&self.last_erased.to_le_bytes());
        out.push(self.support);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new("Get SDR Repository Info response", data);
        Ok(Self { version: r.u8()?, records: r.u16()?, free: r.u16()?, last_added: r.u32()?, last_erased: r.u32()?, support: r.u8()? })
    }
}

question!(
    /// Reserve SDR Repository (0A/22).
    ReserveSdr, NetFn::STORAGE, 0x22, "Reserve SDR Repository", Reservation
);

/// Get SDR (0A/23).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSdr {
    /// Needed for parts of a record; otherwise 0.
    pub reservation: u16,
    pub record: u16,
    pub offset: u8,
    /// 0xff: all of it, which few BMCs can put into one message.
    pub count: u8,
}

impl Body for GetSdr {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.reservation.to_le_bytes());
        out.extend_from_slice(&self.record.to_le_bytes());
        out.extend_from_slice(&[self.offset, self.count]);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(Self::NAME, data);
        Ok(Self { reservation: r.u16()?, record: r.u16()?, offset: r.u8()?, count: r.u8()? })
    }
}

impl Command for GetSdr {
    const NET_FN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x23;
    const NAME: &'static str = "Get SDR";
    type Response = RecordPiece;
}

question!(
    /// Reserve Device SDR Repository (04/22), for [`GetDeviceSdr`].
    ReserveDeviceSdr, NetFn::SENSOR_EVENT, 0x22, "Reserve Device SDR Repository", Reservation
);

/// Get Device SDR (04/21): what [`GetSdr`] is, from a controller that describes only its own sensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetDeviceSdr(pub GetSdr);

impl Body for GetDeviceSdr {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        GetSdr::decode(data).map(Self)
    }
}

impl Command for GetDeviceSdr {
    const NET_FN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x21;
    const NAME: &'static str = "Get Device SDR";
    type Response = RecordPiece;
}
