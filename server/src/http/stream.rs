//! `GET /stream`: the lab's events as server-sent events, for as long as the reader stays.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use app::api::{ApiError, LabEvent, List};
use axum::{
    extract::State,
    http::HeaderMap,
    response::{
        IntoResponse, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::stream;
use tokio::{
    sync::{
        broadcast::{Receiver, error::RecvError},
        watch,
    },
    time::{Instant, sleep_until},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::lab::{Actor, Lab, LabError, accounts, watch as news};

/// A comment this often keeps proxies from closing a quiet connection, and finds readers that are gone.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new().routes(routes!(watch_lab))
}

/// What happens in the lab, live
///
/// Each message is a `LabEvent` as JSON. The first is a `snapshot`. Entries of a machine's log carry their id; a reader
/// who comes back with `Last-Event-ID` is told what it missed, or `resync` when that is too much. A reader who becomes an administrator, or
/// is one no longer, is told `resync` and another `snapshot`: it sees more, or less, than before.
#[utoipa::path(
    get, path = "/stream", tag = "stream",
    params(("Last-Event-ID" = Option<i64>, Header, description = "The last entry of a log that was seen")),
    responses(
        (status = 200, description = "Messages, until either side leaves", body = LabEvent, content_type = "text/event-stream"),
        (status = 401, description = "Not logged in", body = ApiError),
    )
)]
async fn watch_lab(State(lab): State<Lab>, actor: Actor, headers: HeaderMap) -> Result<impl IntoResponse, LabError> {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let reader = Reader::start(lab, actor, last).await?;
    let messages = stream::unfold(reader, async |mut reader| {
        let message = reader.next().await?;
        // a database that does not answer ends the stream: the browser opens it anew
        let message = news::shown(&reader.lab, &reader.actor, message).await.ok()?;
        Some((Ok::<_, Infallible>(frame(&message)), reader))
    });
    // a proxy must not hold messages back until it has a buffer full
    Ok(([("x-accel-buffering", "no"), ("cache-control", "no-store")], Sse::new(messages).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))))
}

fn frame(message: &LabEvent) -> Event {
    let event = match message {
        LabEvent::Event { event } => Event::default().id(event.id.to_string()),
        _ => Event::default(),
    };
    // plain data: writing it as JSON cannot fail
    event.json_data(message).unwrap_or_default()
}

struct Reader {
    lab: Lab,
    actor: Actor,
    live: Receiver<LabEvent>,
    logouts: watch::Receiver<()>,
    waiting: VecDeque<LabEvent>,
    /// The newest log entry told from the store: the live channel may bring it once more.
    told: i64,
    check: Instant,
}

impl Reader {
    async fn start(lab: Lab, actor: Actor, last: Option<i64>) -> Result<Self, LabError> {
        // first listen, then read: nothing falls between
        let (live, logouts) = (lab.journal.listen(), lab.journal.logouts());
        let mut waiting = VecDeque::from([news::snapshot(&lab).await?]);
        if let Some(last) = last {
            waiting.extend(news::missed(&lab, last).await?);
        }
        let told = waiting.iter().map(|message| if let LabEvent::Event { event } = message { event.id } else { 0 }).max();
        Ok(Self { lab, actor, live, logouts, waiting, told: told.unwrap_or(0), check: Instant::now() + accounts::CHECK_INTERVAL })
    }

    /// None: the stream ends.
    async fn next(&mut self) -> Option<LabEvent> {
        loop {
            if let Some(message) = self.waiting.pop_front() {
                return Some(message);
            }
            tokio::select! {
                () = self.lab.shutdown.cancelled() => return None,
                () = sleep_until(self.check) => self.check().await?,
                Ok(()) = self.logouts.changed() => self.check().await?,
                message = self.live.recv() => match message {
                    Ok(LabEvent::Event { event }) if event.id <= self.told => {}
                    // perhaps the reader has become an administrator, or is none any more
                    Ok(message @ LabEvent::List { list: List::User }) => {
                        self.check().await?;
                        return Some(message);
                    }
                    Ok(message) => {
                        if let LabEvent::Changed { machine } = message
                            && let Ok(Some(complaint)) = news::complaint(&self.lab, &self.actor, machine).await
                        {
                            self.waiting.push_back(complaint);
                        }
                        return Some(message);
                    }
                    Err(RecvError::Lagged(_)) => self.start_over().await?,
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }

    /// The reader was too slow, or may see something else now: what is still in the channel is older than a new snapshot.
    async fn start_over(&mut self) -> Option<()> {
        self.live = self.lab.journal.listen();
        self.waiting.push_back(LabEvent::Resync);
        self.waiting.push_back(news::snapshot(&self.lab).await.ok()?);
        Some(())
    }

    /// Ends the stream of somebody who has been logged out. Whose rights have changed goes on with the new ones, and is told to load
    /// anew what was told by the old ones. A database that does not answer is no reason for either.
    async fn check(&mut self) -> Option<()> {
        self.check = Instant::now() + accounts::CHECK_INTERVAL;
        let Ok(now) = accounts::as_now(&self.lab, &self.actor).await else { return Some(()) };
        let before = std::mem::replace(&mut self.actor, now?);
        if before.admin == self.actor.admin { Some(()) } else { self.start_over().await }
    }
}
