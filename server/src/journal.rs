//! What happened to the lab's machines: kept in the store, and told at once to whoever listens.

use std::collections::BTreeSet;

use app::api::{Event, EventKind, Instant, LabEvent, List};
use jiff::Timestamp;
use store::{EventRow, NewEvent, Store, StoreError, Tx};

use tokio::sync::{broadcast, watch};

/// Live messages a slow reader may fall behind before it is told to load everything anew.
const BACKLOG: usize = 4096;

/// Noted in a transaction ([`Tx::note`]) that ends sessions.
pub const SESSIONS_ENDED: &str = "sessions ended";

/// Writes events and publishes them. Cheap to clone.
#[derive(Clone)]
pub struct Journal {
    store: Store,
    live: broadcast::Sender<LabEvent>,
    logouts: watch::Sender<()>,
}

/// Who caused an event.
#[derive(Clone, Debug)]
pub struct Cause {
    pub user_id: i64,
    pub username: String,
}

/// Messages to publish once the transaction they belong to is committed. Dropped with it otherwise.
#[derive(Default)]
#[must_use = "publish them after the commit"]
pub struct Pending {
    events: Vec<Event>,
    changed: BTreeSet<i64>,
}

impl Pending {
    /// Something of the machine changed that has no event of its own.
    pub fn changed(&mut self, machine: i64) {
        self.changed.insert(machine);
    }
}

impl Journal {
    #[must_use]
    pub fn new(store: Store) -> Self {
        let live = broadcast::Sender::new(BACKLOG);
        let logouts = watch::Sender::new(());
        let (told, ended) = (live.clone(), logouts.clone());
        store.on_commit(move |word| {
            if word == SESSIONS_ENDED {
                ended.send_replace(());
            }
            if let Some(list) = List::ALL.into_iter().find(|list| list.word() == word) {
                // nobody may be looking
                let _ = told.send(LabEvent::List { list });
            }
        });
        Self { store, live, logouts }
    }

    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<LabEvent> {
        self.live.subscribe()
    }

    /// Changes whenever this server has ended sessions.
    #[must_use]
    pub fn logouts(&self) -> watch::Receiver<()> {
        self.logouts.subscribe()
    }

    /// Tells listeners something that is not kept, e.g. a power state.
    pub fn tell(&self, message: LabEvent) {
        // no receiver is no error: nobody is looking
        let _ = self.live.send(message);
    }

    /// Writes an event in the caller's transaction; it is published by [`Journal::publish`].
    ///
    /// # Errors
    /// The store's.
    pub async fn record_in(
        &self,
        tx: &mut Tx,
        pending: &mut Pending,
        machine: i64,
        cause: Option<&Cause>,
        what: EventKind,
    ) -> Result<(), StoreError> {
        let (event_type, info) = split(&what);
        let new = NewEvent {
            machine_id: machine,
            user_id: cause.map(|cause| cause.user_id),
            username: cause.map(|cause| cause.username.clone()),
            at: now_micros(),
            event_type,
            info,
        };
        let id = store::events::insert(tx, &new).await?;
        pending.events.push(Event { id, machine_id: machine, username: new.username, date: instant(new.at), what });
        Ok(())
    }

    /// Publishes what a committed transaction recorded.
    pub fn publish(&self, pending: Pending) {
        for event in pending.events {
            self.tell(LabEvent::Event { event });
        }
        for machine in pending.changed {
            self.tell(LabEvent::Changed { machine });
        }
    }

    /// Writes and publishes one event in a transaction of its own.
    ///
    /// # Errors
    /// The store's.
    pub async fn record(&self, machine: i64, cause: Option<&Cause>, what: EventKind) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        let mut pending = Pending::default();
        self.record_in(&mut tx, &mut pending, machine, cause, what).await?;
        tx.commit().await?;
        self.publish(pending);
        Ok(())
    }
}

/// The store's clock: microseconds since 1970, UTC.
#[must_use]
pub fn now_micros() -> i64 {
    Timestamp::now().as_microsecond()
}

/// A stored instant as it travels.
#[must_use]
pub fn instant(micros: i64) -> Instant {
    let text = Timestamp::from_microsecond(micros).map_or_else(|_| "1970-01-01T00:00:00".to_owned(), |at| format!("{at:.6}"));
    Instant(text)
}

/// An event as it travels; one written by a newer version, which this one cannot read, is left out.
#[must_use]
pub fn event(row: EventRow) -> Option<Event> {
    let info: serde_json::Value = serde_json::from_str(&row.info).ok()?;
    let what = serde_json::from_value(serde_json::json!({ "event_type": row.event_type, "info": info })).ok()?;
    Some(Event { id: row.id, machine_id: row.machine_id, username: row.username, date: instant(row.at), what })
}

/// The type's name and its data, as stored.
fn split(what: &EventKind) -> (String, String) {
    let value = serde_json::to_value(what).unwrap_or_default();
    let event_type = value["event_type"].as_str().unwrap_or_default().to_owned();
    (event_type, value["info"].to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_survives_its_way_through_the_store() {
        let what = EventKind::PreseedError { client_ip: "10.0.0.9".into(), message: "`x` is undefined".into(), lineno: 0 };
        let (event_type, info) = split(&what);
        assert_eq!(event_type, "PRESEED_ERROR");
        let row = EventRow { id: 7, machine_id: 3, user_id: None, username: None, at: 0, event_type, info };
        let back = event(row).unwrap();
        assert_eq!(back.what, what);
        assert_eq!(back.date.0, "1970-01-01T00:00:00.000000Z");
    }

    #[test]
    fn an_event_without_data_survives_too() {
        let (event_type, info) = split(&EventKind::ConsoleAccess {});
        let row = EventRow { id: 7, machine_id: 3, user_id: Some(1), username: Some("ann".into()), at: 0, event_type, info };
        assert_eq!(event(row).unwrap().what, EventKind::ConsoleAccess {});
    }
}
