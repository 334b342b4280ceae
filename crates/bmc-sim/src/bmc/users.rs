//! The accounts of a BMC.

use std::fmt;

use ipmi_wire::{
    Privilege,
    session::{BmcUser, KeyTooLong, SecretKey, Username},
};
use serde::{Deserialize, Deserializer};

/// One account.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// At most 16 bytes.
    pub name: String,
    /// At most 20 bytes.
    pub password: String,
    /// Highest level this user's sessions reach. In a file: "user", "operator" or "administrator".
    #[serde(default = "administrator", deserialize_with = "privilege")]
    pub privilege: Privilege,
}

impl User {
    /// An account.
    #[must_use]
    pub fn new(name: &str, password: &str, privilege: Privilege) -> Self {
        Self { name: name.to_owned(), password: password.to_owned(), privilege }
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("name", &self.name).field("privilege", &self.privilege).finish_non_exhaustive()
    }
}

fn administrator() -> Privilege {
    Privilege::Administrator
}

fn privilege<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Privilege, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.to_ascii_lowercase().as_str() {
        "callback" => Ok(Privilege::Callback),
        "user" => Ok(Privilege::User),
        "operator" => Ok(Privilege::Operator),
        "administrator" | "admin" => Ok(Privilege::Administrator),
        _ => Err(serde::de::Error::custom(format!("{text:?} is not a privilege level: callback, user, operator or administrator"))),
    }
}

/// The accounts in the form the protocol wants them. User ids count from 1; 1 is the anonymous user, always disabled here.
#[derive(Debug)]
pub(super) struct Users(Box<[(Username, BmcUser)]>);

/// User id of the first account.
const FIRST_ID: u8 = 2;

impl Users {
    pub(super) fn new(users: &[User]) -> Result<Self, KeyTooLong> {
        let accounts = users.iter().map(|user| {
            let account = BmcUser { password: SecretKey::new(user.password.as_bytes())?, max_privilege: user.privilege };
            Ok((Username::new(user.name.as_bytes())?, account))
        });
        accounts.collect::<Result<_, _>>().map(Self)
    }

    /// The account a log-in means. By name alone the first of that name; by name and level the first that may reach it,
    /// or else any of that name, so that the refusal names the level and not the user.
    pub(super) fn find(&self, name: &Username, level: Option<Privilege>, name_only: bool) -> Option<&BmcUser> {
        let mut named = self.0.iter().filter(|(user, _)| user == name).map(|(_, account)| account);
        let first = named.next()?;
        if name_only {
            return Some(first);
        }
        let reaches = |account: &&BmcUser| level.is_none_or(|level| account.max_privilege >= level);
        Some(std::iter::once(first).chain(named).find(reaches).unwrap_or(first))
    }

    pub(super) fn len(&self) -> u8 {
        u8::try_from(self.0.len()).unwrap_or(u8::MAX)
    }

    /// Name and level of the user with this id; the anonymous user has no level.
    pub(super) fn by_id(&self, id: u8) -> Option<(Username, Option<Privilege>)> {
        match id.checked_sub(FIRST_ID) {
            Some(index) => self.0.get(usize::from(index)).map(|(name, account)| (*name, Some(account.max_privilege))),
            None => (id == FIRST_ID - 1).then(|| (Username::default(), None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_up_by_name_and_level() {
        let users =
            [User::new("a", "1", Privilege::User), User::new("a", "2", Privilege::Administrator), User::new("b", "3", Privilege::Operator)];
        let users = Users::new(&users).unwrap();
        let name = |text: &str| Username::new(text.as_bytes()).unwrap();
        let level = |found: Option<&BmcUser>| found.map(|user| user.max_privilege);
        assert_eq!(level(users.find(&name("a"), Some(Privilege::Administrator), true)), Some(Privilege::User));
        assert_eq!(level(users.find(&name("a"), Some(Privilege::Administrator), false)), Some(Privilege::Administrator));
        assert_eq!(level(users.find(&name("b"), Some(Privilege::Administrator), false)), Some(Privilege::Operator));
        assert_eq!(level(users.find(&name("c"), None, true)), None);
        assert_eq!(users.by_id(2), Some((name("a"), Some(Privilege::User))));
        assert_eq!(users.by_id(1), Some((Username::default(), None)));
        assert_eq!(users.by_id(5), None);
    }

    #[test]
    fn a_password_never_shows() {
        assert!(!format!("{:?}", User::new("a", "s3cret", Privilege::User)).contains("s3cret"));
        assert!(Users::new(&[User::new("a", "123456789012345678901", Privilege::User)]).is_err());
    }
}
