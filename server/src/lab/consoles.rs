//! Who may watch a machine's console, and one-time keys for clients that cannot send a header.

use std::{
    io,
    ops::{Deref, DerefMut},
    sync::Arc,
    time::Duration,
};

use app::api::{ConsoleTail, EventKind, LabEvent, List};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;
use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{ConsoleTokenRow, MachineRow};
use tokio::{sync::broadcast::error::RecvError, time::interval};

use super::{
    Action, Actor, Lab, LabError, Origin, accounts,
    audit::{self, Subject},
    machines, power,
};
use crate::{
    bmc::{Bmc, BmcError},
    console::{self, Lines, Viewer},
    journal::{Cause, Pending, instant, now_micros},
    secrets,
};

/// How long a ticket is good.
const TICKET: Duration = Duration::from_secs(300);
/// What is said of a machine that has no BMC.
const WITHOUT: &str = "console requires a BMC";

/// Joins a machine's console.
///
/// # Errors
/// Actors who are neither admin nor assignee, machines without BMC.
pub async fn attach(lab: &Lab, actor: &Actor, id: i64) -> Result<Seat, LabError> {
    let (machine, _) = power::controlled(lab, actor, id, Action::MachineConsole, WITHOUT).await?;
    let cause = actor.cause();
    let mut tx = lab.store.begin().await?;
    let mut pending = Pending::default();
    lab.journal.record_in(&mut tx, &mut pending, id, Some(&cause), EventKind::ConsoleAccess {}).await?;
    audit::did(&mut tx, actor, Subject::new("machine", id, &machine.name), "console", json!({})).await?;
    tx.commit().await?;
    lab.journal.publish(pending);
    Ok(Seat { viewer: lab.consoles.attach(id, &lines(lab), &actor.username), lab: lab.clone(), machine: id, actor: actor.clone() })
}

/// Somebody at a console: what they do there is recorded, to the end.
pub struct Seat {
    viewer: Viewer,
    lab: Lab,
    machine: i64,
    actor: Actor,
}

impl Seat {
    /// Resolves when the one who sits here may do so no longer, with what a new attempt would be told: the machine was given to
    /// others, it or its BMC is gone, or the login has ended.
    pub fn lost(&self) -> impl Future<Output = LabError> + Send + use<> {
        let (lab, actor, machine) = (self.lab.clone(), self.actor.clone(), self.machine);
        async move { lost(&lab, &actor, machine).await }
    }

    /// Becomes the one who types.
    pub async fn take_write(&self) {
        if self.viewer.take_write() {
            self.record("keyboard taken").await;
        }
    }

    /// Ends the session somebody else holds on the BMC.
    pub async fn take_over(&self) {
        self.viewer.take_over();
        self.record("taken over").await;
    }

    async fn record(&self, status: &str) {
        record_console(&self.lab, self.machine, &self.actor.cause(), status).await;
    }
}

/// A console works on when its doings cannot be recorded, as when the machine was deleted meanwhile.
async fn record_console(lab: &Lab, machine: i64, cause: &Cause, status: &str) {
    if let Err(error) = lab.journal.record(machine, Some(cause), EventKind::Console { status: status.into() }).await {
        tracing::warn!(machine, %error, "what happened at the console was not recorded");
    }
}

impl Deref for Seat {
    type Target = Viewer;

    fn deref(&self) -> &Viewer {
        &self.viewer
    }
}

impl DerefMut for Seat {
    fn deref_mut(&mut self) -> &mut Viewer {
        &mut self.viewer
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // seats are left within a runtime, but for its own end
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (lab, machine, cause) = (self.lab.clone(), self.machine, self.actor.cause());
            runtime.spawn(async move { record_console(&lab, machine, &cause, "closed").await });
        }
    }
}

async fn lost(lab: &Lab, actor: &Actor, machine: i64) -> LabError {
    let (mut live, mut logouts) = (lab.journal.listen(), lab.journal.logouts());
    // the first is due at once: something may have changed before we listened
    let mut checks = interval(accounts::CHECK_INTERVAL);
    loop {
        tokio::select! {
            _ = checks.tick() => {}
            Ok(()) = logouts.changed() => {}
            message = live.recv() => match message {
                Ok(LabEvent::Changed { machine: id } | LabEvent::Removed { machine: id }) if id == machine => {}
                Ok(LabEvent::List { list: List::User }) | Err(RecvError::Lagged(_)) => {}
                Ok(_) | Err(RecvError::Closed) => continue,
            },
        }
        // a database that does not answer is no reason to
        if let Err(error @ (LabError::Unauthenticated | LabError::Forbidden(_) | LabError::NotFound(_) | LabError::Invalid(_))) =
            may_stay(lab, actor, machine).await
        {
            return error;
        }
    }
}

/// What [`attach`] asks, with what the actor is now.
async fn may_stay(lab: &Lab, actor: &Actor, machine: i64) -> Result<(), LabError> {
    let actor = accounts::as_now(lab, actor).await?.ok_or(LabError::Unauthenticated)?;
    power::controlled(lab, &actor, machine, Action::MachineConsole, WITHOUT).await.map(drop)
}

/// Logs a machine's console for a while, though nobody watches.
pub(super) fn record(lab: &Lab, id: i64, during: Duration) {
    lab.consoles.record(id, &lines(lab), during);
}

/// A key that opens the console's socket once. It ends, and so does the console it opened, with what its maker came with.
///
/// # Errors
/// Actors who are neither admin nor assignee, machines without BMC.
pub async fn ticket(lab: &Lab, actor: &Actor, id: i64) -> Result<String, LabError> {
    power::controlled(lab, actor, id, Action::MachineConsole, WITHOUT).await?;
    let token = secrets::random_hex::<24>()?;
    let now = now_micros();
    let (session_hash, token_id) = match actor.origin.login() {
        Origin::Session(hash) => (Some(hash.clone()), None),
        Origin::Token(id) => (None, Some(*id)),
        Origin::Ticket(_) | Origin::Local => (None, None),
    };
    let row = ConsoleTokenRow {
        token_hash: hash(&token),
        machine_id: id,
        user_id: actor.user_id,
        session_hash,
        token_id,
        expires_at: now + i64::try_from(TICKET.as_micros()).unwrap_or(i64::MAX - now),
    };
    let mut tx = lab.store.begin().await?;
    store::console_tokens::delete_expired(&mut tx, now).await?;
    store::console_tokens::insert(&mut tx, &row).await?;
    tx.commit().await?;
    Ok(token)
}

/// Uses up a ticket: whose it is, and for which machine.
///
/// # Errors
/// [`LabError::NotFound`] when it is unknown, used or too old; [`LabError::Unauthenticated`] when its maker has been logged out.
pub async fn redeem(lab: &Lab, token: &str) -> Result<(Actor, i64), LabError> {
    let mut tx = lab.store.begin().await?;
    let row = store::console_tokens::take(&mut tx, &hash(token), now_micros()).await?;
    let row = row.ok_or_else(|| LabError::not_found("this console key is unknown, used or too old"))?;
    let user = store::users::get(&mut tx, row.user_id).await?.ok_or(LabError::Unauthenticated)?;
    tx.commit().await?;
    let maker = match (row.session_hash, row.token_id) {
        (Some(hash), _) => Origin::Session(hash),
        (None, Some(id)) => Origin::Token(id),
        (None, None) => Origin::Local,
    };
    let actor = Actor::new(user.id, &user.username, user.admin, Origin::Ticket(Box::new(maker)));
    let actor = accounts::as_now(lab, &actor).await?.ok_or(LabError::Unauthenticated)?;
    Ok((actor, row.machine_id))
}

/// The end of what a machine's console wrote, though nobody was looking.
///
/// # Errors
/// Actors who are neither admin nor assignee; a log that cannot be read.
pub async fn tail(lab: &Lab, actor: &Actor, id: i64, lines: usize) -> Result<ConsoleTail, LabError> {
    may_read(lab, actor, id).await?;
    let read = console::tail(&lab.config.console.log_dir, id, lines).await;
    let console::Tail { lines, written } = read.map_err(|error| unreadable(id, &error))?;
    Ok(ConsoleTail { lines, written: written.and_then(|at| Timestamp::try_from(at).ok()).map(|at| instant(at.as_microsecond())) })
}

/// All that is kept of what a machine's console wrote, and a name for it.
///
/// # Errors
/// Actors who are neither admin nor assignee; a log that cannot be read.
pub async fn log(lab: &Lab, actor: &Actor, id: i64) -> Result<(String, impl Stream<Item = io::Result<Bytes>> + use<>), LabError> {
    let machine = may_read(lab, actor, id).await?;
    let content = console::whole(&lab.config.console.log_dir, id).await.map_err(|error| unreadable(id, &error))?;
    Ok((machine.name, content))
}

/// Also without a BMC: it may have been taken away since.
async fn may_read(lab: &Lab, actor: &Actor, id: i64) -> Result<MachineRow, LabError> {
    let mut read = lab.store.read().await?;
    let (machine, ties) = machines::with_ties(&mut read, actor, id).await?;
    actor.must(Action::MachineConsole, ties)?;
    Ok(machine)
}

fn unreadable(machine: i64, error: &io::Error) -> LabError {
    LabError::Internal(format!("the console's log of machine {machine} cannot be read: {error}"))
}

fn hash(token: &str) -> String {
    secrets::hex(&Sha256::digest(token.as_bytes()))
}

fn lines(lab: &Lab) -> Arc<dyn Lines> {
    Arc::new(LabLines(lab.clone()))
}

/// Finds BMCs for consoles.
struct LabLines(Lab);

#[async_trait]
impl Lines for LabLines {
    async fn bmc(&self, machine: i64) -> Result<Arc<dyn Bmc>, BmcError> {
        match power::found(&self.0, machine).await {
            Ok(Some(target)) => self.0.fleet.bmc(&target),
            Ok(None) => Err(BmcError::NotAsked("the machine has no BMC any more".into())),
            Err(error) => Err(BmcError::Failed(format!("the machine's BMC cannot be looked up: {error}"))),
        }
    }
}
