//! The event stream of the lab, kept open.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use app::api::{LabEvent, StreamStatus};
use leptos::{
    leptos_dom::helpers::{TimeoutHandle, set_timeout_with_handle},
    logging::warn,
};
use wasm_bindgen::prelude::*;
use web_sys::{Event, EventSource, MessageEvent};

/// The browser tries again by itself after a lost connection, but gives up for good when the server answers
/// with an error, e.g. while it starts. Then we try, this much later.
const AGAIN: Duration = Duration::from_secs(3);

/// Dropping it closes the stream.
pub(crate) struct Stream(Rc<Inner>);

struct Inner {
    address: String,
    on_event: Box<dyn Fn(LabEvent)>,
    on_status: Box<dyn Fn(StreamStatus)>,
    /// The stream ended, or there is none: perhaps there is no session any more.
    on_end: Box<dyn Fn()>,
    open: Cell<bool>,
    connection: RefCell<Option<Connection>>,
    retry: RefCell<Option<TimeoutHandle>>,
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
        if let Some(retry) = self.0.retry.take() {
            retry.clear();
        }
        self.0.connection.take();
    }
}

pub(crate) fn open(
    address: String,
    on_event: impl Fn(LabEvent) + 'static,
    on_status: impl Fn(StreamStatus) + 'static,
    on_end: impl Fn() + 'static,
) -> Stream {
    let inner = Rc::new(Inner {
        address,
        on_event: Box::new(on_event),
        on_status: Box::new(on_status),
        on_end: Box::new(on_end),
        open: Cell::new(false),
        connection: RefCell::new(None),
        retry: RefCell::new(None),
    });
    connect(&inner);
    Stream(inner)
}

fn connect(inner: &Rc<Inner>) {
    let Ok(source) = EventSource::new(&inner.address) else {
        (inner.on_status)(StreamStatus::Lost);
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
                (inner.on_status)(StreamStatus::Open);
            }
        }
    });
    let on_error = Closure::<dyn Fn(Event)>::new(move |_| {
        let Some(inner) = weak.upgrade() else { return };
        (inner.on_status)(StreamStatus::Lost);
        let was_open = inner.open.replace(false);
        let gave_up = inner.connection.borrow().as_ref().is_some_and(|own| own.source.ready_state() == EventSource::CLOSED);
        // once for every end: not as often as the browser tries again
        if was_open || gave_up {
            (inner.on_end)();
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
