//! Sensors of a machine: what their records say, and what they read.

use std::sync::{Arc, LazyLock};

use ipmi_wire::{
    command::{RawThresholds, ReadingFactors, SensorReading},
    inventory::{
        event::{SENSOR_SPECIFIC, THRESHOLD},
        sdr::{CompactSensor, DataFormat, FullSensor, Linearization, Sdr, SensorId},
        sel::SelEvent,
        unit::Unit,
    },
    ipmb::BMC_ADDRESS,
};
use serde::Deserialize;

use super::{
    Power,
    events::{ACPI_SENSOR, ACPI_STATE, SOFT_OFF, WORKING},
};

/// What a sensor measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SensorKind {
    /// Degrees Celsius.
    Temperature,
    /// Revolutions a minute.
    Fan,
    /// Volts.
    Voltage,
    /// Amperes.
    Current,
    /// Watts.
    Power,
}

/// A sensor with a value.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SensorConfig {
    /// At most 16 characters.
    pub name: String,
    /// What it measures.
    pub kind: SensorKind,
    /// What it reads while the machine is on.
    pub value: f64,
    /// Lower thresholds: non-critical, critical, non-recoverable, as many as there are.
    #[serde(default)]
    pub lower: Vec<f64>,
    /// Upper thresholds, the same.
    #[serde(default)]
    pub upper: Vec<f64>,
    /// Also read while the machine is off.
    #[serde(default)]
    pub standby: bool,
}

/// The sensors of a machine that names none of its own.
static USUAL: LazyLock<Arc<[SensorConfig]>> = LazyLock::new(|| {
    use SensorKind::{Fan, Power, Temperature, Voltage};
    let sensor = |name: &str, kind, value, lower: &[f64], upper: &[f64], standby| SensorConfig {
        name: name.to_owned(),
        kind,
        value,
        lower: lower.to_vec(),
        upper: upper.to_vec(),
        standby,
    };
    Arc::new([
        sensor("Inlet Temp", Temperature, 22.0, &[5.0, 0.0], &[38.0, 42.0, 47.0], true),
        sensor("CPU Temp", Temperature, 46.0, &[], &[85.0, 95.0, 100.0], false),
        sensor("DIMM Temp", Temperature, 39.0, &[], &[80.0, 85.0, 90.0], false),
        sensor("Fan 1", Fan, 5400.0, &[1200.0, 800.0], &[], false),
        sensor("Fan 2", Fan, 5300.0, &[1200.0, 800.0], &[], false),
        sensor("12V", Voltage, 12.1, &[11.4, 10.8], &[12.6, 13.2], false),
        sensor("5V", Voltage, 5.02, &[4.75, 4.5], &[5.25, 5.5], false),
        sensor("3.3V", Voltage, 3.31, &[3.135, 2.97], &[3.465, 3.63], false),
        sensor("VBAT", Voltage, 3.05, &[2.5, 2.2], &[], true),
        sensor("Power Usage", Power, 132.0, &[], &[450.0, 500.0], false),
    ])
});

/// "Power Supply" and its state "presence detected".
const POWER_SUPPLY: u8 = 0x08;
const SUPPLY_SENSOR: u8 = 0xe0;
const PRESENT: u8 = 0;
/// Upper non-recoverable threshold event data: offset 11.
const EVENT_OFFSETS: [u8; 6] = [0, 2, 4, 7, 9, 11];

/// The sensors of one machine and what has been changed about them.
#[derive(Debug, Clone)]
pub(crate) struct Sensors {
    all: Arc<[SensorConfig]>,
    /// Values other than the configured ones, by index.
    changed: Vec<(usize, f64)>,
}

impl Sensors {
    pub(crate) fn new(own: &[SensorConfig]) -> Self {
        let all = if own.is_empty() { Arc::clone(&USUAL) } else { own.into() };
        Self { all, changed: Vec::new() }
    }

    /// Number of records.
    pub(crate) fn len(&self) -> usize {
        self.all.len() + 2
    }

    /// A record, by its place.
    pub(crate) fn record(&self, at: usize) -> Option<Sdr> {
        if let Some(sensor) = self.all.get(at) {
            return Some(Sdr::Full(sensor.record(number(at))));
        }
        let (number, sensor_type, entity, states, name) = match at - self.all.len() {
            0 => (SUPPLY_SENSOR, POWER_SUPPLY, 0x0a, 1u16 << PRESENT, "PSU 1"),
            1 => (ACPI_SENSOR, ACPI_STATE, 0x07, 1 << WORKING | 1 << SOFT_OFF, "ACPI State"),
            _ => return None,
        };
        let id = SensorId {
            owner: BMC_ADDRESS,
            lun: 0,
            number,
            entity,
            instance: 1,
            capabilities: 0x40,
            sensor_type,
            event_type: SENSOR_SPECIFIC,
            masks: [states; 3],
            name: name.to_owned(),
        };
        Some(Sdr::Compact(CompactSensor { id, unit: Unit::default(), share: 1, by_letter: false, first: 0, own_instance: false }))
    }

    pub(crate) fn reading(&self, number: u8, power: Power) -> Option<SensorReading> {
        let states = match number {
            SUPPLY_SENSOR => 1 << PRESENT,
            ACPI_SENSOR => 1 << if power == Power::On { WORKING } else { SOFT_OFF },
            _ => {
                let (at, sensor) = self.find(number)?;
                let unavailable = power == Power::Off && !sensor.standby;
                let raw = sensor.raw(self.value(at));
                let states = if unavailable { 0 } else { sensor.states(raw) };
                return Some(SensorReading { raw: if unavailable { 0 } else { raw }, scanning: true, unavailable, states });
            }
        };
        Some(SensorReading { raw: 0, scanning: true, unavailable: false, states })
    }

    pub(crate) fn thresholds(&self, number: u8) -> Option<RawThresholds> {
        self.find(number).map(|(_, sensor)| sensor.thresholds())
    }

    pub(crate) fn factors(&self, number: u8) -> Option<ReadingFactors> {
        self.find(number).map(|(_, sensor)| sensor.factors())
    }

    fn find(&self, wanted: u8) -> Option<(usize, &SensorConfig)> {
        self.all.iter().enumerate().find(|(at, _)| number(*at) == wanted)
    }

    fn value(&self, at: usize) -> f64 {
        self.changed.iter().find(|(changed, _)| *changed == at).map_or_else(|| self.all[at].value, |(_, value)| *value)
    }

    /// Changes a value. Answers the events of thresholds crossed by it, `None` when there is no such sensor.
    pub(crate) fn set(&mut self, name: &str, value: f64) -> Option<Vec<SelEvent>> {
        let at = self.all.iter().position(|sensor| sensor.name == name)?;
        let sensor = &self.all[at];
        let (before, after) = (sensor.states(sensor.raw(self.value(at))), sensor.states(sensor.raw(value)));
        let thresholds = sensor.thresholds().values;
        let crossed = (0..6usize).filter(|bit| (before ^ after) & 1 << bit != 0);
        let events = crossed.map(|bit| SelEvent {
            timestamp: 0,
            generator: BMC_ADDRESS.into(),
            revision: 4,
            sensor_type: sensor.kind.sensor_type(),
            sensor: number(at),
            deasserted: after & 1 << bit == 0,
            event_type: THRESHOLD,
            // with the reading and the threshold that was crossed
            data: [0x50 | EVENT_OFFSETS[bit], sensor.raw(value), thresholds[bit]],
        });
        let events = events.collect();
        self.changed.retain(|(changed, _)| *changed != at);
        self.changed.push((at, value));
        Some(events)
    }
}

fn number(at: usize) -> u8 {
    u8::try_from(at + 1).unwrap_or(u8::MAX)
}

impl SensorKind {
    fn sensor_type(self) -> u8 {
        match self {
            Self::Temperature => 0x01,
            Self::Voltage => 0x02,
            Self::Current => 0x03,
            Self::Fan => 0x04,
            // "other units-based"
            Self::Power => 0x0b,
        }
    }

    fn unit(self) -> Unit {
        match self {
            Self::Temperature => Unit::DEGREES_C,
            Self::Voltage => Unit::VOLTS,
            Self::Current => Unit::AMPS,
            Self::Fan => Unit::RPM,
            Self::Power => Unit::WATTS,
        }
    }

    fn entity(self) -> u8 {
        match self {
            Self::Temperature | Self::Voltage | Self::Current => 0x07,
            Self::Fan => 0x1d,
            Self::Power => 0x0a,
        }
    }

    /// Least exponent of the resolution.
    fn finest(self) -> i8 {
        match self {
            Self::Voltage | Self::Current => -3,
            Self::Fan | Self::Power | Self::Temperature => 0,
        }
    }
}

impl SensorConfig {
    /// Formula factors with which every value and threshold fits into an octet.
    #[expect(clippy::cast_possible_truncation, reason = "between 1 and 511")]
    fn factors(&self) -> ReadingFactors {
        if self.kind == SensorKind::Temperature {
            return ReadingFactors { m: 1, ..ReadingFactors::default() };
        }
        let all = self.lower.iter().chain(&self.upper).copied().chain([self.value]);
        // room above what is usual, for values set later
        let most = all.fold(0.0, f64::max) * 1.25;
        let fits = |r_exp: &i8| most / 255.0 / 10f64.powi((*r_exp).into()) <= 511.0;
        let r_exp = (self.kind.finest()..7).find(fits).unwrap_or(7);
        let m = (most / 255.0 / 10f64.powi(r_exp.into())).ceil().clamp(1.0, 511.0) as i16;
        ReadingFactors { m, r_exp, ..ReadingFactors::default() }
    }

    #[expect(clippy::cast_possible_truncation, reason = "clamped")]
    fn raw(&self, value: f64) -> u8 {
        let factors = self.factors();
        let count = (value / f64::from(factors.m) / 10f64.powi(factors.r_exp.into())).round();
        if self.kind == SensorKind::Temperature {
            (count.clamp(-128.0, 127.0) as i8).to_le_bytes()[0]
        } else {
            (count.clamp(0.0, 255.0) as u16).to_le_bytes()[0]
        }
    }

    fn thresholds(&self) -> RawThresholds {
        let mut raw = RawThresholds::default();
        let places = self.lower.iter().take(3).enumerate().chain(self.upper.iter().take(3).enumerate().map(|(i, value)| (i + 3, value)));
        for (place, value) in places {
            raw.readable |= 1 << place;
            raw.values[place] = self.raw(*value);
        }
        raw
    }

    /// Comparison of a value with the thresholds.
    fn states(&self, raw: u8) -> u16 {
        let thresholds = self.thresholds();
        let order = |raw: u8| if self.kind == SensorKind::Temperature { i16::from(i8::from_le_bytes([raw])) } else { i16::from(raw) };
        let beyond = |place: &usize| {
            let threshold = order(thresholds.values[*place]);
            thresholds.readable & 1 << place != 0 && if *place < 3 { order(raw) <= threshold } else { order(raw) >= threshold }
        };
        (0..6).filter(beyond).fold(0, |states, place| states | 1 << place)
    }

    fn record(&self, number: u8) -> FullSensor {
        let thresholds = self.thresholds();
        let readable = u16::from(thresholds.readable);
        // lower ones trigger when going low, upper ones when going high; and they are what a reading's states compare
        let events = (0..6usize).filter(|place| readable & 1 << place != 0).fold(0, |mask, place| mask | 1 << EVENT_OFFSETS[place]);
        let id = SensorId {
            owner: BMC_ADDRESS,
            lun: 0,
            number,
            entity: self.kind.entity(),
            instance: 1,
            // hysteresis and thresholds readable, events by sensor
            capabilities: 0x40 | 0x04 | 0x10,
            sensor_type: self.kind.sensor_type(),
            event_type: THRESHOLD,
            masks: [events | (readable & 7) << 12, events | (readable >> 3) << 12, readable],
            name: self.name.clone(),
        };
        let (format, maximum, minimum) =
            if self.kind == SensorKind::Temperature { (DataFormat::TwosComplement, 0x7f, 0x80) } else { (DataFormat::Unsigned, 0xff, 0) };
        FullSensor {
            id,
            unit: self.kind.unit(),
            format,
            linearization: Linearization::Linear,
            factors: self.factors(),
            nominal: self.raw(self.value),
            maximum,
            minimum,
            thresholds,
            hysteresis: [1, 1],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_lead_back_to_the_values() {
        let sensors = Sensors::new(&[]);
        for (at, sensor) in USUAL.iter().enumerate() {
            let Some(Sdr::Full(record)) = sensors.record(at) else { panic!() };
            let reading = sensors.reading(number(at), Power::On).unwrap();
            let shown = record.value(reading.raw).unwrap();
            assert!((shown - sensor.value).abs() <= sensor.value * 0.01 + 0.1, "{}: {shown} for {}", sensor.name, sensor.value);
            assert_eq!(reading.states, 0, "{} is well", sensor.name);
            let off = sensors.reading(number(at), Power::Off).unwrap();
            assert_eq!(off.unavailable, !sensor.standby);
        }
        assert!(sensors.record(sensors.len() - 1).is_some() && sensors.record(sensors.len()).is_none());
    }

    #[test]
    fn crossing_thresholds_is_told() {
        let mut sensors = Sensors::new(&[]);
        let events = sensors.set("CPU Temp", 96.0).unwrap();
        let offsets: Vec<_> = events.iter().map(|event| (event.offset(), event.deasserted)).collect();
        assert_eq!(offsets, [(7, false), (9, false)]);
        assert_eq!(events[1].trigger(), (Some(96), Some(95)));
        assert_eq!(sensors.reading(2, Power::On).unwrap().states, 0x18);
        let back = sensors.set("CPU Temp", 90.0).unwrap();
        assert_eq!(back.iter().map(|event| (event.offset(), event.deasserted)).collect::<Vec<_>>(), [(9, true)]);
        assert_eq!(sensors.set("Inlet Temp", -3.0).unwrap().len(), 2);
        assert_eq!(sensors.set("Fan 1", 0.0).unwrap().len(), 2);
        assert!(sensors.set("no such", 1.0).is_none());
    }
}
