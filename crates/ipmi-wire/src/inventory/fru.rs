//! FRU inventory: maker, model and serial number of a machine (platform management FRU information storage definition).

use super::text::{self, First};
use crate::wire::{Reader, checksum};

/// End of the fields of an area.
const END: u8 = 0xc1;
/// Offsets and lengths count in these.
const UNIT: usize = 8;
/// 1996-01-01 00:00 in seconds since 1970: where manufacturing dates start.
const DATES_SINCE: u64 = 820_454_400;

/// What a FRU inventory says. Areas that are not there are `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fru {
    pub chassis: Option<ChassisInfo>,
    pub board: Option<BoardInfo>,
    pub product: Option<ProductInfo>,
    /// Parts whose checksum was wrong or that ended too early; what could be read of them is there nevertheless.
    pub damaged: Vec<FruArea>,
}

/// A part of an inventory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FruArea {
    Header,
    Chassis,
    Board,
    Product,
}

/// The box.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChassisInfo {
    /// SMBIOS enclosure type; 0x17 is a rack mount chassis.
    pub kind: u8,
    pub part_number: String,
    pub serial: String,
    pub custom: Vec<String>,
}

/// The main board.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BoardInfo {
    /// Seconds since 1970; exact to the minute.
    pub manufactured: Option<u64>,
    pub manufacturer: String,
    pub product: String,
    pub serial: String,
    pub part_number: String,
    pub file_id: String,
    pub custom: Vec<String>,
}

/// The machine as it was sold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProductInfo {
    pub manufacturer: String,
    pub name: String,
    pub part_number: String,
    pub version: String,
    pub serial: String,
    pub asset_tag: String,
    pub file_id: String,
    pub custom: Vec<String>,
}

/// An area under the reader: its octets, and whether anything was wrong with it.
struct Area<'a> {
    reader: Reader<'a>,
    damaged: bool,
}

impl<'a> Area<'a> {
    /// The area at an offset of the common header; `None` when there is none.
    fn at(image: &'a [u8], offset: u8) -> Option<Self> {
        if offset == 0 {
            return None;
        }
        let rest = image.get(usize::from(offset) * UNIT..).unwrap_or_default();
        let length = rest.get(1).map_or(0, |units| usize::from(*units) * UNIT);
        let whole = rest.get(..length);
        let octets = whole.unwrap_or(rest);
        let sound =
            whole.is_some_and(|octets| !octets.is_empty() && octets.first().is_some_and(|v| v & 0x0f == 1) && checksum(octets) == 0);
        // version and length are behind us
        let reader = Reader::new("FRU inventory area", octets.get(2..).unwrap_or_default());
        Some(Self { reader, damaged: !sound })
    }

    fn octet(&mut self) -> u8 {
        self.reader.u8().unwrap_or_else(|_| {
            self.damaged = true;
            0
        })
    }

    /// The next field; `None` at the end.
    fn field(&mut self) -> Option<String> {
        let type_length = self.reader.u8().ok().filter(|octet| *octet != END)?;
        match text::decode(First::Binary, type_length, &mut self.reader) {
            Ok(text) => Some(text),
            Err(_) => {
                self.damaged = true;
                // nothing after it can be found
                self.reader.rest();
                None
            }
        }
    }

    fn named(&mut self) -> String {
        self.field().unwrap_or_default()
    }

    fn custom(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.field()).collect()
    }
}

impl Fru {
    /// Reads an inventory. It never fails: what is damaged is named, and what is left of it is kept.
    #[must_use]
    pub fn decode(image: &[u8]) -> Self {
        let mut fru = Self::default();
        let Some((header, _)) = image.split_first_chunk::<UNIT>() else {
            fru.damaged.push(FruArea::Header);
            return fru;
        };
        let [version, _internal, chassis, board, product, ..] = *header;
        if version & 0x0f != 1 || checksum(header) != 0 {
            // offsets of a broken header lead anywhere
            fru.damaged.push(FruArea::Header);
            return fru;
        }
        let mut damaged = Vec::new();
        let mut note = |area: &Area<'_>, kind| {
            if area.damaged {
                damaged.push(kind);
            }
        };
        fru.chassis = Area::at(image, chassis).map(|mut area| {
            let info = ChassisInfo { kind: area.octet(), part_number: area.named(), serial: area.named(), custom: area.custom() };
            note(&area, FruArea::Chassis);
            info
        });
        fru.board = Area::at(image, board).map(|mut area| {
            let _language = area.octet();
            let minutes = u32::from_le_bytes([area.octet(), area.octet(), area.octet(), 0]);
            let info = BoardInfo {
                manufactured: (minutes != 0).then(|| DATES_SINCE + u64::from(minutes) * 60),
                manufacturer: area.named(),
                product: area.named(),
                serial: area.named(),
                part_number: area.named(),
                file_id: area.named(),
                custom: area.custom(),
            };
            note(&area, FruArea::Board);
            info
        });
        fru.product = Area::at(image, product).map(|mut area| {
            let _language = area.octet();
            let info = ProductInfo {
                manufacturer: area.named(),
                name: area.named(),
                part_number: area.named(),
                version: area.named(),
                serial: area.named(),
                asset_tag: area.named(),
                file_id: area.named(),
                custom: area.custom(),
            };
            note(&area, FruArea::Product);
            info
        });
        fru.damaged = damaged;
        fru
    }

    /// Writes an inventory.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let chassis = self.chassis.as_ref().map(|c| area(&[c.kind], &[&c.part_number, &c.serial], &c.custom));
        let board = self.board.as_ref().map(|b| {
            let minutes = b.manufactured.map_or(0, |at| at.saturating_sub(DATES_SINCE) / 60);
            let [m0, m1, m2, ..] = minutes.to_le_bytes();
            area(&[0, m0, m1, m2], &[&b.manufacturer, &b.product, &b.serial, &b.part_number, &b.file_id], &b.custom)
        });
        let product = self
            .product
            .as_ref()
            .map(|p| area(&[0], &[&p.manufacturer, &p.name, &p.part_number, &p.version, &p.serial, &p.asset_tag, &p.file_id], &p.custom));
        let mut header = vec![1, 0];
        let mut body = Vec::new();
        for part in [chassis, board, product] {
            header.push(part.as_ref().map_or(0, |_| u8::try_from(1 + body.len() / UNIT).unwrap_or(0)));
            body.extend(part.unwrap_or_default());
        }
        // no multi-record area, and a spare octet
        header.extend([0, 0]);
        header.push(checksum(&header));
        header.extend(body);
        header
    }
}

fn area(head: &[u8], fields: &[&String], custom: &[String]) -> Vec<u8> {
    let mut out = vec![1, 0];
    out.extend_from_slice(head);
    for field in fields.iter().copied().chain(custom) {
        text::encode(field, &mut out);
    }
    out.push(END);
    // the checksum ends the last unit
    out.resize((out.len() + 1).next_multiple_of(UNIT) - 1, 0);
    let units = u8::try_from(out.len() / UNIT + 1).unwrap_or(u8::MAX);
    if let Some(length) = out.get_mut(1) {
        *length = units;
    }
    out.push(checksum(&out));
    out
}
