//! How often a password may be guessed.
//!
//! An attempt is paid for before it is made and the price given back when the password was right, so that a burst of
//! parallel guesses gets no more of them, and whoever knows the password is never slowed down by using it.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::lab::LabError;

/// Guesses for one account, from wherever: ten at once, then six a minute.
const ACCOUNT: Quota = Quota { burst: 10.0, refill: Duration::from_secs(10) };

/// Guesses from one address, for whatever accounts: thirty at once, then twenty a minute.
const ADDRESS: Quota = Quota { burst: 30.0, refill: Duration::from_secs(3) };

/// Entries above which those that are full again are dropped.
const PRUNE: usize = 10_000;

/// Entries above which nobody new is let in: an attack from a million addresses must not take the memory.
const CAPACITY: usize = 200_000;

#[derive(Clone, Copy)]
struct Quota {
    burst: f64,
    /// Time after which one more is allowed.
    refill: Duration,
}

pub(super) struct LoginLimit {
    accounts: Buckets<String>,
    addresses: Buckets<IpAddr>,
}

impl Default for LoginLimit {
    fn default() -> Self {
        Self { accounts: Buckets::new(ACCOUNT), addresses: Buckets::new(ADDRESS) }
    }
}

impl LoginLimit {
    pub(super) fn take(&self, account: &str, address: Option<IpAddr>) -> Result<(), LabError> {
        let now = Instant::now();
        if let Some(address) = address {
            self.addresses.take(network(address), now).map_err(too_many)?;
        }
        // a name no account can have must not fill the memory
        let account = account.chars().take(128).collect();
        self.accounts.take(account, now).map_err(too_many)
    }

    pub(super) fn give_back(&self, account: &str, address: Option<IpAddr>) {
        if let Some(address) = address {
            self.addresses.give_back(&network(address));
        }
        self.accounts.give_back(&account.chars().take(128).collect());
    }
}

fn too_many(wait: Duration) -> LabError {
    LabError::TooMany { seconds: wait.as_secs() + 1 }
}

/// A subscriber of IPv6 has a /64 to guess from.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

/// Token buckets by key.
struct Buckets<K> {
    quota: Quota,
    levels: Mutex<Levels<K>>,
}

struct Levels<K> {
    by_key: HashMap<K, (f64, Instant)>,
    /// Doubled when little could be dropped, so that not every attempt looks through them all.
    prune_at: usize,
}

impl<K: Hash + Eq> Buckets<K> {
    fn new(quota: Quota) -> Self {
        Self { quota, levels: Mutex::new(Levels { by_key: HashMap::new(), prune_at: PRUNE }) }
    }

    /// The time to wait when there is nothing left.
    fn take(&self, key: K, now: Instant) -> Result<(), Duration> {
        let Quota { burst, refill } = self.quota;
        let level_at = |level: f64, since: Instant| (level + now.saturating_duration_since(since).div_duration_f64(refill)).min(burst);
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        if levels.by_key.len() >= levels.prune_at {
            levels.by_key.retain(|_, (level, since)| level_at(*level, *since) < burst);
            levels.prune_at = (levels.by_key.len() * 2).clamp(PRUNE, CAPACITY);
        }
        if levels.by_key.len() >= CAPACITY && !levels.by_key.contains_key(&key) {
            return Err(refill);
        }
        let (level, since) = levels.by_key.entry(key).or_insert((burst, now));
        let left = level_at(*level, *since);
        if left < 1.0 {
            return Err(refill.mul_f64(1.0 - left));
        }
        (*level, *since) = (left - 1.0, now);
        Ok(())
    }

    fn give_back(&self, key: &K) {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((level, _)) = levels.by_key.get_mut(key) {
            *level = (*level + 1.0).min(self.quota.burst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_burst_is_used_up_and_comes_back_one_by_one() {
        let buckets = Buckets::new(Quota { burst: 3.0, refill: Duration::from_secs(10) });
        let start = Instant::now();
        for _ in 0..3 {
            buckets.take("ann", start).unwrap();
        }
        assert_eq!(buckets.take("ann", start).unwrap_err().as_secs(), 10);
        assert!(buckets.take("bob", start).is_ok());
        assert!(buckets.take("ann", start + Duration::from_secs(9)).is_err());
        assert!(buckets.take("ann", start + Duration::from_secs(10)).is_ok());
        assert!(buckets.take("ann", start + Duration::from_secs(10)).is_err());
    }

    #[test]
    fn an_attack_from_everywhere_takes_neither_the_memory_nor_those_who_were_here_before() {
        let buckets = Buckets::new(Quota { burst: 2.0, refill: Duration::from_secs(10) });
        let start = Instant::now();
        let let_in = (0..CAPACITY + 1000).filter(|key| buckets.take(*key, start).is_ok()).count();
        assert_eq!(let_in, CAPACITY);
        assert!(buckets.take(1, start).is_ok());
        // they are forgotten once they are full again
        assert!(buckets.take(CAPACITY + 1, start + Duration::from_secs(20)).is_ok());
        assert!(buckets.levels.lock().unwrap().by_key.len() < 10);
    }

    #[test]
    fn a_right_password_costs_nothing() {
        let limit = LoginLimit::default();
        for _ in 0..100 {
            limit.take("ann", Some(IpAddr::from([10, 0, 0, 1]))).unwrap();
            limit.give_back("ann", Some(IpAddr::from([10, 0, 0, 1])));
        }
    }

    #[test]
    fn many_accounts_from_one_address_are_slowed_down_too() {
        let limit = LoginLimit::default();
        let refused = (0..100).filter(|n| limit.take(&format!("user{n}"), Some(IpAddr::from([10, 0, 0, 1]))).is_err()).count();
        assert_eq!(refused, 70);
    }

    #[test]
    fn an_ipv6_subscriber_is_one_address() {
        assert_eq!(network("2001:db8::1".parse().unwrap()), network("2001:db8::ffff:1".parse().unwrap()));
        assert_ne!(network("2001:db8::1".parse().unwrap()), network("2001:db8:0:1::1".parse().unwrap()));
        assert_eq!(network("::ffff:10.0.0.1".parse().unwrap()), IpAddr::from([10, 0, 0, 1]));
    }
}
