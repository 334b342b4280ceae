//! Inventory, event log and sensors, for people.

use std::fmt::Write;

use ipmi_client::{Fru, SelRecord, Sensor, Severity, sensor_type};

pub fn fru(fru: &Fru) -> String {
    let mut shown = String::new();
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            // writing to a string cannot fail
            let _ = writeln!(shown, "{name:<22}: {value}");
        }
    };
    if let Some(chassis) = &fru.chassis {
        line("Chassis Part Number", &chassis.part_number);
        line("Chassis Serial", &chassis.serial);
        chassis.custom.iter().for_each(|text| line("Chassis Extra", text));
    }
    if let Some(board) = &fru.board {
        line("Board Mfg Date", &board.manufactured.map(utc).unwrap_or_default());
        line("Board Mfg", &board.manufacturer);
        line("Board Product", &board.product);
        line("Board Serial", &board.serial);
        line("Board Part Number", &board.part_number);
        board.custom.iter().for_each(|text| line("Board Extra", text));
    }
    if let Some(product) = &fru.product {
        line("Product Manufacturer", &product.manufacturer);
        line("Product Name", &product.name);
        line("Product Part Number", &product.part_number);
        line("Product Version", &product.version);
        line("Product Serial", &product.serial);
        line("Product Asset Tag", &product.asset_tag);
        product.custom.iter().for_each(|text| line("Product Extra", text));
    }
    for area in &fru.damaged {
        line("Damaged", &format!("{area:?}: wrong checksum, or cut short"));
    }
    shown
}

pub fn log(records: &[SelRecord]) -> String {
    let mut shown = String::new();
    for record in records {
        let time = record.time().map_or_else(|| "time not known".to_owned(), |time| utc(time.into()));
        let _ = writeln!(shown, "{:>5} | {time:<20} | {record}", record.id);
    }
    shown
}

pub fn sensors(sensors: &[Sensor]) -> String {
    let mut shown = String::new();
    for sensor in sensors {
        let value = match (sensor.available, sensor.value) {
            (false, _) => "no reading".to_owned(),
            (true, Some(value)) => format!("{} {}", (value * 1000.0).round() / 1000.0, sensor.unit),
            (true, None) => sensor.states.join(", "),
        };
        let severity = match sensor.severity {
            Some(Severity::Ok) => "ok",
            Some(Severity::NonCritical) => "non-critical",
            Some(Severity::Critical) => "critical",
            Some(Severity::NonRecoverable) => "non-recoverable",
            None => "",
        };
        let kind = sensor_type(sensor.sensor_type).unwrap_or("OEM");
        let _ = writeln!(shown, "{:<16} | {kind:<24} | {value:<24} | {severity}", sensor.name);
    }
    shown
}

/// Date and time of day, of seconds since 1970.
fn utc(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // the Gregorian calendar in eras of 400 years that start on the first of March
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}
