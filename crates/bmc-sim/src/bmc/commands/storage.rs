//! FRU inventory, event log and sensor data records (network function Storage).

use ipmi_wire::{
    CompletionCode,
    command::{
        ClearSel, Command, Erasure, FruAreaInfo, FruPiece, GetFruAreaInfo, GetSdr, GetSdrInfo, GetSelEntry, GetSelInfo, GetSelTime,
        ReadFru, RecordPiece, Reservation, ReserveSdr, ReserveSel, SdrInfo, SelInfo, SelTime,
    },
    inventory::{
        sdr::{ControllerLocator, FruLocator, Sdr},
        sel::SelRecord,
    },
    ipmb::{BMC_ADDRESS, Request},
};

use super::{Answer, app::ADDITIONAL_SUPPORT, body, encoded};
use crate::bmc::{core::Core, node::Node};

// Commands the wire crate has no type for.
pub(super) const ADD_SEL_ENTRY: u8 = 0x44;
pub(super) const SET_SEL_TIME: u8 = 0x49;

/// Version 1.5 of log and repository, in BCD, which IPMI 2.0 kept.
const VERSION: u8 = 0x51;
/// Non-modal updates, and reservations.
const REPOSITORY_SUPPORT: u8 = 0x22;
const LOG_SUPPORT: u8 = 0x02;
const OVERFLOW: u8 = 0x80;
/// Octets of a record or inventory in one answer: a BMC's buffers are small, and clients have to live with that.
const LARGEST_PIECE: usize = 48;
const CANNOT_RETURN_SO_MANY: CompletionCode = CompletionCode(0xca);
/// "All of it".
const WHOLE: u8 = 0xff;
/// 2020-01-01: the repository of sensor records is made once and never changes.
const MADE: u32 = 1_577_836_800;
/// Locators of the controller and of its inventory come before the sensors.
const LOCATORS: usize = 2;

impl Core {
    pub(super) fn storage(&mut self, node: usize, request: &Request<'_>) -> Answer {
        let node = &mut self.nodes[node];
        match request.cmd {
            GetFruAreaInfo::CMD => {
                let asked: GetFruAreaInfo = body(request)?;
                let image = node.fru(asked.device)?;
                Ok(encoded(&FruAreaInfo { size: u16::try_from(image.len()).unwrap_or(u16::MAX), by_words: false }))
            }
            ReadFru::CMD => {
                let asked: ReadFru = body(request)?;
                let piece = piece(node.fru(asked.device)?, asked.offset.into(), asked.count.into())?;
                Ok(encoded(&FruPiece { count: u8::try_from(piece.len()).unwrap_or(u8::MAX), data: piece.to_vec() }))
            }
            GetSdrInfo::CMD => {
                let records = u16::try_from(LOCATORS + node.sensors.len()).unwrap_or(u16::MAX);
                let support = REPOSITORY_SUPPORT;
                Ok(encoded(&SdrInfo { version: VERSION, records, free: 0, last_added: MADE, last_erased: MADE, support }))
            }
            ReserveSdr::CMD => {
                node.sdr_reservation = node.sdr_reservation.checked_add(1).unwrap_or(1);
                Ok(encoded(&Reservation(node.sdr_reservation)))
            }
            GetSdr::CMD => node.sensor_record(&body(request)?),
            _ => node.log(request),
        }
    }
}

impl Node {
    fn fru(&self, device: u8) -> Result<&[u8], CompletionCode> {
        if device == 0 { Ok(&self.fru) } else { Err(CompletionCode::NOT_FOUND) }
    }

    fn sensor_record(&self, asked: &GetSdr) -> Answer {
        if asked.offset > 0 && (asked.reservation == 0 || asked.reservation != self.sdr_reservation) {
            return Err(Reservation::LOST);
        }
        let records = LOCATORS + self.sensors.len();
        // numbers count from 1; 0 is the first, 0xffff the last
        let at = match asked.record {
            0 => 0,
            0xffff => records - 1,
            id => usize::from(id) - 1,
        };
        let record = match at {
            0 => Sdr::Controller(ControllerLocator {
                address: BMC_ADDRESS,
                channel: 0,
                capabilities: ADDITIONAL_SUPPORT,
                entity: 0x06,
                instance: 1,
                name: "BMC".to_owned(),
            }),
            1 => Sdr::Fru(FruLocator {
                controller: BMC_ADDRESS,
                device: 0,
                logical: true,
                entity: 0x07,
                instance: 1,
                name: "System".to_owned(),
            }),
            at => self.sensors.record(at - LOCATORS).ok_or(CompletionCode::NOT_FOUND)?,
        };
        let id = u16::try_from(at + 1).unwrap_or(u16::MAX);
        let octets = record.encode(id);
        let count = if asked.count == WHOLE { octets.len().saturating_sub(asked.offset.into()) } else { asked.count.into() };
        let data = piece(&octets, asked.offset.into(), count)?.to_vec();
        Ok(encoded(&RecordPiece { next: if at + 1 == records { 0xffff } else { id + 1 }, data }))
    }

    fn log(&mut self, request: &Request<'_>) -> Answer {
        // a chassis that does not tell of its power is asked now
        self.events.power_is(self.chassis.power());
        match request.cmd {
            GetSelInfo::CMD => {
                let info = self.events.info();
                let support = LOG_SUPPORT | if info.overflow { OVERFLOW } else { 0 };
                let (entries, free) = (info.entries, info.free);
                Ok(encoded(&SelInfo { version: VERSION, entries, free, last_added: info.added, last_erased: info.erased, support }))
            }
            ReserveSel::CMD => Ok(encoded(&Reservation(self.events.reserve()))),
            GetSelEntry::CMD => {
                let asked: GetSelEntry = body(request)?;
                if asked.offset > 0 && !self.events.holds(asked.reservation) {
                    return Err(Reservation::LOST);
                }
                let (record, next) = self.events.record(asked.record).ok_or(CompletionCode::NOT_FOUND)?;
                let octets = record.encode();
                let count = if asked.count == WHOLE { octets.len().saturating_sub(asked.offset.into()) } else { asked.count.into() };
                Ok(encoded(&RecordPiece { next, data: piece(&octets, asked.offset.into(), count)?.to_vec() }))
            }
            ADD_SEL_ENTRY => {
                let record = SelRecord::decode(request.data).map_err(|_| CompletionCode::BAD_LENGTH)?;
                let id = self.events.add_record(record.content).ok_or(CompletionCode::OUT_OF_SPACE)?;
                Ok(id.to_le_bytes().to_vec())
            }
            ClearSel::CMD => {
                let asked: ClearSel = body(request)?;
                if asked.initiate {
                    if !self.events.holds(asked.reservation) {
                        return Err(Reservation::LOST);
                    }
                    self.events.clear();
                }
                Ok(encoded(&Erasure { complete: true }))
            }
            GetSelTime::CMD => Ok(encoded(&SelTime(self.events.clock()))),
            SET_SEL_TIME => {
                let &[a, b, c, d, ..] = request.data else { return Err(CompletionCode::BAD_LENGTH) };
                self.events.set_clock(u32::from_le_bytes([a, b, c, d]));
                Ok(Vec::new())
            }
            _ => Err(CompletionCode::INVALID_COMMAND),
        }
    }
}

/// Part of a record or inventory.
fn piece(whole: &[u8], offset: usize, count: usize) -> Result<&[u8], CompletionCode> {
    if count > LARGEST_PIECE {
        return Err(CANNOT_RETURN_SO_MANY);
    }
    let rest = whole.get(offset..).ok_or(CompletionCode::OUT_OF_RANGE)?;
    Ok(rest.get(..count).unwrap_or(rest))
}
