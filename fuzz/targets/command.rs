//! The data of every request and response.

#![no_main]

use std::fmt::Debug;

use fuzz::metered;
use ipmi_wire::command::*;
use libfuzzer_sys::fuzz_target;

/// What was understood can be written, and is understood the same way again.
fn check<B: Body + Debug + PartialEq>(data: &[u8]) {
    let Ok(body) = metered(data.len(), 4, || B::decode(data)) else { return };
    let mut encoded = Vec::new();
    body.encode(&mut encoded);
    assert_eq!(B::decode(&encoded).as_ref(), Ok(&body), "from {data:02x?} by way of {encoded:02x?}");
}

fuzz_target!(|data: &[u8]| {
    check::<GetChannelAuthCapabilities>(data);
    check::<ChannelAuthCapabilities>(data);
    check::<GetChannelCipherSuites>(data);
    check::<CipherSuiteRecords>(data);
    check::<SetSessionPrivilege>(data);
    check::<SessionPrivilege>(data);
    check::<CloseSession>(data);
    check::<GetDeviceId>(data);
    check::<DeviceId>(data);
    check::<GetSystemGuid>(data);
    check::<SystemGuid>(data);
    check::<GetChassisStatus>(data);
    check::<ChassisStatus>(data);
    check::<ChassisControl>(data);
    check::<ChassisIdentify>(data);
    check::<SetBootOption>(data);
    check::<GetBootOption>(data);
    check::<GetBootOptionResponse>(data);
    check::<ActivatePayload>(data);
    check::<ActivatePayloadResponse>(data);
    check::<DeactivatePayload>(data);
    check::<GetPayloadActivationStatus>(data);
    check::<PayloadActivationStatus>(data);
    check::<GetPayloadInstanceInfo>(data);
    check::<PayloadInstanceInfo>(data);
    check::<GetFruAreaInfo>(data);
    check::<FruAreaInfo>(data);
    check::<ReadFru>(data);
    check::<FruPiece>(data);
    check::<SelInfo>(data);
    check::<Reservation>(data);
    check::<GetSelEntry>(data);
    check::<RecordPiece>(data);
    check::<ClearSel>(data);
    check::<Erasure>(data);
    check::<SelTime>(data);
    check::<SdrInfo>(data);
    check::<GetSdr>(data);
    check::<GetDeviceSdr>(data);
    check::<GetSensorReading>(data);
    check::<SensorReading>(data);
    check::<GetSensorThresholds>(data);
    check::<RawThresholds>(data);
    check::<GetReadingFactors>(data);
    check::<ReadingFactors>(data);
    check::<SetSolConfig>(data);
    check::<GetSolConfig>(data);
    check::<SolConfigData>(data);

    let suites: Vec<SuiteRecord> = metered(data.len(), 16, || parse_suite_records(data).collect());
    assert!(suites.len() <= data.len());
});
