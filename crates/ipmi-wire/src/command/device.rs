//! Who a management controller is (spec 20.1, 22.14).

use super::{Body, Command};
use crate::DecodeError;
use crate::message::NetFn;
use crate::wire::Reader;

/// Get Device ID (06/01). Harmless and known to every controller, so it also serves as keep-alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetDeviceId;

impl Body for GetDeviceId {
    fn encode(&self, _out: &mut Vec<u8>) {}

    fn decode(_data: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self)
    }
}

impl Command for GetDeviceId {
    const NET_FN: NetFn = NetFn::APP;
    const CMD: u8 = 0x01;
    const NAME: &'static str = "Get Device ID";
    type Response = DeviceId;
}

/// Identity and firmware of a controller (spec table 20-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceId {
    pub device_id: u8,
    /// Low 4 bits: revision; bit 7: provides device SDRs.
    pub device_revision: u8,
    pub firmware_major: u8,
    /// BCD as on the wire.
    pub firmware_minor: u8,
    /// The device is up; otherwise it is updating its firmware or initializing.
    pub available: bool,
    /// Major and minor, 2.0 or 1.5.
    pub ipmi_version: (u8, u8),
    /// Bit 7 chassis, 6 bridge, 5 event generator, 4 receiver, 3 FRU, 2 SEL, 1 SDR repository, 0 sensor.
    pub additional_support: u8,
    /// IANA enterprise number, 20 bits.
    pub manufacturer: u32,
    pub product: u16,
    /// Auxiliary firmware revision; zeros where the BMC leaves it out.
    pub aux_revision: [u8; 4],
}

impl DeviceId {
    /// "major.minor" as tools print it.
    #[must_use]
    pub fn firmware(&self) -> String {
        format!("{}.{:02x}", self.firmware_major, self.firmware_minor)
    }
}

impl Body for DeviceId {
    fn encode(&self, out: &mut Vec<u8>) {
        let (major, minor) = self.ipmi_version;
        let [m0, m1, m2, _] = self.manufacturer.to_le_bytes();
        out.extend_from_slice(&[
            self.device_id,
            self.device_revision,
            self.firmware_major & 0x7f | if self.available { 0 } else { 0x80 },
            self.firmware_minor,
            minor << 4 | major & 0x0f,
            self.additional_support,
            m0,
            m1,
            m2 & 0x0f,
        ]);
        out.extend_from_slice(&self.product.to_le_bytes());
        out.extend_from_slice(&self.aux_revision);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new("Get Device ID response", data);
        let [device_id, device_revision, major, minor, version, additional_support, m0, m1, m2] = r.array()?;
        Ok(Self {
            device_id,
            device_revision,
            firmware_major: major & 0x7f,
            firmware_minor: minor,
            available: major & 0x80 == 0,
            ipmi_version: (version & 0x0f, version >> 4),
            additional_support,
            manufacturer: u32::from_le_bytes([m0, m1, m2 & 0x0f, 0]),
            product: r.u16()?,
            aux_revision: r.array().unwrap_or_default(),
        })
    }
}

/// Get System GUID (06/37).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSystemGuid;

impl Body for GetSystemGuid {
    fn encode(&self, _out: &mut Vec<u8>) {}

    fn decode(_data: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self)
    }
}

impl Command for GetSystemGuid {
    const NET_FN: NetFn = NetFn::APP;
    const CMD: u8 = 0x37;
    const NAME: &'static str = "Get System GUID";
    type Response = SystemGuid;
}

/// Sixteen octets whose order vendors do not agree on: kept as they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemGuid(pub [u8; 16]);

impl Body for SystemGuid {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self(Reader::new("Get System GUID response", data).array()?))
    }
}
