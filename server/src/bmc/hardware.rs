//! What a BMC tells of its machine, in the words of the API.

use app::api::{Fru, FruBoard, FruChassis, FruProduct, SelEntry, Sensor, SensorState, Thresholds};
use ipmi_client::{FruArea, Sdr, SelContent, SelRecord, Severity, Unit, sensor_type};

use crate::journal;

pub(super) fn fru(read: ipmi_client::Fru) -> Fru {
    Fru {
        chassis: read.chassis.map(|own| FruChassis {
            kind: enclosure(own.kind),
            part_number: own.part_number,
            serial: own.serial,
            extra: own.custom,
        }),
        board: read.board.map(|own| FruBoard {
            manufactured: own.manufactured.map(|seconds| at(i64::try_from(seconds).unwrap_or_default())),
            manufacturer: own.manufacturer,
            name: own.product,
            serial: own.serial,
            part_number: own.part_number,
            extra: own.custom,
        }),
        product: read.product.map(|own| FruProduct {
            manufacturer: own.manufacturer,
            name: own.name,
            part_number: own.part_number,
            version: own.version,
            serial: own.serial,
            asset_tag: own.asset_tag,
            extra: own.custom,
        }),
        damaged: read.damaged.into_iter().map(|area| area_word(area).into()).collect(),
    }
}

fn area_word(area: FruArea) -> &'static str {
    match area {
        FruArea::Header => "header",
        FruArea::Chassis => "chassis",
        FruArea::Board => "board",
        FruArea::Product => "product",
    }
}

/// SMBIOS 7.4.1, as far as machines of a lab have it.
fn enclosure(kind: u8) -> String {
    match kind {
        0x03 => "Desktop".into(),
        0x07 => "Tower".into(),
        0x11 => "Main server chassis".into(),
        0x17 => "Rack mount chassis".into(),
        0x19 => "Multi-system chassis".into(),
        0x1c => "Blade".into(),
        0x1d => "Blade enclosure".into(),
        0x01 | 0x02 => String::new(),
        other => format!("SMBIOS type {other:#04x}"),
    }
}

pub(super) fn sensor(read: ipmi_client::Sensor) -> Sensor {
    let [lower_warning, lower_critical, lower_fatal, upper_warning, upper_critical, upper_fatal] = read.thresholds;
    let state = match read.severity {
        _ if !read.available => SensorState::Unavailable,
        None | Some(Severity::Ok) => SensorState::Ok,
        Some(Severity::NonCritical) => SensorState::Warning,
        Some(Severity::Critical) => SensorState::Critical,
        Some(Severity::NonRecoverable) => SensorState::Fatal,
    };
    // numbers that JSON cannot carry come from a formula that is wrong
    let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
    Sensor {
        number: read.number,
        name: read.name,
        kind: sensor_type(read.sensor_type).map_or_else(|| format!("type {:#04x}", read.sensor_type), Into::into),
        reading: finite(read.value),
        unit: unit(read.unit),
        state,
        conditions: read.states.into_iter().map(Into::into).collect(),
        thresholds: Thresholds {
            lower_fatal: finite(lower_fatal),
            lower_critical: finite(lower_critical),
            lower_warning: finite(lower_warning),
            upper_warning: finite(upper_warning),
            upper_critical: finite(upper_critical),
            upper_fatal: finite(upper_fatal),
        },
    }
}

/// Short where there is a sign for it.
fn unit(unit: Unit) -> String {
    let name = unit.to_string();
    match name.as_str() {
        "degrees C" => "°C".into(),
        "degrees F" => "°F".into(),
        "degrees K" => "K".into(),
        "Volts" => "V".into(),
        "Amps" => "A".into(),
        "Watts" => "W".into(),
        "percent" => "%".into(),
        _ => name,
    }
}

/// The log, newest first. Sensors are named as their records name them, as far as those are known.
pub(super) fn log(read: Vec<SelRecord>, records: &[Sdr]) -> Vec<SelEntry> {
    read.into_iter().rev().map(|record| entry(&record, records)).collect()
}

fn entry(record: &SelRecord, records: &[Sdr]) -> SelEntry {
    let time = record.time().map(|seconds| at(seconds.into()));
    let (sensor, event, asserted) = match &record.content {
        SelContent::Event(event) => {
            let kind = sensor_type(event.sensor_type).map_or_else(|| format!("Type {:#04x}", event.sensor_type), Into::into);
            let sensor = named(records, event.sensor_type, event.sensor).unwrap_or_else(|| format!("{kind} {:#04x}", event.sensor));
            let what = event.what().map_or_else(|| format!("event type {:#04x}, state {}", event.event_type, event.offset()), Into::into);
            (sensor, what, !event.deasserted)
        }
        SelContent::OemTimestamped { kind, data, .. } => (format!("Vendor's record {kind:#04x}"), hex(data), true),
        SelContent::Oem { kind, data } => (format!("Vendor's record {kind:#04x}"), hex(data), true),
    };
    SelEntry { id: record.id, time, sensor, event, asserted }
}

fn named(records: &[Sdr], kind: u8, number: u8) -> Option<String> {
    records.iter().find_map(|record| match record {
        Sdr::Full(full) if (full.id.sensor_type, full.id.number) == (kind, number) => Some(full.id.name.clone()),
        Sdr::Compact(compact) => compact.sensors().find(|id| (id.sensor_type, id.number) == (kind, number)).map(|id| id.name),
        _ => None,
    })
}

fn hex(data: &[u8]) -> String {
    data.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

fn at(seconds: i64) -> app::api::Instant {
    journal::instant(seconds.saturating_mul(1_000_000))
}

#[cfg(test)]
mod tests {
    use ipmi_client::SelEvent;

    use super::*;

    #[test]
    fn a_log_is_told_newest_first_in_words() {
        let event = SelEvent {
            timestamp: 1_700_000_000,
            generator: 0x20,
            revision: 4,
            sensor_type: 0x01,
            sensor: 0x30,
            deasserted: false,
            event_type: 0x01,
            data: [0x09, 0, 0],
        };
        let unset = SelEvent { timestamp: 5, deasserted: true, ..event };
        let records = [SelContent::Event(event), SelContent::Event(unset), SelContent::Oem { kind: 0xe0, data: [0xab; 13] }];
        let records = records.into_iter().zip(1..).map(|(content, id)| SelRecord { id, content }).collect();
        let told = log(records, &[]);
        assert_eq!(told.iter().map(|entry| entry.id).collect::<Vec<_>>(), [3, 2, 1]);
        assert_eq!((told[0].sensor.as_str(), &told[0].event[..5], told[0].time.is_none()), ("Vendor's record 0xe0", "ab ab", true));
        assert_eq!((told[1].asserted, told[1].time.is_none()), (false, true), "a clock that nobody set tells no time");
        assert_eq!(told[2].sensor, "Temperature 0x30");
        assert_eq!(told[2].time.as_ref().unwrap().0, "2023-11-14T22:13:20.000000Z");
        assert!(told[2].event.to_lowercase().contains("critical"), "{}", told[2].event);
    }

    #[test]
    fn readings_keep_their_units_and_lose_what_json_cannot_carry() {
        let read = ipmi_client::Sensor {
            name: "Inlet".into(),
            number: 1,
            sensor_type: 1,
            entity: 0,
            instance: 0,
            available: true,
            value: Some(22.0),
            unit: Unit::DEGREES_C,
            thresholds: [Some(5.0), None, None, Some(38.0), Some(f64::NAN), None],
            severity: Some(Severity::Critical),
            states: vec![],
        };
        let told = sensor(read.clone());
        assert_eq!(
            (told.reading, told.unit.as_str(), told.kind.as_str(), told.state),
            (Some(22.0), "°C", "Temperature", SensorState::Critical)
        );
        assert_eq!(
            (told.thresholds.lower_warning, told.thresholds.upper_warning, told.thresholds.upper_critical),
            (Some(5.0), Some(38.0), None)
        );
        let silent = ipmi_client::Sensor { available: false, value: None, ..read };
        assert_eq!(sensor(silent).state, SensorState::Unavailable);
    }
}
