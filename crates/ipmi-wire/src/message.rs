//! The vocabulary every IPMI message uses: network functions, completion codes, privilege levels.

use std::fmt;

/// Network function, 6 bits. Even: request; odd: the response to the function below it (spec table 5-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NetFn(u8);

impl NetFn {
    pub const CHASSIS: Self = Self(0x00);
    pub const BRIDGE: Self = Self(0x02);
    pub const SENSOR_EVENT: Self = Self(0x04);
    pub const APP: Self = Self(0x06);
    pub const FIRMWARE: Self = Self(0x08);
    pub const STORAGE: Self = Self(0x0a);
    pub const TRANSPORT: Self = Self(0x0c);
    pub const GROUP: Self = Self(0x2c);
    pub const OEM: Self = Self(0x2e);

    /// Keeps the low 6 bits.
    #[must_use]
    pub const fn new(value: u8) -> Self {
        Self(value & 0x3f)
    }

    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }

    #[must_use]
    pub const fn is_response(self) -> bool {
        self.0 & 1 == 1
    }

    /// The odd function that answers this one.
    #[must_use]
    pub const fn response(self) -> Self {
        Self(self.0 | 1)
    }

    /// The even function this one answers.
    #[must_use]
    pub const fn request(self) -> Self {
        Self(self.0 & !1)
    }
}

impl fmt::Display for NetFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#04x}", self.0)
    }
}

/// First octet of every response (spec table 5-2). Codes 0x80..=0xBE mean something else for every command:
/// see [`crate::command::Command::completion_text`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CompletionCode(pub u8);

impl CompletionCode {
    pub const OK: Self = Self(0x00);
    pub const NODE_BUSY: Self = Self(0xc0);
    pub const INVALID_COMMAND: Self = Self(0xc1);
    pub const INVALID_FOR_LUN: Self = Self(0xc2);
    pub const TIMEOUT: Self = Self(0xc3);
    pub const OUT_OF_SPACE: Self = Self(0xc4);
    pub const TRUNCATED: Self = Self(0xc6);
    pub const BAD_LENGTH: Self = Self(0xc7);
    pub const OUT_OF_RANGE: Self = Self(0xc9);
    pub const NOT_FOUND: Self = Self(0xcb);
    pub const INVALID_FIELD: Self = Self(0xcc);
    pub const NO_RESPONSE: Self = Self(0xce);
    pub const DUPLICATE: Self = Self(0xcf);
    pub const INITIALIZING: Self = Self(0xd2);
    pub const DESTINATION_UNAVAILABLE: Self = Self(0xd3);
    pub const INSUFFICIENT_PRIVILEGE: Self = Self(0xd4);
    pub const NOT_IN_THIS_STATE: Self = Self(0xd5);
    pub const UNSPECIFIED: Self = Self(0xff);

    #[must_use]
    pub fn is_ok(self) -> bool {
        self == Self::OK
    }

    /// What the code means for any command; `None` for command-specific and OEM codes.
    #[must_use]
    pub fn text(self) -> Option<&'static str> {
        Some(match self.0 {
            0x00 => "completed normally",
            0xc0 => "node busy",
            0xc1 => "invalid command",
            0xc2 => "command invalid for this LUN",
            0xc3 => "time-out while processing the command",
            0xc4 => "out of space",
            0xc5 => "reservation cancelled or invalid",
            0xc6 => "request data truncated",
            0xc7 => "request data length invalid",
            0xc8 => "request data field length limit exceeded",
            0xc9 => "parameter out of range",
            0xca => "cannot return that many data bytes",
            0xcb => "requested sensor, data or record not present",
            0xcc => "invalid data field in request",
            0xcd => "command illegal for this sensor or record type",
            0xce => "response could not be provided",
            0xcf => "duplicated request",
            0xd0 => "SDR repository in update mode",
            0xd1 => "device in firmware update mode",
            0xd2 => "BMC initialization in progress",
            0xd3 => "destination unavailable",
            0xd4 => "insufficient privilege level",
            0xd5 => "not supported in the present state",
            0xd6 => "sub-function disabled",
            0xff => "unspecified error",
            _ => return None,
        })
    }
}

impl fmt::Display for CompletionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            Some(text) => write!(f, "{text} ({:#04x})", self.0),
            None => write!(f, "code {:#04x}", self.0),
        }
    }
}

/// What a session may do (spec 6.8). Ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Privilege {
    Callback = 1,
    User = 2,
    Operator = 3,
    Administrator = 4,
    Oem = 5,
}

impl Privilege {
    #[must_use]
    pub const fn value(self) -> u8 {
        self as u8
    }

    /// From the low 4 bits of a privilege field; `None` for 0 and the reserved values.
    #[must_use]
    pub fn from_value(value: u8) -> Option<Self> {
        Some(match value & 0x0f {
            1 => Self::Callback,
            2 => Self::User,
            3 => Self::Operator,
            4 => Self::Administrator,
            5 => Self::Oem,
            _ => return None,
        })
    }
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Callback => "CALLBACK",
            Self::User => "USER",
            Self::Operator => "OPERATOR",
            Self::Administrator => "ADMINISTRATOR",
            Self::Oem => "OEM",
        })
    }
}
