//! Sensors as they are now (spec 35). Their names, units and formulas are in the repository: [`crate::inventory::sdr`].

use super::{Body, Command};
use crate::DecodeError;
use crate::message::NetFn;
use crate::wire::Reader;

/// Get Sensor Reading (04/2D). Goes to the LUN of the sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSensorReading {
    pub sensor: u8,
}

impl Body for GetSensorReading {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.sensor);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self { sensor: Reader::new(Self::NAME, data).u8()? })
    }
}

impl Command for GetSensorReading {
    const NET_FN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x2d;
    const NAME: &'static str = "Get Sensor Reading";
    type Response = SensorReading;
}

/// A sensor's value before the formula, and its state bits (spec table 35-15).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SensorReading {
    pub raw: u8,
    /// The sensor is looked at at all.
    pub scanning: bool,
    /// There is no value now: the machine is off, or the sensor was just armed anew.
    pub unavailable: bool,
    /// Threshold sensors: bits 0..=5 at or beyond lower non-critical, lower critical, lower non-recoverable, upper
    /// non-critical, upper critical, upper non-recoverable. Others: states 0..=14, one bit each.
    pub states: u16,
}

impl Body for SensorReading {
    fn encode(&self, out: &mut Vec<u8>) {
        let flags = 0x80 | if self.scanning { 0x40 } else { 0 } | if self.unavailable { 0x20 } else { 0 };
        let [low, high] = self.states.to_le_bytes();
        // the topmost bit of the second octet is reserved and reads 1
        out.extend_from_slice(&[self.raw, flags, low, high | 0x80]);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new("Get Sensor Reading response", data);
        let [raw, flags] = r.array()?;
        // sensors without states leave these away
        let states = u16::from_le_bytes([r.u8().unwrap_or(0), r.u8().unwrap_or(0)]) & 0x7fff;
        Ok(Self { raw, scanning: flags & 0x40 != 0, unavailable: flags & 0x20 != 0, states })
    }
}

/// Get Sensor Thresholds (04/27).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSensorThresholds {
    pub sensor: u8,
}

impl Body for GetSensorThresholds {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.sensor);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self { sensor: Reader::new(Self::NAME, data).u8()? })
    }
}

impl Command for GetSensorThresholds {
    const NET_FN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x27;
    const NAME: &'static str = "Get Sensor Thresholds";
    type Response = RawThresholds;
}

/// Thresholds before the formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RawThresholds {
    /// Which of `values` mean anything, in their order from bit 0.
    pub readable: u8,
    /// Lower non-critical, lower critical, lower non-recoverable, upper non-critical, upper critical, upper non-recoverable.
    pub values: [u8; 6],
}

impl Body for RawThresholds {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.readable);
        out.extend_from_slice(&self.values);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new("Get Sensor Thresholds response", data);
        Ok(Self { readable: r.u8()? & 0x3f, values: r.array()? })
    }
}

/// Get Sensor Reading Factors (04/23): the formula of a sensor that is not linear, near one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetReadingFactors {
    pub sensor: u8,
    pub raw: u8,
}

impl Body for GetReadingFactors {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.sensor, self.raw]);
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let [sensor, raw] = Reader::new(Self::NAME, data).array()?;
        Ok(Self { sensor, raw })
    }
}

impl Command for GetReadingFactors {
    const NET_FN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x23;
    const NAME: &'static str = "Get Sensor Reading Factors";
    type Response = ReadingFactors;
}

/// The factors of the formula as they stand in a full record (octets 25 to 30) and in the answer to [`GetReadingFactors`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadingFactors {
    /// 10 bits, signed.
    pub m: i16,
    /// 10 bits, signed.
    pub b: i16,
    /// 4 bits, signed: exponent of the result.
    pub r_exp: i8,
    /// 4 bits, signed: exponent of `b`.
    pub b_exp: i8,
    /// Half raw counts, 6 bits.
    pub tolerance: u8,
    /// Hundredths of a percent before the exponent, 10 bits.
    pub accuracy: u16,
    /// 2 bits.
    pub accuracy_exp: u8,
}

impl ReadingFactors {
    /// The six octets.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 6] {
        let [m_low, m_high] = self.m.to_le_bytes();
        let [b_low, b_high] = self.b.to_le_bytes();
        let [accuracy_low, accuracy_high] = (self.accuracy & 0x3ff).to_le_bytes();
        [
            m_low,
            (m_high & 3) << 6 | self.tolerance & 0x3f,
            b_low,
            (b_high & 3) << 6 | accuracy_low & 0x3f,
            (accuracy_low >> 6 | accuracy_high << 2) << 4 | (self.accuracy_exp & 3) << 2,
            self.r_exp.to_le_bytes()[0] << 4 | self.b_exp.to_le_bytes()[0] & 0x0f,
        ]
    }

    /// From the six octets.
    #[must_use]
    pub fn from_bytes([m, m_tolerance, b, b_accuracy, accuracy, exponents]: [u8; 6]) -> Self {
        // the sign is the topmost of ten bits: shifted to the top of sixteen and back, it fills them
        let ten = |low: u8, high: u8| i16::from_le_bytes([low << 6, high & 0xc0 | low >> 2]) >> 6;
        let four = |nibble: u8| i8::from_le_bytes([nibble << 4]) >> 4;
        Self {
            m: ten(m, m_tolerance),
            b: ten(b, b_accuracy),
            r_exp: four(exponents >> 4),
            b_exp: four(exponents & 0x0f),
            tolerance: m_tolerance & 0x3f,
            accuracy: u16::from(accuracy >> 4) << 6 | u16::from(b_accuracy & 0x3f),
            accuracy_exp: accuracy >> 2 & 3,
        }
    }
}

impl Body for ReadingFactors {
    /// The next raw value the factors differ for comes first; here it is always "none".
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(0xff);
        out.extend_from_slice(&self.to_bytes());
    }

    fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new("Get Sensor Reading Factors response", data);
        r.skip(1)?;
        Ok(Self::from_bytes(r.array()?))
    }
}
