//! What a BMC stores about its machine: FRU images, event log records, sensor records.

#![no_main]

use fuzz::metered;
use ipmi_wire::inventory::{fru::Fru, sdr::Sdr, sel::SelRecord, unit::Unit};
use libfuzzer_sys::fuzz_target;

/// Sets the last of `area` so that all add up to 0.
fn set_checksum(area: &mut [u8]) {
    if let Some((last, rest)) = area.split_last_mut() {
        *last = rest.iter().fold(0u8, |sum, octet| sum.wrapping_sub(*octet));
    }
}

/// Random octets hardly ever have right checksums: the same image with those of its header and areas set right.
fn with_checksums(image: &[u8]) -> Option<Vec<u8>> {
    let mut image = image.to_vec();
    let header: [u8; 8] = *image.first_chunk()?;
    for start in header[2..5].iter().map(|units| usize::from(*units) * 8) {
        let len = image.get(start + 1).map_or(0, |units| usize::from(*units) * 8);
        if start > 0
            && let Some(area) = image.get_mut(start..start + len)
        {
            set_checksum(area);
        }
    }
    set_checksum(image.first_chunk_mut::<8>()?);
    Some(image)
}

fn fru(image: &[u8]) {
    // a field of one octet is a String in a Vec that grew, and three areas may lie over each other
    let fru = metered(image.len(), 400, || Fru::decode(image));
    let _ = Fru::decode(&fru.encode());
}

fuzz_target!(|data: &[u8]| {
    fru(data);
    with_checksums(data).iter().for_each(|image| fru(image));
    if let Ok(record) = metered(data.len(), 4, || SelRecord::decode(data)) {
        let _ = (record.to_string(), record.time());
        let encoded = record.encode();
        assert_eq!(SelRecord::decode(&encoded).map(|again| again.encode()), Ok(encoded));
    }
    if let Ok(record) = metered(data.len(), 16, || Sdr::decode(data)) {
        let encoded = record.encode(1);
        let _ = Sdr::decode(&encoded);
        match record {
            Sdr::Full(full) => {
                for raw in 0..=u8::MAX {
                    assert!(full.value(raw).is_none_or(f64::is_finite));
                }
                let _ = full.unit.to_string();
            }
            Sdr::Compact(compact) => assert!(compact.sensors().count() <= 16),
            _ => {}
        }
    }
    if let Some(unit) = data.first_chunk::<3>() {
        let _ = Unit::from_bytes(*unit).to_string();
    }
});
