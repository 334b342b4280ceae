//! Whom a token stands for, remembered for a moment: a script asks many times a second.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::{Duration, Instant},
};

use crate::{journal::now_micros, lab::Actor};

/// Another server on the same database may have withdrawn a token: it works here for at most this long.
const LIFETIME: Duration = Duration::from_secs(5);

/// Tokens remembered; more than a lab has in use within the lifetime.
const CAPACITY: usize = 10_000;

/// SHA-256 of a token.
pub(super) type Key = [u8; 32];

#[derive(Default)]
pub(super) struct Cache {
    entries: RwLock<Entries>,
}

#[derive(Default)]
struct Entries {
    /// Since when, and when the token itself expires.
    known: HashMap<Key, (Actor, Instant, Option<i64>)>,
    /// Counts the times everything was forgotten.
    generation: u64,
}

impl Cache {
    pub(super) fn get(&self, key: &Key) -> Option<Actor> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let good = |(_, since, expiry): &&(Actor, Instant, Option<i64>)| {
            since.elapsed() < LIFETIME && expiry.is_none_or(|expiry| expiry > now_micros())
        };
        entries.known.get(key).filter(good).map(|(actor, ..)| actor.clone())
    }

    /// To be asked before the store is, and handed to [`Cache::put`].
    pub(super) fn generation(&self) -> u64 {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).generation
    }

    /// Does nothing when everything was forgotten since `generation`: what was read may be of before that change.
    pub(super) fn put(&self, key: Key, actor: Actor, expiry: Option<i64>, generation: u64) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if entries.generation != generation {
            return;
        }
        if entries.known.len() >= CAPACITY {
            entries.known.clear();
        }
        entries.known.insert(key, (actor, Instant::now(), expiry));
    }

    /// After every committed change of a user or a token.
    pub(super) fn forget(&self) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.known.clear();
        entries.generation += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::Origin;

    fn actor() -> Actor {
        Actor::new(1, "ann", true, Origin::Token(1))
    }

    #[test]
    fn what_was_read_before_a_change_is_not_remembered_after_it() {
        let cache = Cache::default();
        let generation = cache.generation();
        cache.forget();
        cache.put([1; 32], actor(), None, generation);
        assert!(cache.get(&[1; 32]).is_none());
        cache.put([1; 32], actor(), None, cache.generation());
        assert_eq!(cache.get(&[1; 32]).unwrap().username, "ann");
        cache.forget();
        assert!(cache.get(&[1; 32]).is_none());
    }
}
