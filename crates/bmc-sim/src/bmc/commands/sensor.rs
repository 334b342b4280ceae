//! Sensors as they are now, and events from outside (network function Sensor/Event).

use ipmi_wire::{
    CompletionCode,
    command::{Command, GetReadingFactors, GetSensorReading, GetSensorThresholds},
    inventory::sel::SelEvent,
    ipmb::{REMOTE_CONSOLE, Request},
};

use super::{Answer, body, encoded};
use crate::bmc::core::Core;

// Commands the wire crate has no type for.
pub(super) const PLATFORM_EVENT: u8 = 0x02;
pub(super) const GET_HYSTERESIS: u8 = 0x25;
pub(super) const GET_EVENT_ENABLE: u8 = 0x29;
pub(super) const GET_EVENT_STATUS: u8 = 0x2b;

/// Events and scanning are on.
const ALL_ON: u8 = 0xc0;

impl Core {
    pub(super) fn sensor(&mut self, node: usize, request: &Request<'_>) -> Answer {
        let node = &mut self.nodes[node];
        let none = CompletionCode::NOT_FOUND;
        let number = *request.data.first().ok_or(CompletionCode::BAD_LENGTH)?;
        let power = node.chassis.power();
        match request.cmd {
            GetSensorReading::CMD => {
                let asked: GetSensorReading = body(request)?;
                Ok(encoded(&node.sensors.reading(asked.sensor, power).ok_or(none)?))
            }
            GetSensorThresholds::CMD => {
                let asked: GetSensorThresholds = body(request)?;
                Ok(encoded(&node.sensors.thresholds(asked.sensor).ok_or(none)?))
            }
            GetReadingFactors::CMD => {
                let asked: GetReadingFactors = body(request)?;
                Ok(encoded(&node.sensors.factors(asked.sensor).ok_or(none)?))
            }
            GET_HYSTERESIS => node.sensors.thresholds(number).map(|_| vec![1, 1]).ok_or(none),
            GET_EVENT_ENABLE | GET_EVENT_STATUS => {
                let reading = node.sensors.reading(number, power).ok_or(none)?;
                let [low, high] = if request.cmd == GET_EVENT_STATUS { reading.states.to_le_bytes() } else { [0xff, 0x0f] };
                Ok(vec![ALL_ON, low, high, low, high])
            }
            PLATFORM_EVENT => {
                let &[revision, sensor_type, sensor, direction, ref data @ ..] = request.data else {
                    return Err(CompletionCode::BAD_LENGTH);
                };
                let octet = |at| data.get(at).copied().unwrap_or(0xff);
                node.events.add(SelEvent {
                    timestamp: 0,
                    generator: REMOTE_CONSOLE.into(),
                    revision,
                    sensor_type,
                    sensor,
                    deasserted: direction & 0x80 != 0,
                    event_type: direction & 0x7f,
                    data: [octet(0), octet(1), octet(2)],
                });
                Ok(Vec::new())
            }
            _ => Err(CompletionCode::INVALID_COMMAND),
        }
    }
}
