//! The event stream of the lab, kept open.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    rc::Rc,
    time::Duration,
};

use app::api::{LabEvent, StreamStatus};
use leptos::{
    leptos_dom::helpers::{TimeoutHandle, set_timeout_with_handle},
    logging::warn,
};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, EventSource, MessageEvent};

/// The browser tries again by itself after a lost connection, but gives up for good when the server answers
/// with an error, e.g. while it starts. Then we try, this much later.
const AGAIN: Duration = Duration::from_secs(3);

/// A loss is told this much later: it may turn out to be the end of a session.
const DOUBT: Duration = Duration::from_millis(500);

type Later<T> = Pin<Box<dyn Future<Output = T>>>;

/// Dropping it closes the stream.
pub(crate) struct Stream(Rc<Inner>);

struct Inner {
    address: String,
    on_event: Box<dyn Fn(LabEvent)>,
    on_status: Box<dyn Fn(StreamStatus)>,
    /// The stream ended, or there is none: perhaps the session has ended.
    has_ended: Box<dyn Fn() -> Later<bool>>,
    /// Comes when somebody has logged in.
    login: Box<dyn Fn() -> Later<()>>,
    open: Cell<bool>,
    logged_out: Cell<bool>,
    connection: RefCell<Option<Connection>>,
    retry: RefCell<Option<TimeoutHandle>>,
    /// That it is lost will be told.
    loss: RefCell<Option<TimeoutHandle>>,
}

/// An `EventSource` with the closures it calls.
struct Connection {
    source: EventSource,
    _on_message: Closure<dyn Fn(MessageEvent)>,
    _on_open: Closure<dyn Fn(Event)>,
    _on_error: Closure<dyn Fn(Event)>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        // before the closures are freed
        self.source.set_onmessage(None);
        self.source.set_onopen(None);
        self.source.set_onerror(None);
        self.source.close();
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Inner {
    /// No connection, and nothing that would make one.
    fn stop(&self) {
        for timer in [&self.retry, &self.loss] {
            if let Some(timer) = timer.take() {
                timer.clear();
            }
        }
        self.connection.take();
    }
}

pub(crate) fn open<Ended, Login>(
    address: String,
    on_event: impl Fn(LabEvent) + 'static,
    on_status: impl Fn(StreamStatus) + 'static,
    has_ended: impl Fn() -> Ended + 'static,
    login: impl Fn() -> Login + 'static,
) -> Stream
where
    Ended: Future<Output = bool> + 'static,
    Login: Future<Output = ()> + 'static,
{
    let inner = Rc::new(Inner {
        address,
        on_event: Box::new(on_event),
        on_status: Box::new(on_status),
        has_ended: Box::new(move || Box::pin(has_ended())),
        login: Box::new(move || Box::pin(login())),
        open: Cell::new(false),
        logged_out: Cell::new(false),
        connection: RefCell::new(None),
        retry: RefCell::new(None),
        loss: RefCell::new(None),
    });
    connect(&inner);
    Stream(inner)
}

fn connect(inner: &Rc<Inner>) {
    let Ok(source) = EventSource::new(&inner.address) else {
        tell_loss(inner);
        retry_later(inner);
        return;
    };
    // weak: the connection is owned by what its closures refer to
    let weak = Rc::downgrade(inner);
    let on_message = Closure::<dyn Fn(MessageEvent)>::new({
        let weak = weak.clone();
        move |message: MessageEvent| {
            let Some(inner) = weak.upgrade() else { return };
            let text = message.data().as_string().unwrap_or_default();
            match serde_json::from_str(&text) {
                Ok(event) => (inner.on_event)(event),
                // e.g. a kind of event that this older page does not know
                Err(error) => warn!("stream: {error} in {text}"),
            }
        }
    });
    let on_open = Closure::<dyn Fn(Event)>::new({
        let weak = weak.clone();
        move |_| {
            if let Some(inner) = weak.upgrade() {
                inner.open.set(true);
                if let Some(loss) = inner.loss.take() {
                    loss.clear();
                }
                (inner.on_status)(StreamStatus::Open);
            }
        }
    });
    let on_error = Closure::<dyn Fn(Event)>::new(move |_| {
        let Some(inner) = weak.upgrade() else { return };
        tell_loss(&inner);
        let was_open = inner.open.replace(false);
        let gave_up = inner.connection.borrow().as_ref().is_some_and(|own| own.source.ready_state() == EventSource::CLOSED);
        // once for every end: not as often as the browser tries again
        if was_open || gave_up {
            look_for_session(&inner);
        }
        if gave_up {
            retry_later(&inner);
        }
    });
    source.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    source.set_onopen(Some(on_open.as_ref().unchecked_ref()));
    source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
    *inner.connection.borrow_mut() = Some(Connection { source, _on_message: on_message, _on_open: on_open, _on_error: on_error });
}

/// Says that the connection is lost, unless it is there again by then or known to be of nobody.
fn tell_loss(inner: &Rc<Inner>) {
    if inner.loss.borrow().is_some() || inner.logged_out.get() {
        return;
    }
    let weak = Rc::downgrade(inner);
    let timer = set_timeout_with_handle(
        move || {
            if let Some(inner) = weak.upgrade() {
                inner.loss.take();
                (inner.on_status)(StreamStatus::Lost);
            }
        },
        DOUBT,
    );
    *inner.loss.borrow_mut() = timer.ok();
}

/// If the session has ended, nothing is tried until somebody has logged in again.
fn look_for_session(inner: &Rc<Inner>) {
    let has_ended = (inner.has_ended)();
    let weak = Rc::downgrade(inner);
    spawn_local(async move {
        if !has_ended.await {
            return;
        }
        let Some(inner) = weak.upgrade() else { return };
        if inner.logged_out.replace(true) {
            return;
        }
        inner.stop();
        (inner.on_status)(StreamStatus::LoggedOut);
        let login = (inner.login)();
        drop(inner);
        login.await;
        if let Some(inner) = weak.upgrade() {
            inner.logged_out.set(false);
            connect(&inner);
        }
    });
}

fn retry_later(inner: &Rc<Inner>) {
    let weak = Rc::downgrade(inner);
    let timer = set_timeout_with_handle(
        move || {
            if let Some(inner) = weak.upgrade() {
                connect(&inner);
            }
        },
        AGAIN,
    );
    *inner.retry.borrow_mut() = timer.ok();
}
