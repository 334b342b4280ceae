//! What a BMC knows about its machine: inventory, event log, sensors.

use std::time::Duration;

use ipmi_wire::CompletionCode;
use ipmi_wire::bridge::Route;
use ipmi_wire::command::{
    ChassisIdentify, ClearSel, Command, FIRST_RECORD, GetDeviceSdr, GetFruAreaInfo, GetReadingFactors, GetSdr, GetSelEntry, GetSelInfo,
    GetSelTime, GetSensorReading, GetSensorThresholds, GetSystemGuid, LAST_RECORD, RawThresholds, ReadFru, RecordPiece, Reservation,
    ReserveDeviceSdr, ReserveSdr, ReserveSel, SelInfo, SelTime, SensorReading, SystemGuid,
};
use ipmi_wire::inventory::fru::Fru;
use ipmi_wire::inventory::sdr::{FullSensor, HEADER, Linearization, Sdr, SdrHeader, SensorId, Severity};
use ipmi_wire::inventory::sel::SelRecord;
use ipmi_wire::inventory::unit::Unit;
use ipmi_wire::ipmb::BMC_ADDRESS;

use crate::client::Client;
use crate::error::{Error, ErrorKind, Stage};

/// Octets asked for at a time: as many as fit, or what any BMC can put into one message.
const PIECES: [u8; 4] = [0xff, 32, 16, 8];
/// The largest record there is: header and 255 octets.
const LARGEST_RECORD: usize = HEADER + 255;
/// How often reading starts over because somebody else changes what is read.
const RESTARTS: u32 = 8;
/// Bit of [`ipmi_wire::command::DeviceId::additional_support`]: there is a repository of sensor data records.
const HAS_REPOSITORY: u8 = 0x02;

/// A sensor as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Sensor {
    pub name: String,
    pub number: u8,
    /// See [`ipmi_wire::inventory::sensor_type`].
    pub sensor_type: u8,
    /// See [`ipmi_wire::inventory::entity`].
    pub entity: u8,
    pub instance: u8,
    /// There is a reading now. Without power most sensors have none.
    pub available: bool,
    /// The value, for sensors that have one.
    pub value: Option<f64>,
    pub unit: Unit,
    /// Lower non-critical, critical, non-recoverable, upper non-critical, critical, non-recoverable.
    pub thresholds: [Option<f64>; 6],
    /// The value against its thresholds, as the BMC judges it.
    pub severity: Option<Severity>,
    /// What a sensor without thresholds says.
    pub states: Vec<&'static str>,
}

impl Client {
    /// # Errors
    /// See [`Self::device_id`].
    pub async fn system_guid(&self) -> Result<SystemGuid, Error> {
        self.command(Route::Direct, &GetSystemGuid).await
    }

    /// Lights the locator light for so long; zero puts it out, `None` leaves it on until told otherwise.
    ///
    /// # Errors
    /// See [`Self::device_id`].
    pub async fn identify_via(&self, route: Route, time: Option<Duration>) -> Result<(), Error> {
        let seconds = time.map_or(u8::MAX, |time| u8::try_from(time.as_secs()).unwrap_or(u8::MAX));
        self.command(route, &ChassisIdentify { seconds, forever: time.is_none() }).await
    }

    /// The machine's inventory: FRU device 0.
    ///
    /// # Errors
    /// See [`Self::device_id`]. An inventory with wrong checksums is none: see [`Fru::damaged`].
    pub async fn fru(&self) -> Result<Fru, Error> {
        self.fru_via(Route::Direct, 0).await
    }

    /// Any inventory of any controller.
    ///
    /// # Errors
    /// See [`Self::fru`].
    pub async fn fru_via(&self, route: Route, device: u8) -> Result<Fru, Error> {
        let info = self.command(route, &GetFruAreaInfo { device }).await?;
        let unit = if info.by_words { 2 } else { 1 };
        let size = usize::from(info.size);
        let mut image = Vec::new();
        // asking for more than there is left is refused by some, and 255 octets do not fit into a message with a header
        let mut sizes = PIECES.into_iter().skip(1);
        let mut piece = sizes.next().unwrap_or(8);
        let mut busy = 0;
        while image.len() < size {
            let count = u8::try_from(size - image.len()).unwrap_or(u8::MAX).min(piece).div_ceil(unit);
            let offset = u16::try_from(image.len() / usize::from(unit)).unwrap_or(u16::MAX);
            match self.command(route, &ReadFru { device, offset, count }).await {
                Ok(read) if read.data.is_empty() => break,
                Ok(read) => image.extend(read.data.into_iter().take(usize::from(count) * usize::from(unit))),
                Err(Error { kind: ErrorKind::Completion { code: ReadFru::BUSY, .. }, .. }) if busy < RESTARTS => {
                    busy += 1;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(error) if too_much(&error) => piece = sizes.next().ok_or(error)?,
                Err(error) => return Err(error),
            }
        }
        Ok(Fru::decode(&image))
    }

    /// # Errors
    /// See [`Self::device_id`].
    pub async fn sel_info_via(&self, route: Route) -> Result<SelInfo, Error> {
        self.command(route, &GetSelInfo).await
    }

    /// The BMC's clock, seconds since 1970: what the times in its log are to be compared with.
    ///
    /// # Errors
    /// See [`Self::device_id`].
    pub async fn sel_time_via(&self, route: Route) -> Result<SelTime, Error> {
        self.command(route, &GetSelTime).await
    }

    /// The event log, oldest first.
    ///
    /// # Errors
    /// See [`Self::device_id`].
    pub async fn sel(&self) -> Result<Vec<SelRecord>, Error> {
        self.sel_via(Route::Direct).await
    }

    /// The event log of any controller, oldest first.
    ///
    /// # Errors
    /// See [`Self::device_id`].
    pub async fn sel_via(&self, route: Route) -> Result<Vec<SelRecord>, Error> {
        self.sel_from(route, FIRST_RECORD).await
    }

    /// The event log from one record on, for those who have read it up to there.
    ///
    /// # Errors
    /// See [`Self::device_id`]; 0xCB when that record is gone.
    pub async fn sel_from(&self, route: Route, record: u16) -> Result<Vec<SelRecord>, Error> {
        let entries = self.sel_info_via(route).await?.entries;
        let mut records = Vec::new();
        let mut wanted = record;
        // a log that grows while it is read must not keep us for ever, nor one whose records lead in a circle
        while records.len() < usize::from(entries).saturating_add(64) {
            let piece = match self.command(route, &GetSelEntry::whole(wanted)).await {
                Ok(piece) => piece,
                // empty; some say so in this way only
                Err(error) if wanted == FIRST_RECORD && entries == 0 && has_code(&error, CompletionCode::NOT_FOUND) => break,
                Err(error) => return Err(error),
            };
            records.push(SelRecord::decode(&piece.data).map_err(|error| self.garbage(GetSelEntry::NAME, error))?);
            if piece.next == LAST_RECORD || piece.next == wanted {
                break;
            }
            wanted = piece.next;
        }
        Ok(records)
    }

    /// Erases the event log and waits until that is done.
    ///
    /// # Errors
    /// See [`Self::device_id`].
    pub async fn clear_sel_via(&self, route: Route) -> Result<(), Error> {
        let Reservation(reservation) = self.command(route, &ReserveSel).await?;
        let mut initiate = true;
        for _ in 0..40 {
            if self.command(route, &ClearSel { reservation, initiate }).await?.complete {
                return Ok(());
            }
            initiate = false;
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        Err(self.error(ErrorKind::Completion {
            command: ClearSel::NAME,
            code: CompletionCode::TIMEOUT,
            text: "the BMC is still erasing after 10 s".to_owned(),
        }))
    }

    /// Every sensor data record of a controller. They change rarely: keep them for [`Self::read_sensors`].
    ///
    /// # Errors
    /// See [`Self::device_id`].
    pub async fn sensor_records(&self, route: Route) -> Result<Vec<Sdr>, Error> {
        use ipmi_wire::command::GetDeviceId;
        // a controller without a repository may still describe its own sensors
        let in_repository = self.command(route, &GetDeviceId).await?.additional_support & HAS_REPOSITORY != 0;
        let mut source = Source { client: self, route, in_repository, reservation: 0, piece: 0 };
        source.reserve().await?;
        let mut records = Vec::new();
        let mut wanted = FIRST_RECORD;
        // as many as there are record numbers
        for _ in 0..u16::MAX {
            let RecordPiece { next, data } = match source.record(wanted).await {
                Err(error) if wanted == FIRST_RECORD && has_code(&error, CompletionCode::NOT_FOUND) => break,
                other => other?,
            };
            match Sdr::decode(&data) {
                Ok(record) => records.push(record),
                // one bad record must not hide the others
                Err(error) => tracing::debug!(bmc = %self.target().addr, record = wanted, %error, "unreadable sensor data record"),
            }
            if next == LAST_RECORD || next == wanted {
                break;
            }
            wanted = next;
        }
        Ok(records)
    }

    /// The sensors of these records as they are now.
    ///
    /// # Errors
    /// See [`Self::device_id`]. A sensor that cannot be read is there without a reading.
    pub async fn read_sensors(&self, route: Route, records: &[Sdr]) -> Result<Vec<Sensor>, Error> {
        let mut sensors = Vec::new();
        for record in records {
            match record {
                Sdr::Full(full) => sensors.push(self.read_full(route, full).await?),
                Sdr::Compact(compact) => {
                    for id in compact.sensors() {
                        let reading = self.reading(route, &id).await?;
                        sensors.push(Sensor { unit: compact.unit, ..described(&id, reading.as_ref()) });
                    }
                }
                Sdr::Fru(_) | Sdr::Controller(_) | Sdr::Other { .. } => {}
            }
        }
        Ok(sensors)
    }

    /// All sensors: their records, then their readings.
    ///
    /// # Errors
    /// See [`Self::read_sensors`].
    pub async fn sensors(&self) -> Result<Vec<Sensor>, Error> {
        self.sensors_via(Route::Direct).await
    }

    /// All sensors of any controller.
    ///
    /// # Errors
    /// See [`Self::read_sensors`].
    pub async fn sensors_via(&self, route: Route) -> Result<Vec<Sensor>, Error> {
        let records = self.sensor_records(route).await?;
        self.read_sensors(route, &records).await
    }

    async fn read_full(&self, route: Route, full: &FullSensor) -> Result<Sensor, Error> {
        let id = &full.id;
        let thresholds = async {
            if !id.thresholds_readable() || !is_owned(route, id) {
                return Ok(None);
            }
            self.optional(self.command_at(route, id.lun, &GetSensorThresholds { sensor: id.number }).await)
        };
        let (reading, thresholds) = tokio::join!(self.reading(route, id), thresholds);
        let (reading, thresholds): (Option<SensorReading>, Option<RawThresholds>) = (reading?, thresholds?);
        let mut sensor = described(id, reading.as_ref());
        sensor.unit = full.unit;
        sensor.thresholds = full.threshold_values(&thresholds.unwrap_or(full.thresholds));
        if let Some(reading) = reading.filter(|_| sensor.available) {
            sensor.value = match full.linearization {
                Linearization::NonLinear(_) => {
                    let question = GetReadingFactors { sensor: id.number, raw: reading.raw };
                    let factors = self.optional(self.command_at(route, id.lun, &question).await)?;
                    factors.and_then(|factors| full.value_with(&factors, reading.raw))
                }
                _ => full.value(reading.raw),
            };
        }
        Ok(sensor)
    }

    async fn reading(&self, route: Route, id: &SensorId) -> Result<Option<SensorReading>, Error> {
        if !is_owned(route, id) {
            return Ok(None);
        }
        self.optional(self.command_at(route, id.lun, &GetSensorReading { sensor: id.number }).await)
    }

    /// A sensor's own trouble is not the BMC's.
    fn optional<T>(&self, answer: Result<T, Error>) -> Result<Option<T>, Error> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(Error { kind: ErrorKind::Completion { .. } | ErrorKind::Garbage { .. }, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn garbage(&self, command: &'static str, error: ipmi_wire::DecodeError) -> Error {
        self.error(ErrorKind::Garbage { stage: Stage::Command(command), error })
    }
}

/// Sensors of other controllers answer there, not here.
fn is_owned(route: Route, id: &SensorId) -> bool {
    let own = match route {
        Route::Direct => BMC_ADDRESS,
        Route::Single(target) | Route::Double { target, .. } => target.address,
    };
    id.owner == BMC_ADDRESS || id.owner == own
}

fn described(id: &SensorId, reading: Option<&SensorReading>) -> Sensor {
    let reading = reading.filter(|reading| reading.scanning && !reading.unavailable);
    Sensor {
        name: id.name.clone(),
        number: id.number,
        sensor_type: id.sensor_type,
        entity: id.entity,
        instance: id.instance & 0x7f,
        available: reading.is_some(),
        value: None,
        unit: Unit::default(),
        thresholds: [None; 6],
        severity: reading.filter(|_| id.has_thresholds()).map(Severity::of),
        states: reading.map(|reading| id.states(reading)).unwrap_or_default(),
    }
}

fn has_code(error: &Error, wanted: CompletionCode) -> bool {
    matches!(&error.kind, ErrorKind::Completion { code, .. } if *code == wanted)
}

/// The BMC cannot put so much into one message. What they say then differs.
fn too_much(error: &Error) -> bool {
    matches!(&error.kind, ErrorKind::Completion { code: CompletionCode(0xc7 | 0xc8 | 0xc9 | 0xca | 0xff), .. })
}

/// Where records come from, and how many octets at a time.
struct Source<'a> {
    client: &'a Client,
    route: Route,
    in_repository: bool,
    reservation: u16,
    /// Index into [`PIECES`].
    piece: usize,
}

impl Source<'_> {
    async fn reserve(&mut self) -> Result<(), Error> {
        let reserved = if self.in_repository {
            self.client.command(self.route, &ReserveSdr).await
        } else {
            self.client.command(self.route, &ReserveDeviceSdr).await
        };
        self.reservation = match reserved {
            Ok(Reservation(number)) => number,
            // optional where whole records can be read
            Err(error) if has_code(&error, CompletionCode::INVALID_COMMAND) => 0,
            Err(error) => return Err(error),
        };
        Ok(())
    }

    async fn part(&self, record: u16, offset: u8, count: u8) -> Result<RecordPiece, Error> {
        let wanted = GetSdr { reservation: self.reservation, record, offset, count };
        if self.in_repository {
            self.client.command(self.route, &wanted).await
        } else {
            self.client.command(self.route, &GetDeviceSdr(wanted)).await
        }
    }

    /// A whole record.
    async fn record(&mut self, record: u16) -> Result<RecordPiece, Error> {
        let mut restarts = 0;
        'again: loop {
            let mut whole: Vec<u8> = Vec::new();
            let mut total = None;
            loop {
                let left = total.map_or(LARGEST_RECORD, |total: usize| total.saturating_sub(whole.len()));
                let most = PIECES.get(self.piece).copied().unwrap_or(8);
                // of the first part only the header's length is sure
                let count = match total {
                    None if most < u8::MAX => u8::try_from(HEADER).unwrap_or(most),
                    _ => u8::try_from(left).unwrap_or(u8::MAX).min(most),
                };
                let offset = u8::try_from(whole.len()).unwrap_or(u8::MAX);
                match self.part(record, offset, count).await {
                    Ok(part) => {
                        let nothing = part.data.is_empty();
                        whole.extend(part.data.into_iter().take(left));
                        if total.is_none() && whole.len() >= HEADER {
                            let header = SdrHeader::decode(&whole).map_err(|error| self.client.garbage(GetSdr::NAME, error))?;
                            total = Some(HEADER + usize::from(header.length));
                        }
                        if nothing || total.is_some_and(|total| whole.len() >= total) {
                            return Ok(RecordPiece { next: part.next, data: whole });
                        }
                    }
                    Err(error) if has_code(&error, Reservation::LOST) && restarts < RESTARTS => {
                        restarts += 1;
                        self.reserve().await?;
                        continue 'again;
                    }
                    Err(error) if too_much(&error) && self.piece + 1 < PIECES.len() => self.piece += 1,
                    Err(error) => return Err(error),
                }
            }
        }
    }
}
