//! Sensor data records (IPMI 2.0 §43): what sensors there are, what they are called, and how their values are computed.

use super::event::{self, THRESHOLD};
use super::text::{self, First};
use super::unit::Unit;
use crate::DecodeError;
use crate::command::{RawThresholds, ReadingFactors, SensorReading};
use crate::wire::Reader;

/// Octets before a record's body.
pub const HEADER: usize = 5;

const FULL: u8 = 0x01;
const COMPACT: u8 = 0x02;
const EVENT_ONLY: u8 = 0x03;
const FRU_LOCATOR: u8 = 0x11;
const CONTROLLER_LOCATOR: u8 = 0x12;
/// Version 1.5, which IPMI 2.0 uses too.
const VERSION: u8 = 0x51;

/// The first octets of every record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SdrHeader {
    pub id: u16,
    pub kind: u8,
    /// Octets after the header.
    pub length: u8,
}

impl SdrHeader {
    /// # Errors
    /// Shorter than [`HEADER`].
    pub fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new("SDR header", data);
        let id = r.u16()?;
        let [_version, kind, length] = r.array()?;
        Ok(Self { id, kind, length })
    }
}

/// A record.
#[derive(Debug, Clone, PartialEq)]
pub enum Sdr {
    Full(FullSensor),
    Compact(CompactSensor),
    /// A device with an inventory of its own.
    Fru(FruLocator),
    Controller(ControllerLocator),
    /// Sensors that only log, and anything else: number and body.
    Other {
        kind: u8,
        body: Vec<u8>,
    },
}

/// What full and compact records have in common.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SensorId {
    /// Slave address or software id of the controller that has the sensor; 0x20 is the BMC.
    pub owner: u8,
    /// LUN it answers at.
    pub lun: u8,
    pub number: u8,
    pub entity: u8,
    pub instance: u8,
    /// "Sensor capabilities" of the record.
    pub capabilities: u8,
    pub sensor_type: u8,
    /// [`event::THRESHOLD`], generic, or sensor specific.
    pub event_type: u8,
    /// Masks of assertion events, deassertion events, and readable states or thresholds.
    pub masks: [u16; 3],
    pub name: String,
}

impl SensorId {
    /// The value is compared with thresholds.
    #[must_use]
    pub fn has_thresholds(&self) -> bool {
        self.event_type == THRESHOLD
    }

    /// [`crate::command::GetSensorThresholds`] makes sense.
    #[must_use]
    pub fn thresholds_readable(&self) -> bool {
        self.has_thresholds() && matches!(self.capabilities >> 2 & 3, 1 | 2)
    }

    /// Names of the states that are on in a reading.
    #[must_use]
    pub fn states(&self, reading: &SensorReading) -> Vec<&'static str> {
        if self.has_thresholds() {
            return Vec::new();
        }
        let on = (0..15u8).filter(|offset| reading.states & 1 << offset != 0);
        on.filter_map(|offset| event::state(self.sensor_type, self.event_type, offset)).collect()
    }
}

/// A sensor with a value.
#[derive(Debug, Clone, PartialEq)]
pub struct FullSensor {
    pub id: SensorId,
    pub unit: Unit,
    pub format: DataFormat,
    pub linearization: Linearization,
    pub factors: ReadingFactors,
    pub nominal: u8,
    pub maximum: u8,
    pub minimum: u8,
    /// As they were when the record was written.
    pub thresholds: RawThresholds,
    /// Raw counts a value must return by before a threshold event ceases.
    pub hysteresis: [u8; 2],
}

/// How a raw octet is a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DataFormat {
    #[default]
    Unsigned,
    OnesComplement,
    TwosComplement,
    /// The sensor has states and no value.
    None,
}

/// The function applied to the linear result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Linearization {
    #[default]
    Linear,
    Ln,
    Log10,
    Log2,
    Exp,
    Exp10,
    Exp2,
    Reciprocal,
    Square,
    Cube,
    SquareRoot,
    CubeRoot,
    /// Factors differ from value to value: ask for them with [`crate::command::GetReadingFactors`], then it is linear.
    NonLinear(u8),
}

impl Linearization {
    fn from_value(value: u8) -> Self {
        match value & 0x7f {
            0 => Self::Linear,
            1 => Self::Ln,
            2 => Self::Log10,
            3 => Self::Log2,
            4 => Self::Exp,
            5 => Self::Exp10,
            6 => Self::Exp2,
            7 => Self::Reciprocal,
            8 => Self::Square,
            9 => Self::Cube,
            10 => Self::SquareRoot,
            11 => Self::CubeRoot,
            other => Self::NonLinear(other),
        }
    }

    fn value(self) -> u8 {
        match self {
            Self::Linear => 0,
            Self::Ln => 1,
            Self::Log10 => 2,
            Self::Log2 => 3,
            Self::Exp => 4,
            Self::Exp10 => 5,
            Self::Exp2 => 6,
            Self::Reciprocal => 7,
            Self::Square => 8,
            Self::Cube => 9,
            Self::SquareRoot => 10,
            Self::CubeRoot => 11,
            Self::NonLinear(other) => other,
        }
    }

    fn apply(self, x: f64) -> f64 {
        match self {
            Self::Linear | Self::NonLinear(_) => x,
            Self::Ln => x.ln(),
            Self::Log10 => x.log10(),
            Self::Log2 => x.log2(),
            Self::Exp => x.exp(),
            Self::Exp10 => 10f64.powf(x),
            Self::Exp2 => x.exp2(),
            Self::Reciprocal => x.recip(),
            Self::Square => x * x,
            Self::Cube => x * x * x,
            Self::SquareRoot => x.sqrt(),
            Self::CubeRoot => x.cbrt(),
        }
    }
}

impl FullSensor {
    /// The value of a raw octet; `None` when the sensor has no value or the formula no result for it.
    #[must_use]
    pub fn value(&self, raw: u8) -> Option<f64> {
        self.value_with(&self.factors, raw)
    }

    /// [`Self::value`] with factors of their own, for [`Linearization::NonLinear`].
    #[must_use]
    pub fn value_with(&self, factors: &ReadingFactors, raw: u8) -> Option<f64> {
        let signed = i8::from_le_bytes([raw]);
        let raw = match self.format {
            DataFormat::Unsigned => f64::from(raw),
            // "minus zero" is zero
            DataFormat::OnesComplement if signed < 0 => f64::from(signed.saturating_add(1)),
            DataFormat::OnesComplement | DataFormat::TwosComplement => f64::from(signed),
            DataFormat::None => return None,
        };
        let offset = f64::from(factors.b) * 10f64.powi(factors.b_exp.into());
        let linear = (f64::from(factors.m) * raw + offset) * 10f64.powi(factors.r_exp.into());
        Some(self.linearization.apply(linear)).filter(|value| value.is_finite())
    }

    /// The thresholds as values, in the order of [`RawThresholds`]; those that are not readable are `None`.
    #[must_use]
    pub fn threshold_values(&self, raw: &RawThresholds) -> [Option<f64>; 6] {
        let mut bit = 1;
        raw.values.map(|value| {
            let readable = raw.readable & bit != 0;
            bit <<= 1;
            if readable { self.value(value) } else { None }
        })
    }
}

/// How bad a sensor's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Ok,
    NonCritical,
    Critical,
    NonRecoverable,
}

impl Severity {
    /// From the comparison bits of a threshold sensor's reading.
    #[must_use]
    pub fn of(reading: &SensorReading) -> Self {
        let bits = reading.states & 0x3f;
        match bits | bits >> 3 {
            n if n & 4 != 0 => Self::NonRecoverable,
            n if n & 2 != 0 => Self::Critical,
            n if n & 1 != 0 => Self::NonCritical,
            _ => Self::Ok,
        }
    }
}

/// A sensor with states, or several of the same kind in one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactSensor {
    pub id: SensorId,
    pub unit: Unit,
    /// How many sensors this is, with consecutive numbers; 0 and 1 are one.
    pub share: u8,
    /// The name of each ends in a letter instead of a number.
    pub by_letter: bool,
    /// The first one's number or letter.
    pub first: u8,
    /// Each belongs to an entity instance of its own.
    pub own_instance: bool,
}

impl CompactSensor {
    /// One identity for each sensor the record stands for.
    pub fn sensors(&self) -> impl Iterator<Item = SensorId> + '_ {
        let count = self.share.max(1);
        (0..count).map(move |i| {
            let mut id = self.id.clone();
            id.number = id.number.wrapping_add(i);
            if count > 1 {
                let n = self.first.wrapping_add(i);
                if self.by_letter {
                    id.name.push(char::from(b'A' + n % 26));
                } else {
                    id.name.push_str(&n.to_string());
                }
                if self.own_instance {
                    id.instance = id.instance.wrapping_add(i);
                }
            }
            id
        })
    }
}

/// A device with an inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FruLocator {
    /// Slave address of the controller that has it.
    pub controller: u8,
    /// Number for [`crate::command::ReadFru`], if `logical`; otherwise an address on a bus.
    pub device: u8,
    pub logical: bool,
    pub entity: u8,
    pub instance: u8,
    pub name: String,
}

/// A management controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControllerLocator {
    pub address: u8,
    pub channel: u8,
    /// As in [`crate::command::DeviceId::additional_support`].
    pub capabilities: u8,
    pub entity: u8,
    pub instance: u8,
    pub name: String,
}

impl Sdr {
    /// Reads a whole record, header included.
    ///
    /// # Errors
    /// Shorter than its kind must be.
    pub fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let header = SdrHeader::decode(data)?;
        let mut r = Reader::new("SDR", data.get(HEADER..).unwrap_or_default());
        Ok(match header.kind {
            FULL => {
                let mut id = sensor_id(&mut r)?;
                let units: [u8; 3] = r.array()?;
                let linearization = Linearization::from_value(r.u8()?);
                let factors = ReadingFactors::from_bytes(r.array()?);
                // "analog characteristics" says which of the next three are given; they are harmless if not
                let [_analog, nominal, _normal_max, _normal_min, maximum, minimum] = r.array()?;
                let [unr, uc, unc, lnr, lc, lnc, positive, negative] = r.array()?;
                let [_, _, _oem, type_length] = r.array()?;
                id.name = text::decode(First::Unicode, type_length, &mut r)?;
                let [.., readable] = id.masks;
                let thresholds = RawThresholds { readable: readable.to_le_bytes()[0] & 0x3f, values: [lnc, lc, lnr, unc, uc, unr] };
                let format = data_format(units);
                let unit = Unit::from_bytes(units);
                let hysteresis = [positive, negative];
                Self::Full(FullSensor { id, unit, format, linearization, factors, nominal, maximum, minimum, thresholds, hysteresis })
            }
            COMPACT => {
                let mut id = sensor_id(&mut r)?;
                let unit = Unit::from_bytes(r.array()?);
                let [share, instance] = r.array()?;
                r.skip(6)?;
                let type_length = r.u8()?;
                id.name = text::decode(First::Unicode, type_length, &mut r)?;
                Self::Compact(CompactSensor {
                    id,
                    unit,
                    share: share & 0x0f,
                    by_letter: share >> 4 & 3 == 1,
                    first: instance & 0x7f,
                    own_instance: instance & 0x80 != 0,
                })
            }
            FRU_LOCATOR => {
                let [controller, device, access, _channel, _, _device_type, _modifier, entity, instance, _oem, type_length] = r.array()?;
                let name = text::decode(First::Unicode, type_length, &mut r)?;
                Self::Fru(FruLocator { controller, device, logical: access & 0x80 != 0, entity, instance, name })
            }
            CONTROLLER_LOCATOR => {
                let [address, channel, _notification, capabilities, _, _, _, entity, instance, _oem, type_length] = r.array()?;
                let name = text::decode(First::Unicode, type_length, &mut r)?;
                Self::Controller(ControllerLocator { address, channel: channel & 0x0f, capabilities, entity, instance, name })
            }
            kind => Self::Other { kind, body: r.rest().to_vec() },
        })
    }

    /// The record's octets under this number.
    #[must_use]
    pub fn encode(&self, record: u16) -> Vec<u8> {
        let mut body = Vec::with_capacity(64);
        let kind = match self {
            Self::Full(s) => {
                s.id.encode(&mut body);
                let [flags, base, modifier] = s.unit.to_bytes();
                let format = match s.format {
                    DataFormat::Unsigned => 0,
                    DataFormat::OnesComplement => 1,
                    DataFormat::TwosComplement => 2,
                    DataFormat::None => 3,
                };
                body.extend_from_slice(&[flags | format << 6, base, modifier, s.linearization.value()]);
                body.extend_from_slice(&s.factors.to_bytes());
                // nominal reading given, normal range not
                body.extend_from_slice(&[0x01, s.nominal, 0, 0, s.maximum, s.minimum]);
                let [lnc, lc, lnr, unc, uc, unr] = s.thresholds.values;
                let [positive, negative] = s.hysteresis;
                body.extend_from_slice(&[unr, uc, unc, lnr, lc, lnc, positive, negative, 0, 0, 0]);
                name(&s.id.name, &mut body);
                FULL
            }
            Self::Compact(s) => {
                s.id.encode(&mut body);
                let [flags, base, modifier] = s.unit.to_bytes();
                body.extend_from_slice(&[flags | 0xc0, base, modifier]);
                body.push(s.share & 0x0f | u8::from(s.by_letter) << 4);
                body.push(s.first & 0x7f | u8::from(s.own_instance) << 7);
                body.extend_from_slice(&[0; 6]);
                name(&s.id.name, &mut body);
                COMPACT
            }
            Self::Fru(l) => {
                body.extend_from_slice(&[l.controller, l.device, u8::from(l.logical) << 7, 0, 0, 0x10, 0, l.entity, l.instance, 0]);
                name(&l.name, &mut body);
                FRU_LOCATOR
            }
            Self::Controller(l) => {
                body.extend_from_slice(&[l.address, l.channel & 0x0f, 0, l.capabilities, 0, 0, 0, l.entity, l.instance, 0]);
                name(&l.name, &mut body);
                CONTROLLER_LOCATOR
            }
            Self::Other { kind, body: octets } => {
                body.extend_from_slice(octets);
                *kind
            }
        };
        let mut out = Vec::with_capacity(HEADER + body.len());
        out.extend_from_slice(&record.to_le_bytes());
        out.extend_from_slice(&[VERSION, kind, u8::try_from(body.len()).unwrap_or(u8::MAX)]);
        out.extend(body);
        out
    }

    /// Sensors that have no reading, only events.
    #[must_use]
    pub fn is_event_only(&self) -> bool {
        matches!(self, Self::Other { kind: EVENT_ONLY, .. })
    }
}

impl SensorId {
    fn encode(&self, out: &mut Vec<u8>) {
        // initialized, scanning and events on from the start
        out.extend_from_slice(&[self.owner, self.lun & 3, self.number, self.entity, self.instance, 0x7f, self.capabilities]);
        out.extend_from_slice(&[self.sensor_type, self.event_type]);
        for mask in self.masks {
            out.extend_from_slice(&mask.to_le_bytes());
        }
    }
}

fn sensor_id(r: &mut Reader<'_>) -> Result<SensorId, DecodeError> {
    let [owner, lun, number, entity, instance, _initialization, capabilities, sensor_type, event_type] = r.array()?;
    let masks = [r.u16()?, r.u16()?, r.u16()?];
    Ok(SensorId { owner, lun: lun & 3, number, entity, instance, capabilities, sensor_type, event_type, masks, name: String::new() })
}

fn data_format([flags, ..]: [u8; 3]) -> DataFormat {
    match flags >> 6 {
        0 => DataFormat::Unsigned,
        1 => DataFormat::OnesComplement,
        2 => DataFormat::TwosComplement,
        _ => DataFormat::None,
    }
}

/// Most characters a record's name may have.
const NAME: usize = 16;

fn name(text: &str, out: &mut Vec<u8>) {
    let cut: String = text.chars().take(NAME).collect();
    text::encode(&cut, out);
}
