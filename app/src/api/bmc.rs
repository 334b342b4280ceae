//! Baseboard management controllers.

use serde::{Deserialize, Serialize};

use super::{
    ApiError, Removal,
    client::{Api, Edit},
    fields::{BmcKey, BmcName, BmcPassword, BmcUsername, Instant, IpAddress, present},
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum BmcType {
    /// One BMC, one machine, IPMI 2.0 over LAN.
    #[default]
    Plain,
    /// HP Moonshot: one chassis, many cartridges, reached by double bridging.
    Moonshot,
}

impl BmcType {
    pub const ALL: [Self; 2] = [Self::Plain, Self::Moonshot];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Moonshot => "moonshot",
        }
    }

    /// # Errors
    /// Names the word that is none of them.
    pub fn parse(word: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.word() == word).ok_or_else(|| format!("BMC type {word} is not a valid type"))
    }
}

/// What talks to the BMC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum BmcBackend {
    /// This program itself.
    #[default]
    Native,
    /// The program `ipmitool`, started for every command: a way out for BMCs that the native one does not get on with.
    Ipmitool,
}

impl BmcBackend {
    pub const ALL: [Self; 2] = [Self::Native, Self::Ipmitool];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Ipmitool => "ipmitool",
        }
    }

    /// # Errors
    /// Names the word that is none of them.
    pub fn parse(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|backend| backend.word() == word)
            .ok_or_else(|| format!("{word} is not a BMC backend: native or ipmitool"))
    }
}

/// A way in which some BMCs leave the specification. The names are `ipmitool`'s where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum BmcQuirk {
    /// Intel: RAKP 3 is computed without the look-up bit; "0 characters accepted" on the console means all of them.
    IntelPlus,
    /// Intel 82571 with serial port tunnelling: RAKP 3 is computed without the look-up bit.
    I82571Spt,
    /// It chokes on the question which cipher suites it has.
    NoList,
    /// It wants to be told the privilege level when a session is opened, not "the highest".
    OpenPriv,
    /// It looks users up by name and privilege level, not by name alone.
    UserPriv,
}

impl BmcQuirk {
    pub const ALL: [Self; 5] = [Self::IntelPlus, Self::I82571Spt, Self::NoList, Self::OpenPriv, Self::UserPriv];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::IntelPlus => "intelplus",
            Self::I82571Spt => "i82571spt",
            Self::NoList => "nolist",
            Self::OpenPriv => "openpriv",
            Self::UserPriv => "userpriv",
        }
    }

    /// A comma-separated list of names.
    ///
    /// # Errors
    /// Names the word that is none of them.
    pub fn parse_list(list: &str) -> Result<Vec<Self>, String> {
        let find = |word: &str| {
            let known = || Self::ALL.map(Self::word).join(", ");
            Self::ALL.into_iter().find(|quirk| quirk.word() == word).ok_or_else(|| format!("{word} is not a BMC quirk: {}", known()))
        };
        list.split(',').map(str::trim).filter(|word| !word.is_empty()).map(find).collect()
    }

    /// The list as it is stored and typed: each once, in the order of [`Self::ALL`].
    #[must_use]
    pub fn list(quirks: &[Self]) -> String {
        Self::ALL.into_iter().filter(|quirk| quirks.contains(quirk)).map(Self::word).collect::<Vec<_>>().join(",")
    }
}

/// What a session may do (IPMI 2.0 §6.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum BmcPrivilege {
    /// Everything.
    #[default]
    Admin,
    /// Power and, on most BMCs, the console.
    Operator,
    /// Reading.
    User,
}

impl BmcPrivilege {
    pub const ALL: [Self; 3] = [Self::Admin, Self::Operator, Self::User];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::User => "user",
        }
    }

    /// # Errors
    /// Names the word that is none of them.
    pub fn parse(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|level| level.word() == word)
            .ok_or_else(|| format!("{word} is not a privilege level: admin, operator or user"))
    }
}

/// A cartridge of a Moonshot chassis: what `bmc_info` of a machine behind one holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cartridge(u8);

impl Cartridge {
    /// Cartridges stand at the 8-bit addresses 0x82, 0x84, … 0xfe of the chassis' bus.
    const LAST: u8 = 63;

    /// # Errors
    /// A sentence that says what is wrong, fit to be shown beside the field.
    pub fn parse(text: &str) -> Result<Self, String> {
        let number = text.trim().parse().ok().filter(|number| (1..=Self::LAST).contains(number));
        let wrong = || format!("Not a valid moonshot cartridge id: a number between 1 and {} is needed", Self::LAST);
        number.map(Self).ok_or_else(wrong)
    }

    /// 1 to 63.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }
}

/// A cipher suite by its number (IPMI 2.0 table 22-20): 3 (SHA-1) or 17 (SHA-256), which is stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(try_from = "i64", into = "i64")]
#[cfg_attr(feature = "openapi", schema(value_type = i64))]
pub struct Suite(u8);

impl TryFrom<i64> for Suite {
    type Error = String;

    fn try_from(number: i64) -> Result<Self, String> {
        match number {
            3 => Ok(Self(3)),
            17 => Ok(Self(17)),
            _ => Err(format!("cipher suite {number} is neither 3 nor 17, the only ones used")),
        }
    }
}

impl From<Suite> for i64 {
    fn from(suite: Suite) -> Self {
        suite.0.into()
    }
}

impl Suite {
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }
}

/// How a BMC is doing, as far as this server has seen since it started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BmcHealth {
    /// Whether the last question was answered, be it with a refusal; `null`: not asked yet.
    pub reachable: Option<bool>,
    /// When it last answered anything.
    pub last_answer: Option<Instant>,
    /// What is wrong: it does not answer, or refuses to open a session.
    pub error: Option<String>,
}

impl BmcHealth {
    /// Whether everything is as it should be, as far as is known.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.error.is_none() && self.reachable != Some(false)
    }
}

/// Never carries the password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Bmc {
    pub id: i64,
    pub name: String,
    /// Admins see it; empty for others, as the user name.
    pub ip: String,
    pub port: u16,
    #[serde(rename = "type")]
    pub bmc_type: BmcType,
    pub backend: BmcBackend,
    pub quirks: Vec<BmcQuirk>,
    /// Admins see it; empty for others.
    pub username: String,
    pub has_password: bool,
    /// The level sessions are raised to.
    pub privilege_level: BmcPrivilege,
    pub has_key: bool,
    /// The strongest cipher suite a session was ever opened with: weaker ones are refused from then on. `null`: none yet.
    pub cipher_suite: Option<Suite>,
    pub health: BmcHealth,
    /// Names of the machines behind it.
    pub machines: Vec<String>,
    /// Their ids, in the same order.
    pub machine_ids: Vec<i64>,
}

/// Body of POST and PUT. In a PUT absent optional members stay as they are, the password above all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BmcInput {
    pub name: BmcName,
    pub ip: IpAddress,
    /// UDP port, 623 unless said.
    #[serde(default)]
    pub port: Option<u16>,
    /// `plain` unless said.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub bmc_type: Option<BmcType>,
    /// `native` unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<BmcBackend>,
    /// `null` forgets the cipher suite that was agreed on, for a BMC that has become weaker on purpose; a number is the weakest
    /// that is accepted.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub cipher_suite: Option<Option<Suite>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<BmcUsername>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<BmcPassword>,
    /// None unless said. All of them are replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quirks: Option<Vec<BmcQuirk>>,
    /// `admin` unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privilege_level: Option<BmcPrivilege>,
    /// The BMC's own key (K_g), for the few that have one; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<BmcKey>,
}

impl Api {
    pub async fn bmcs(&self) -> Result<Vec<Bmc>, ApiError> {
        self.get("/bmc").await
    }
    pub async fn create_bmc(&self, new: &BmcInput) -> Result<Bmc, ApiError> {
        self.post("/bmc", new).await
    }
    /// As long as it is as `known`.
    pub async fn edit_bmc(&self, known: &Bmc, change: &BmcInput) -> Result<Edit<Bmc>, ApiError> {
        // what else it tells changes by itself
        let form = |own: &Bmc| Bmc {
            cipher_suite: None,
            health: BmcHealth::default(),
            machines: Vec::new(),
            machine_ids: Vec::new(),
            ..own.clone()
        };
        self.edit(&format!("/bmc/{}", known.id), change, |now| form(now) == form(known)).await
    }
    pub async fn delete_bmc(&self, id: i64, removal: Removal) -> Result<(), ApiError> {
        self.delete(&format!("/bmc/{id}{}", removal.query())).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cartridge_is_a_number_that_has_an_address() {
        assert_eq!(Cartridge::parse(" 1 ").map(Cartridge::number), Ok(1));
        assert_eq!(Cartridge::parse("63").map(Cartridge::number), Ok(63));
        for bad in ["", "0", "64", "-1", "c1n1", "1.5", "319"] {
            assert!(Cartridge::parse(bad).is_err_and(|text| text.contains("between 1 and 63")), "{bad}");
        }
    }

    #[test]
    fn only_the_suites_in_use_have_a_number() {
        assert_eq!(serde_json::from_str::<Suite>("17").unwrap().number(), 17);
        assert!(serde_json::from_str::<Suite>("2").unwrap_err().to_string().contains("cipher suite 2"));
        assert!(Suite::try_from(17) > Suite::try_from(3));
    }

    #[test]
    fn quirks_are_a_list_of_known_names() {
        let quirks = BmcQuirk::parse_list("nolist, intelplus,").unwrap();
        assert_eq!(BmcQuirk::list(&quirks), "intelplus,nolist");
        assert_eq!(BmcQuirk::parse_list(""), Ok(Vec::new()));
        assert!(
            BmcQuirk::parse_list("nolist,supermicro").is_err_and(|text| text.starts_with("supermicro is not") && text.contains("openpriv"))
        );
        for quirk in BmcQuirk::ALL {
            assert_eq!(serde_json::to_string(&quirk).unwrap(), format!("\"{}\"", quirk.word()));
        }
    }

    #[test]
    fn a_key_is_text_or_hexadecimal_and_no_longer_than_it_can_be() {
        for good in ["", "secret", "twenty-characters-ok", "0x00ff", "0x000102030405060708090a0b0c0d0e0f10111213"] {
            assert!(BmcKey::parse(good).is_ok(), "{good}");
        }
        for bad in ["twenty-one-characters", "0x", "0x0", "0xzz", "0x000102030405060708090a0b0c0d0e0f1011121314", "with space", "schlüssel"]
        {
            assert!(BmcKey::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_absent_suite_is_no_null() {
        let input = |text| serde_json::from_str::<BmcInput>(text).unwrap().cipher_suite;
        assert_eq!(input(r#"{"name": "b1", "ip": "::1"}"#), None);
        assert_eq!(input(r#"{"name": "b1", "ip": "::1", "cipher_suite": null}"#), Some(None));
    }
}
