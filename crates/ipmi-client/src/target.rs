//! Which BMC to talk to, as whom, and how patiently.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use ipmi_wire::{CipherSuite, Privilege};
use zeroize::Zeroizing;

/// A password or BMC key. Never shown, wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Any octets; IPMI 2.0 takes up to 20, which is checked when the session is opened.
    #[must_use]
    pub fn new(secret: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(secret.into()))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Everything needed to open sessions with one BMC.
#[derive(Debug, Clone)]
pub struct Target {
    pub addr: SocketAddr,
    /// Up to 16 octets.
    pub username: String,
    pub password: Secret,
    /// The BMC's own key, for the few that have one set.
    pub kg: Option<Secret>,
    /// Level the session is raised to.
    pub privilege: Privilege,
    pub suites: SuitePolicy,
    pub quirks: Quirks,
    pub timeouts: Timeouts,
}

impl Target {
    /// ADMINISTRATOR, no BMC key, no quirks, default times.
    #[must_use]
    pub fn new(addr: SocketAddr, username: impl Into<String>, password: Secret) -> Self {
        Self {
            addr,
            username: username.into(),
            password,
            kg: None,
            privilege: Privilege::Administrator,
            suites: SuitePolicy::default(),
            quirks: Quirks::default(),
            timeouts: Timeouts::default(),
        }
    }
}

/// The strongest suite both sides have is taken, of 17 and 3. Offers are not authenticated, so a client never goes below
/// what it has once used. To keep that over restarts of the program, store [`crate::Client::suite_floor`] with the BMC and
/// make the next client with [`SuitePolicy::not_below`] it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuitePolicy {
    /// Refuse anything weaker.
    pub at_least: CipherSuite,
}

impl SuitePolicy {
    /// Nothing weaker than what was once seen; `None` when nothing was.
    #[must_use]
    pub fn not_below(seen: Option<CipherSuite>) -> Self {
        seen.map_or_else(Self::default, |at_least| Self { at_least })
    }
}

impl Default for SuitePolicy {
    fn default() -> Self {
        Self { at_least: CipherSuite::Suite3 }
    }
}

/// A way in which some BMCs leave the specification. Names in `FromStr` are `ipmitool`'s where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quirk {
    /// `intelplus`: RAKP 3 is computed without the look-up bit; SOL answers "0 characters accepted" and means all.
    IntelPlus,
    /// `i82571spt`: RAKP 3 is computed without the look-up bit.
    I82571Spt,
    /// `nolist`: do not ask for the list of cipher suites, the BMC chokes on the question.
    NoSuiteList,
    /// `openpriv`: name the wanted privilege level in Open Session instead of "the highest".
    OpenWithPrivilege,
    /// `userpriv`: look users up by name and privilege instead of by name alone.
    LookupWithPrivilege,
}

impl Quirk {
    const ALL: [(Self, &'static str); 5] = [
        (Self::IntelPlus, "intelplus"),
        (Self::I82571Spt, "i82571spt"),
        (Self::NoSuiteList, "nolist"),
        (Self::OpenWithPrivilege, "openpriv"),
        (Self::LookupWithPrivilege, "userpriv"),
    ];
}

/// The quirks of one BMC; empty by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quirks(u8);

impl Quirks {
    #[must_use]
    pub fn has(self, quirk: Quirk) -> bool {
        self.0 & 1 << quirk as u8 != 0
    }
}

impl FromIterator<Quirk> for Quirks {
    fn from_iter<T: IntoIterator<Item = Quirk>>(quirks: T) -> Self {
        Self(quirks.into_iter().fold(0, |bits, quirk| bits | 1 << quirk as u8))
    }
}

impl FromStr for Quirks {
    type Err = String;

    /// A comma-separated list of names; empty is no quirk.
    fn from_str(list: &str) -> Result<Self, String> {
        list.split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(|name| {
                Quirk::ALL.iter().find(|(_, known)| *known == name).map(|(quirk, _)| *quirk).ok_or_else(|| {
                    let known: Vec<_> = Quirk::ALL.iter().map(|(_, name)| *name).collect();
                    format!("unknown BMC quirk \"{name}\"; known are {}", known.join(", "))
                })
            })
            .collect()
    }
}

impl fmt::Display for Quirks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Quirk::ALL.iter().filter(|(quirk, _)| self.has(*quirk)).map(|(_, name)| *name).collect();
        f.write_str(&names.join(","))
    }
}

/// How patiently to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Wait before the first repetition of anything; later ones wait longer.
    pub retry: Duration,
    /// From the call until a BMC that says nothing is given up, opening a session included.
    pub request: Duration,
    /// The same for a BMC that answers other packets while it works on this request.
    pub slow_request: Duration,
    /// Wait for the list of cipher suites, which some BMCs never send.
    pub suite_list: Duration,
    /// Idle time after which the session is refreshed; BMCs drop sessions after about 60 seconds.
    pub keep_alive: Duration,
    /// Idle time after which the session is closed; the next request opens another.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            retry: Duration::from_millis(300),
            request: Duration::from_millis(4500),
            slow_request: Duration::from_secs(15),
            suite_list: Duration::from_millis(400),
            keep_alive: Duration::from_secs(20),
            idle: Duration::from_secs(600),
        }
    }
}
