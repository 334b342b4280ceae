//! Units of sensors (IPMI 2.0 table 43-15).

use std::fmt;

/// What a sensor's value is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unit {
    /// The value is a percentage, of the base unit if there is one.
    pub percentage: bool,
    /// Number of the base unit.
    pub base: u8,
    /// Number of the second unit, and how it is combined.
    pub modifier: Option<(Combination, u8)>,
    /// Per so much time; 0 is "not at all", 1 µs, 2 ms, 3 s, 4 minute, 5 hour, 6 day.
    pub rate: u8,
}

/// How two units make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combination {
    /// base / modifier
    Per,
    /// base × modifier
    Times,
}

impl Unit {
    pub const DEGREES_C: Self = Self::of(1);
    pub const VOLTS: Self = Self::of(4);
    pub const AMPS: Self = Self::of(5);
    pub const WATTS: Self = Self::of(6);
    pub const RPM: Self = Self::of(18);
    pub const PERCENT: Self = Self { percentage: true, ..Self::of(0) };

    const fn of(base: u8) -> Self {
        Self { percentage: false, base, modifier: None, rate: 0 }
    }

    /// From "sensor units 1 to 3" of a record.
    #[must_use]
    pub fn from_bytes([flags, base, modifier]: [u8; 3]) -> Self {
        let modifier = match flags >> 1 & 3 {
            1 => Some((Combination::Per, modifier)),
            2 => Some((Combination::Times, modifier)),
            _ => None,
        };
        Self { percentage: flags & 1 != 0, base, modifier, rate: flags >> 3 & 7 }
    }

    /// "Sensor units 1 to 3" without the data format, which shares the first octet.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 3] {
        let (combination, modifier) = match self.modifier {
            None => (0, 0),
            Some((Combination::Per, unit)) => (1 << 1, unit),
            Some((Combination::Times, unit)) => (2 << 1, unit),
        };
        [u8::from(self.percentage) | combination | (self.rate & 7) << 3, self.base, modifier]
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = name(self.base);
        match (self.percentage, base) {
            (true, "") => f.write_str("percent")?,
            (true, base) => write!(f, "percent of {base}")?,
            (false, base) => f.write_str(base)?,
        }
        match self.modifier {
            Some((Combination::Per, unit)) => write!(f, "/{}", name(unit))?,
            Some((Combination::Times, unit)) => write!(f, "·{}", name(unit))?,
            None => {}
        }
        let rate = ["", " per µs", " per ms", " per s", " per minute", " per hour", " per day"];
        f.write_str(rate.get(usize::from(self.rate)).copied().unwrap_or_default())
    }
}

/// Name of a base unit; empty for "unspecified" and numbers nobody has given a meaning.
fn name(number: u8) -> &'static str {
    const NAMES: [&str; 93] = [
        "",
        "degrees C",
        "degrees F",
        "degrees K",
        "Volts",
        "Amps",
        "Watts",
        "Joules",
        "Coulombs",
        "VA",
        "Nits",
        "lumen",
        "lux",
        "Candela",
        "kPa",
        "PSI",
        "Newton",
        "CFM",
        "RPM",
        "Hz",
        "microsecond",
        "millisecond",
        "second",
        "minute",
        "hour",
        "day",
        "week",
        "mil",
        "inches",
        "feet",
        "cu in",
        "cu feet",
        "mm",
        "cm",
        "m",
        "cu cm",
        "cu m",
        "liters",
        "fluid ounce",
        "radians",
        "steradians",
        "revolutions",
        "cycles",
        "gravities",
        "ounce",
        "pound",
        "ft-lb",
        "oz-in",
        "gauss",
        "gilberts",
        "henry",
        "millihenry",
        "farad",
        "microfarad",
        "ohms",
        "siemens",
        "mole",
        "becquerel",
        "PPM",
        "",
        "Decibels",
        "DbA",
        "DbC",
        "gray",
        "sievert",
        "color temp deg K",
        "bit",
        "kilobit",
        "megabit",
        "gigabit",
        "byte",
        "kilobyte",
        "megabyte",
        "gigabyte",
        "word",
        "dword",
        "qword",
        "line",
        "hit",
        "miss",
        "retry",
        "reset",
        "overflow",
        "underrun",
        "collision",
        "packets",
        "messages",
        "characters",
        "error",
        "correctable error",
        "uncorrectable error",
        "fatal error",
        "grams",
    ];
    NAMES.get(usize::from(number)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(Unit::RPM.to_string(), "RPM");
        assert_eq!(Unit::PERCENT.to_string(), "percent");
        assert_eq!(Unit::from_bytes([0x02, 17, 24]).to_string(), "CFM/hour");
        assert_eq!(Unit::from_bytes([0x18, 70, 0]).to_string(), "byte per s");
        for unit in [Unit::VOLTS, Unit::PERCENT, Unit::from_bytes([0x02, 17, 24]), Unit::from_bytes([0x1d, 70, 3])] {
            assert_eq!(Unit::from_bytes(unit.to_bytes()), unit);
        }
    }
}
