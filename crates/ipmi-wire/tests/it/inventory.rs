//! FRU inventory, event log and sensor records: what is written is read, and what the specification's examples say.

use ipmi_wire::command::*;
use ipmi_wire::inventory::event;
use ipmi_wire::inventory::fru::{BoardInfo, ChassisInfo, Fru, FruArea, ProductInfo};
use ipmi_wire::inventory::sdr::{
    CompactSensor, ControllerLocator, DataFormat, FruLocator, FullSensor, Linearization, Sdr, SdrHeader, SensorId, Severity,
};
use ipmi_wire::inventory::sel::{SelContent, SelEvent, SelRecord};
use ipmi_wire::inventory::unit::Unit;
use proptest::prelude::*;

fn text() -> impl Strategy<Value = String> {
    "[A-Za-z0-9][A-Za-z0-9 .:/-]{0,40}[A-Za-z0-9]|[A-Z]|"
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[A-Za-z0-9]{2,20}", 0..3)
}

proptest! {
    #[test]
    fn inventories(
        chassis in prop::option::of((any::<u8>(), text(), text(), texts())),
        board in prop::option::of((prop::option::of(1u64..0x00ff_ffff), text(), text(), text(), text(), text(), texts())),
        product in prop::option::of((text(), text(), text(), text(), text(), text(), text(), texts())),
    ) {
        let fru = Fru {
            chassis: chassis.map(|(kind, part_number, serial, custom)| ChassisInfo { kind, part_number, serial, custom }),
            board: board.map(|(minutes, manufacturer, product, serial, part_number, file_id, custom)| {
                let manufactured = minutes.map(|minutes| 820_454_400 + minutes * 60);
                BoardInfo { manufactured, manufacturer, product, serial, part_number, file_id, custom }
            }),
            product: product.map(|(manufacturer, name, part_number, version, serial, asset_tag, file_id, custom)| {
                ProductInfo { manufacturer, name, part_number, version, serial, asset_tag, file_id, custom }
            }),
            damaged: vec![],
        };
        let image = fru.encode();
        prop_assert_eq!(&Fru::decode(&image), &fru);
        // one wrong bit is noticed, wherever it is
        if image.len() > 8 {
            let mut broken = image.clone();
            let last = broken.len() - 2;
            broken[last] ^= 0x04;
            prop_assert!(!Fru::decode(&broken).damaged.is_empty());
            broken[0] ^= 0x10;
            prop_assert_eq!(Fru::decode(&broken).damaged, vec![FruArea::Header]);
            prop_assert!(!Fru::decode(&image[..image.len() - 1]).damaged.is_empty());
        }
    }

    #[test]
    fn log_records(id: u16, timestamp: u32, generator: u16, sensor_type: u8, sensor: u8, deasserted: bool, event_type in 0u8..0x80, data: [u8; 3], kind: u8, oem: [u8; 13]) {
        let event = SelEvent { timestamp, generator, revision: 4, sensor_type, sensor, deasserted, event_type, data };
        let record = SelRecord { id, content: SelContent::Event(event) };
        prop_assert_eq!(SelRecord::decode(&record.encode()).unwrap(), record);
        let content = match kind {
            2 => SelContent::Event(event),
            0xc0..=0xdf => SelContent::OemTimestamped { kind, timestamp, data: [9; 9] },
            _ => SelContent::Oem { kind, data: oem },
        };
        let record = SelRecord { id, content };
        prop_assert_eq!(record.encode().len(), 16);
        prop_assert_eq!(SelRecord::decode(&record.encode()).unwrap(), record);
    }

    #[test]
    fn factors(m in -512i16..512, b in -512i16..512, r_exp in -8i8..8, b_exp in -8i8..8, tolerance in 0u8..64, accuracy in 0u16..1024, accuracy_exp in 0u8..4) {
        let factors = ReadingFactors { m, b, r_exp, b_exp, tolerance, accuracy, accuracy_exp };
        prop_assert_eq!(ReadingFactors::from_bytes(factors.to_bytes()), factors);
    }

    #[test]
    fn sensor_records(number: u8, lun in 0u8..4, masks: [u16; 3], name in "[A-Za-z0-9]{2,16}", m in 1i16..512, raw: u8, values: [u8; 6], share in 0u8..16, by_letter: bool, first in 0u8..0x80) {
        let [.., readable] = masks;
        let id = SensorId { owner: 0x20, lun, number, entity: 7, instance: 1, capabilities: 0x68, sensor_type: 1, event_type: 1, masks, name };
        let full = FullSensor {
            id: id.clone(),
            unit: Unit::DEGREES_C,
            format: DataFormat::TwosComplement,
            linearization: Linearization::Linear,
            factors: ReadingFactors { m, ..ReadingFactors::default() },
            nominal: 20,
            maximum: 127,
            minimum: 128,
            thresholds: RawThresholds { readable: readable.to_le_bytes()[0] & 0x3f, values },
            hysteresis: [2, 2],
        };
        let whole = Sdr::Full(full.clone());
        let octets = whole.encode(7);
        let header = SdrHeader::decode(&octets).unwrap();
        prop_assert_eq!((header.id, usize::from(header.length)), (7, octets.len() - 5));
        prop_assert_eq!(Sdr::decode(&octets).unwrap(), whole);
        prop_assert_eq!(full.value(raw), Some(f64::from(m) * f64::from(i8::from_le_bytes([raw]))));
        prop_assert!(Sdr::decode(&octets[..octets.len() - 1]).is_err());

        let compact = CompactSensor { id, unit: Unit::default(), share, by_letter, first, own_instance: true };
        let numbers: Vec<u8> = compact.sensors().map(|sensor| sensor.number).collect();
        prop_assert_eq!(numbers, (0..share.max(1)).map(|i| number.wrapping_add(i)).collect::<Vec<_>>());
        let compact = Sdr::Compact(compact);
        prop_assert_eq!(Sdr::decode(&compact.encode(8)).unwrap(), compact);
    }

    #[test]
    fn readings(raw: u8, scanning: bool, unavailable: bool, states in 0u16..0x8000, readable in 0u8..64, values: [u8; 6]) {
        let mut data = Vec::new();
        let reading = SensorReading { raw, scanning, unavailable, states };
        reading.encode(&mut data);
        prop_assert_eq!(SensorReading::decode(&data).unwrap(), reading);
        // BMCs leave the states away
        prop_assert_eq!(SensorReading::decode(&data[..2]).unwrap(), SensorReading { states: 0, ..reading });
        data.clear();
        let thresholds = RawThresholds { readable, values };
        thresholds.encode(&mut data);
        prop_assert_eq!(RawThresholds::decode(&data).unwrap(), thresholds);
    }

    #[test]
    fn sol_parameters(parameter: u8, data in prop::collection::vec(any::<u8>(), 2..6)) {
        if let Ok(read) = SolParameter::from_parts(parameter, &data) {
            prop_assert_eq!(read.number(), parameter);
            prop_assert_eq!(SolParameter::from_parts(parameter, &read.data()).unwrap(), read);
        } else {
            prop_assert!(matches!(parameter, 0 | 2), "only states and levels can be wrong");
        }
    }
}

#[test]
fn locators_come_back() {
    let fru = Sdr::Fru(FruLocator { controller: 0x20, device: 0, logical: true, entity: 7, instance: 1, name: "System".into() });
    assert_eq!(Sdr::decode(&fru.encode(1)).unwrap(), fru);
    let controller =
        Sdr::Controller(ControllerLocator { address: 0x20, channel: 0, capabilities: 0xbf, entity: 7, instance: 1, name: "BMC".into() });
    assert_eq!(Sdr::decode(&controller.encode(2)).unwrap(), controller);
    let other = Sdr::Other { kind: 0xc0, body: vec![1, 2, 3] };
    assert_eq!(Sdr::decode(&other.encode(3)).unwrap(), other);
}

fn linear(format: DataFormat, linearization: Linearization, factors: ReadingFactors) -> FullSensor {
    FullSensor {
        id: SensorId::default(),
        unit: Unit::VOLTS,
        format,
        linearization,
        factors,
        nominal: 0,
        maximum: 0,
        minimum: 0,
        thresholds: RawThresholds::default(),
        hysteresis: [0; 2],
    }
}

/// y = L[(M·x + B·10^Bexp)·10^Rexp], spec 36.3.
#[test]
fn the_formula() {
    let factors = ReadingFactors { m: 2, b: -3, b_exp: 1, r_exp: -1, ..ReadingFactors::default() };
    let value = |format, linearization, raw| linear(format, linearization, factors).value(raw);
    assert_eq!(value(DataFormat::Unsigned, Linearization::Linear, 100), Some(17.0));
    assert_eq!(value(DataFormat::Unsigned, Linearization::Square, 100), Some(289.0));
    assert_eq!(value(DataFormat::Unsigned, Linearization::Reciprocal, 115), Some(0.05));
    // no logarithm of nothing, and no infinity shown as a voltage
    assert_eq!(value(DataFormat::Unsigned, Linearization::Ln, 15), None);
    assert_eq!(value(DataFormat::Unsigned, Linearization::Reciprocal, 15), None);
    assert_eq!(value(DataFormat::TwosComplement, Linearization::Linear, 0xff), Some(-3.2));
    assert_eq!(value(DataFormat::OnesComplement, Linearization::Linear, 0xff), Some(-3.0), "minus zero");
    assert_eq!(value(DataFormat::None, Linearization::Linear, 1), None);
}

#[test]
fn how_bad_a_value_is() {
    let at = |states| Severity::of(&SensorReading { raw: 0, scanning: true, unavailable: false, states });
    assert_eq!(at(0), Severity::Ok);
    // reserved bits read as ones
    assert_eq!(at(0xc0), Severity::Ok);
    assert_eq!(at(0x08), Severity::NonCritical);
    assert_eq!(at(0x18), Severity::Critical);
    assert_eq!(at(0x03), Severity::Critical);
    assert_eq!(at(0x3f), Severity::NonRecoverable);
    assert!(Severity::Ok < Severity::NonCritical && Severity::Critical < Severity::NonRecoverable);
}

#[test]
fn events_in_words() {
    let event = |sensor_type, event_type, data, deasserted| {
        let event =
            SelEvent { timestamp: 1_700_000_000, generator: 0x20, revision: 4, sensor_type, sensor: 0x30, deasserted, event_type, data };
        SelRecord { id: 1, content: SelContent::Event(event) }
    };
    let hot = event(0x01, event::THRESHOLD, [0x59, 98, 95], false);
    assert_eq!(hot.to_string(), "Temperature #0x30: Upper Critical going high, asserted");
    assert_eq!(hot.time(), Some(1_700_000_000));
    let SelContent::Event(inside) = hot.content else { panic!() };
    assert_eq!(inside.trigger(), (Some(98), Some(95)));
    let off = event(0x22, event::SENSOR_SPECIFIC, [0x05, 0xff, 0xff], false);
    assert_eq!(off.to_string(), "System ACPI Power State #0x30: S5/G2: soft-off, asserted");
    let gone = event(0x08, event::SENSOR_SPECIFIC, [0x00, 0xff, 0xff], true);
    assert_eq!(gone.to_string(), "Power Supply #0x30: Presence detected, deasserted");
    let own = event(0xc1, 0x70, [0x02, 0, 0], false);
    assert_eq!(own.to_string(), "Sensor type 0xc1 #0x30: event type 0x70, state 2, asserted");
    // seconds since the BMC's start are no date
    let SelRecord { content: SelContent::Event(early), .. } = off else { panic!() };
    let early = SelRecord { id: 2, content: SelContent::Event(SelEvent { timestamp: 300, ..early }) };
    assert_eq!(early.time(), None);
}
