//! System boot options (spec 28.12–28.14): what the machine boots from next.

use super::{Body, Command};
use crate::DecodeError;
use crate::message::{CompletionCode, NetFn};
use crate::wire::Reader;

/// Where to boot from (boot flags data 2, bits 5:2). Numbers without a name here are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BootDevice {
    /// No override: what the firmware is set up for.
    None,
    Pxe,
    Disk,
    DiskSafeMode,
    Diagnostics,
    Cdrom,
    /// Firmware set-up.
    Bios,
    RemoteFloppy,
    RemoteCdrom,
    RemotePrimary,
    RemoteDisk,
    Floppy,
    Other(u8),
}

impl BootDevice {
    const NAMED: [(Self, u8); 12] = [
        (Self::None, 0),
        (Self::Pxe, 1),
        (Self::Disk, 2),
        (Self::DiskSafeMode, 3),
        (Self::Diagnostics, 4),
        (Self::Cdrom, 5),
        (Self::Bios, 6),
        (Self::RemoteFloppy, 7),
        (Self::RemoteCdrom, 8),
        (Self::RemotePrimary, 9),
        (Self::RemoteDisk, 11),
        (Self::Floppy, 15),
    ];

    #[must_use]
    pub fn value(self) -> u8 {
        match self {
            Self::Other(n) => n & 0x0f,
            named => Self::NAMED.iter().find(|(device, _)| *device == named).map_or(0, |(_, n)| *n),
        }
    }

    /// From the low 4 bits.
    #[must_use]
    pub fn from_value(value: u8) -> Self {
        let value = value & 0x0f;
        Self::NAMED.iter().find(|(_, n)| *n == value).map_or(Self::Other(value), |(device, _)| *device)
    }
}

/// Parameter 5 (spec table 28-14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BootFlags {
    /// The flags count. The BMC clears this after use or time-out.
    pub valid: bool,
    /// For all boots, not only the next.
    pub persistent: bool,
    /// Boot the UEFI way; otherwise the PC-compatible one.
    pub efi: bool,
    pub device: BootDevice,
    /// The other bits of data 2 (CMOS clear, keyboard lock, screen blank, reset lock) and data 3 to 5 as on the wire.
    pub rest: [u8; 4],
}

impl BootFlags {
    /// Flags that take effect and set nothing else.
    #[must_use]
    pub fn new(device: BootDevice, efi: bool, persistent: bool) -> Self {
        Self { valid: true, persistent, efi, device, rest: [0; 4] }
    }

    #[must_use]
    pub fn to_bytes(self) -> [u8; 5] {
        let bit = |set: bool, n: u8| u8::from(set) << n;
        let [d2, d3, d4, d5] = self.rest;
        [bit(self.valid, 7) | bit(self.persistent, 6) | bit(self.efi, 5), self.device.value() << 2 | d2 & 0xc3, d3, d4, d5]
    }

    #[must_use]
    pub fn from_bytes(bytes: [u8; 5]) -> Self {
        let [d1, d2, d3, d4, d5] = bytes;
        Self {
            valid: d1 & 0x80 != 0,
            persistent: d1 & 0x40 != 0,
            efi: d1 & 0x20 != 0,
            device: BootDevice::from_value(d2 >> 2),
            rest: [d2 & 0xc3, d3, d4, d5],
        }
    }
}

/// Parameter 0: brackets a change so that nobody sees half of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressState {
    Complete,
    InProgress,
    Commit,
}

impl ProgressState {
    /// Its number, 2 bits.
    #[must_use]
    pub fn value(self) -> u8 {
        match self {
            Self::Complete => 0,
            Self::InProgress => 1,
            Self::Commit => 2,
        }
    }

    /// From the low 2 bits of a field; `None` for the reserved value.
    #[must_use]
    pub fn from_value(value: u8) -> Option<Self> {
        match value & 3 {
            0 => Some(Self::Complete),
            1 => Some(Self::InProgress),
            2 => Some(Self::Commit),
            _ => None,
        }
    }
}

/// The boot option parameters in use (spec table 28-14); any other is carried raw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BootParameter {
    /// 0.
    SetInProgress(ProgressState),
    /// 3: which events do *not* make the BMC clear the valid bit, bits 4:0
    /// (4 PEF reset, 3 no chassis control within 60 s, 2 watchdog, 1 button reset, 0 power button).
    ValidBitClearing(u8),
    /// 4: who has handled the boot information; `mask` says which bits of `data` count.
    InfoAcknowledge {
        mask: u8,
        data: u8,
    },
    /// 5.
    Flags(BootFlags),
    Other {
        selector: u8,
        data: Vec<u8>,
    },
}

impl BootParameter {
    /// Number of the parameter, 7 bits.
    #[must_use]
    pub fn selector(&self) -> u8 {
        match self {
            Self::SetInProgress(_) => 0,
            Self::ValidBitClearing(_) => 3,
            Self::InfoAcknowledge { .. } => 4,
            Self::Flags(_) => 5,
            Self::Other { selector, .. } => selector & 0x7f,
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::SetInProgress(state) => out.push(state.value()),
            Self::ValidBitClearing(bits) => out.push(bits & 0x1f),
            Self::InfoAcknowledge { mask, data } => out.extend_from_slice(&[*mask, *data]),
            Self::Flags(flags) => out.extend_from_slice(&flags.to_bytes()),
            Self::Other { data, .. } => out.extend_from_slice(data),
        }
    }

    fn get(selector: u8, data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new("boot option parameter", data);
        Ok(match selector {
            0 => {
                let value = r.u8()?;
                Self::SetInProgress(ProgressState::from_value(value).ok_or_else(|| r.bad(value))?)
            }
            3 => Self::ValidBitClearing(r.u8()? & 0x1f),
            4 => {
                let [mask, data] = r.array()?;
                Self::InfoAcknowledge { mask, data }
            }
            5 => Self::Flags(BootFlags::from_bytes(r.array()?)),
            _ => Self::Other { selector, data: r.rest().to_vec() },
        })
    }
}

/// What Set System Boot Options does with a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BootChange {
    Write(BootParameter),
    /// Only the valid mark of the parameter with this selector changes.
    MarkOnly(u8),
}

/// Set System Boot Options (00/08).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetBootOption {
    /// Mark the parameter invalid or locked instead of valid.
    pub mark_invalid: bool,
    pub parameter: BootChange,
}

impl SetBootOption {
    #[must_use]
    pub fn new(parameter: BootParameter) -> Self {
        Self { mark_invalid: false, parameter: BootChange::Write(parameter) }
    }
}

impl Body for SetBootOption {
    fn encode(&self, out: &mut Vec<u8>) {
        let mark = if self.mark_invalid { 0x80 } else { 0 };
        match &self.parameter {
            BootChange::Write(parameter) => {
                out.push(parameter.selector() | mark);
                parameter.put(out);
            }
            BootChange::MarkOnly(selector) => out.push(selector & 0x7f | mark),
        }
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(Self::NAME, data);
        let first = r.u8()?;
        let selector = first & 0x7f;
        let parameter =
            if r.is_empty() { BootChange::MarkOnly(selector) } else { BootChange::Write(BootParameter::get(selector, r.rest())?) };
        Ok(Self { mark_invalid: first & 0x80 != 0, parameter })
    }
}

impl Command for SetBootOption {
    const NET_FN: NetFn = NetFn::CHASSIS;
    const CMD: u8 = 0x08;
    const NAME: &'static str = "Set System Boot Options";
    type Response = ();

    fn completion_text(code: CompletionCode) -> Option<&'static str> {
        match code.0 {
            0x80 => Some("parameter not supported"),
            0x81 => Some("another set is in progress"),
            0x82 => Some("attempt to write a read-only parameter"),
            _ => None,
        }
    }
}

/// Get System Boot Options (00/09).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetBootOption {
    /// Number of the parameter, 7 bits.
    pub selector: u8,
    pub set: u8,
    pub block: u8,
}

impl GetBootOption {
    /// Parameter 5.
    pub const FLAGS: Self = Self { selector: 5, set: 0, block: 0 };
}

impl Body for GetBootOption {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.selector & 0x7f, self.set, self.block]);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let [selector, set, block] = Reader::new(Self::NAME, data).array()?;
        Ok(Self { selector: selector & 0x7f, set, block })
    }
}

impl Command for GetBootOption {
    const NET_FN: NetFn = NetFn::CHASSIS;
    const CMD: u8 = 0x09;
    const NAME: &'static str = "Get System Boot Options";
    type Response = GetBootOptionResponse;

    fn completion_text(code: CompletionCode) -> Option<&'static str> {
        (code.0 == 0x80).then_some("parameter not supported")
    }
}

/// A parameter as the BMC holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetBootOptionResponse {
    /// The parameter as a whole is marked valid and unlocked.
    pub valid: bool,
    pub parameter: BootParameter,
}

impl Body for GetBootOptionResponse {
    fn encode(&self, out: &mut Vec<u8>) {
        // Parameter version 1 for all of IPMI 1.5 and 2.0.
        out.extend_from_slice(&[0x01, self.parameter.selector() | if self.valid { 0 } else { 0x80 }]);
        self.parameter.put(out);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new("Get System Boot Options response", data);
        let [_version, selector] = r.array()?;
        let parameter = BootParameter::get(selector & 0x7f, r.rest())?;
        Ok(Self { valid: selector & 0x80 == 0, parameter })
    }
}
