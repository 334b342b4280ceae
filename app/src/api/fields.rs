//! Values that can be wrong: each is parsed once, here, so that browser and server refuse the same things
//! with the same words. The wire form is always a plain string.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares a string newtype whose only constructors check it. `schema(…)` says of the check what a JSON schema can: of
/// texts in their own form, without the blanks around that most of them forgive.
macro_rules! checked_string {
    ($(#[$doc:meta])* $name:ident, schema($($schema:tt)*), $parse:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(feature = "openapi", schema(value_type = String, $($schema)*))]
        pub struct $name(String);

        impl $name {
            /// # Errors
            /// A sentence that says what is wrong, fit to be shown beside the field.
            pub fn parse(text: &str) -> Result<Self, String> {
                let check: fn(&str) -> Result<String, String> = $parse;
                check(text).map(Self)
            }
            #[must_use]
            pub fn as_str(&self) -> &str { &self.0 }
            #[must_use]
            pub fn into_string(self) -> String { self.0 }
        }
        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> { Self::parse(&text) }
        }
        impl From<$name> for String {
            fn from(value: $name) -> Self { value.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
    };
}

/// Declares the name of a thing.
macro_rules! checked_name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $example:tt) => {
        checked_string!(
            $(#[$doc])* $name,
            schema(
                min_length = 2, max_length = 256, example = $example,
                pattern = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f]$"
            ),
            |text| sized(text.trim(), $what, 2, 256)
        );
    };
}

fn sized(text: &str, what: &str, least: usize, most: usize) -> Result<String, String> {
    let length = text.chars().count();
    if length < least || length > most {
        return Err(format!("{what} must be between {least} and {most} characters long"));
    }
    if text.chars().any(char::is_control) {
        return Err(format!("{what} must not contain control characters"));
    }
    Ok(text.to_owned())
}

/// A text that must be there.
pub(crate) fn given<'a>(text: &'a str, what: &str) -> Result<&'a str, String> {
    if text.is_empty() { Err(format!("{what} must not be empty")) } else { Ok(text) }
}

checked_name!(
    /// A machine's name, unique in the lab.
    MachineName, "Machine name", "arm64-1"
);
checked_name!(
    /// Name of a BMC.
    BmcName, "BMC name", "rack1-bmc3"
);
checked_name!(
    /// Name of an architecture (CPU family).
    ArchName, "Architecture name", "arm64"
);
checked_name!(
    /// Name of a subarchitecture (boot flavour), unique within its architecture.
    SubarchName, "Subarchitecture name", "uefi"
);
checked_name!(
    /// Name of a network.
    NetworkName, "Network name", "lab"
);
checked_name!(
    /// Name of a preseed, unique over all users.
    PreseedName, "Preseed name", "debian-13"
);
checked_string!(
    /// A user's login name.
    Username, schema(min_length = 2, max_length = 128, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", example = "ann"),
    |text| sized(text, "username", 2, 128)
);
checked_string!(
    /// Free text beside a name.
    Description, schema(max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", example = "for the kernel team"),
    |text| sized(text, "description", 0, 256)
);
checked_string!(
    /// Why somebody has a machine.
    Reason, schema(max_length = 140, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", example = "bisecting a boot failure"),
    |text| sized(text, "Assignee reason", 0, 140)
);
checked_string!(
    /// What an API token is for.
    TokenDescription, schema(max_length = 140, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", example = "CI"),
    |text| sized(text, "description", 0, 140)
);
checked_string!(
    /// An interface's label, e.g. `eth0`.
    Identifier, schema(max_length = 64, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", example = "eth0"),
    |text| sized(text, "Interface identifier", 0, 64)
);
checked_string!(
    /// User name on a BMC; RMCP+ carries at most 16 bytes (IPMI 2.0 §13.20), longer ones are for other drivers.
    BmcUsername, schema(max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", example = "admin"),
    |text| sized(text, "username", 0, 256)
);
checked_string!(
    /// A BMC's own key, K_g (IPMI 2.0 §13.33): as it is typed, or `0x` and hexadecimal digits. At most 20 bytes; empty: none.
    BmcKey, schema(pattern = "^(0x([0-9A-Fa-f]{2}){1,20}|[!-~]{0,20})$", example = "secret-key"),
    |text| {
        let fits = match text.strip_prefix("0x") {
            Some(digits) => !digits.is_empty() && digits.len() <= 40 && digits.len() % 2 == 0 && digits.bytes().all(|b| b.is_ascii_hexdigit()),
            None => text.len() <= 20 && text.bytes().all(|b| b.is_ascii_graphic()),
        };
        if fits { Ok(text.to_owned()) } else { Err("A BMC's key is at most 20 printable characters, or 0x and up to 40 hexadecimal digits".into()) }
    }
);
checked_string!(
    /// Password on a BMC.
    BmcPassword, schema(max_length = 256, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", example = "secret"),
    |text| sized(text, "password", 0, 256)
);
checked_string!(
    /// A user's new password. Existing ones are never checked against this rule.
    NewPassword, schema(min_length = 8, max_length = 128, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", example = "correct horse battery"),
    |text| sized(text, "password", 8, 128)
);
checked_string!(
    /// An e-mail address, in the loose sense: `local@host`.
    Email,
    schema(
        max_length = 1024, example = "ann@example.org",
        pattern = r"^([^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f]+)?$"
    ),
    |text| {
        let text = sized(text.trim(), "email", 0, 1024)?;
        let parts: Vec<&str> = text.split('@').collect();
        match parts[..] {
            [""] => Ok(text),
            [local, host] if !local.is_empty() && !host.is_empty() && !text.contains(char::is_whitespace) => Ok(text),
            _ => Err("email must be a valid email address".into()),
        }
    }
);
checked_string!(
    /// Kernel command line set by the user. One line: a line break would let it write into the loader's configuration.
    KernelOpts, schema(max_length = 1024, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", example = "console=ttyS0,115200"),
    |text| sized(text.trim(), "Kernel options", 0, 1024)
);
checked_string!(
    /// A free label on a machine.
    Tag,
    schema(
        min_length = 1, max_length = 64, example = "10g",
        pattern = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"
    ),
    |text| sized(text.trim(), "tag", 1, 64)
);
checked_string!(
    /// An Ethernet address, stored as `aa:bb:cc:dd:ee:ff`. Dashes are understood.
    MacAddr, schema(pattern = "^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$", example = "52:54:00:12:34:56"),
    |text| {
        let parts: Vec<&str> = given(text.trim(), "MAC")?.split([':', '-']).collect();
        let valid = parts.len() == 6 && parts.iter().all(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit()));
        if !valid {
            return Err(format!("MAC {text} is not a valid mac address"));
        }
        Ok(parts.join(":").to_ascii_lowercase())
    }
);
checked_string!(
    /// An IP address, v4 or v6, in its canonical form.
    IpAddress, schema(example = "10.0.0.3"),
    |text| {
        given(text.trim(), "IP")?.parse::<std::net::IpAddr>().map(|ip| ip.to_string()).map_err(|_| "IP must be a valid IP address".to_owned())
    }
);
checked_string!(
    /// An IPv4 address.
    Ipv4, schema(format = Ipv4, example = "10.0.0.3"),
    |text| {
        given(text.trim(), "IPv4 address")?.parse::<std::net::Ipv4Addr>().map(|ip| ip.to_string()).map_err(|_| format!("{text} is not a valid IPv4 address"))
    }
);
checked_string!(
    /// An IPv4 network in CIDR form with no host bits set, e.g. `10.0.0.0/24`.
    Cidr,
    schema(pattern = r"^([0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}$", example = "10.0.0.0/24"),
    |text| {
        let invalid = || format!("{text} is not an IPv4 network in CIDR form, such as 10.0.0.0/24");
        let (address, prefix) = given(text.trim(), "IPv4 network")?.split_once('/').ok_or_else(invalid)?;
        let address: std::net::Ipv4Addr = address.parse().map_err(|_| invalid())?;
        let prefix: u32 = prefix.parse().ok().filter(|prefix| *prefix <= 32).ok_or_else(invalid)?;
        let host_bits = u32::MAX.checked_shr(prefix).unwrap_or(0);
        let network = u32::from(address) & !host_bits;
        if u32::from(address) != network {
            return Err(format!("{text} has host bits set: the network is {}/{prefix}", std::net::Ipv4Addr::from(network)));
        }
        Ok(format!("{address}/{prefix}"))
    }
);

/// A point in time as RFC 3339 in UTC with microseconds, e.g. `2026-11-22T11:08:02.000123Z`.
///
/// The text is what travels and what is shown: browser and server then draw the same page.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime, example = "2027-01-31T12:00:00.000000Z"))]
#[serde(transparent)]
pub struct Instant(pub String);

impl Instant {
    /// `2026-11-22 11:08:02`, UTC.
    #[must_use]
    pub fn seconds(&self) -> String {
        self.0.get(..19).unwrap_or(&self.0).replace('T', " ")
    }

    /// `2026-11-22`, UTC.
    #[must_use]
    pub fn day(&self) -> String {
        self.0.get(..10).unwrap_or(&self.0).to_owned()
    }

    /// `2026-11-22 11:08:02.123456 UTC`
    #[must_use]
    pub fn exact(&self) -> String {
        self.0.replacen('T', " ", 1).replace('Z', " UTC")
    }
}

/// Distinguishes a key that is absent from one that is `null`: absent leaves a field as it is, `null` clears it.
/// Use as `#[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")] field: Option<Option<T>>`.
pub(crate) fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

/// An id as a number or as a decimal string: clients of the original send both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = i64, example = 1))]
pub struct Id(pub i64);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl serde::de::Visitor<'_> for Form {
            type Value = Id;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id, as a number or a text")
            }
            fn visit_i64<E: serde::de::Error>(self, id: i64) -> Result<Id, E> {
                Ok(Id(id))
            }
            fn visit_u64<E: serde::de::Error>(self, id: u64) -> Result<Id, E> {
                i64::try_from(id).map(Id).map_err(|_| E::custom(format!("`{id}` is not an id")))
            }
            // to a JSON schema 1.0 is an integer; beyond 2^53 a float is none that was meant (RFC 8259 §6)
            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Id, E> {
                let exact = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
                let id = if exact { format!("{number:.0}").parse().ok() } else { None };
                id.map(Id).ok_or_else(|| E::custom(format!("`{number}` is not an id")))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Id, E> {
                text.trim().parse().map(Id).map_err(|_| E::custom(format!("`{text}` is not an id")))
            }
        }
        deserializer.deserialize_any(Form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_is_stored_lower_case_with_colons() {
        assert_eq!(MacAddr::parse("52-54-00-AB-cd-01").unwrap().as_str(), "52:54:00:ab:cd:01");
        assert!(MacAddr::parse("52:54:00:ab:cd").is_err());
        assert!(MacAddr::parse("52:54:00:ab:cd:01:junk").is_err());
        assert!(MacAddr::parse("52:54:00:ab:cd:0g").is_err());
    }

    #[test]
    fn an_empty_address_is_told_as_such() {
        assert_eq!(MacAddr::parse(" ").unwrap_err(), "MAC must not be empty");
        assert_eq!(IpAddress::parse("").unwrap_err(), "IP must not be empty");
        assert_eq!(Ipv4::parse("").unwrap_err(), "IPv4 address must not be empty");
        assert_eq!(Cidr::parse("").unwrap_err(), "IPv4 network must not be empty");
        assert_eq!(Ipv4::parse("10.0.0").unwrap_err(), "10.0.0 is not a valid IPv4 address");
    }

    #[test]
    fn kernel_options_stay_on_one_line() {
        assert!(KernelOpts::parse("console=ttyS0\nlabel evil").is_err());
        assert_eq!(KernelOpts::parse(" quiet ").unwrap().as_str(), "quiet");
    }

    #[test]
    fn a_cidr_says_what_the_network_would_be() {
        assert_eq!(Cidr::parse("10.0.0.0/8").unwrap().as_str(), "10.0.0.0/8");
        assert!(Cidr::parse("10.0.0.1/8").unwrap_err().contains("10.0.0.0/8"));
        assert!(Cidr::parse("10.0.0.0").is_err());
        assert!(Cidr::parse("10.0.0.0/33").is_err());
        assert!(Cidr::parse("0.0.0.0/0").is_ok());
        assert!(Cidr::parse("fe80::/64").is_err());
    }

    #[test]
    fn an_id_may_come_as_text() {
        assert_eq!(serde_json::from_str::<Id>("\"12\"").unwrap(), Id(12));
        assert_eq!(serde_json::from_str::<Id>("12").unwrap(), Id(12));
        assert!(serde_json::from_str::<Id>("\"a\"").is_err());
        assert_eq!(serde_json::from_str::<Id>("12.0").unwrap(), Id(12));
        for wrong in ["1.5", "1e300", "-9223372036854775809", "9223372036854775808", "null", "true"] {
            assert!(serde_json::from_str::<Id>(wrong).is_err(), "{wrong}");
        }
    }
}
