//! A terminal on a socket. xterm, the socket and the log live in `js/terminal.js`; bytes never pass through wasm.

use leptos::{html::Div, prelude::*, task::spawn_local};
use send_wrapper::SendWrapper;
use wasm_bindgen::prelude::*;

use super::find::Found;

#[wasm_bindgen(module = "/js/terminal.js")]
extern "C" {
    type Session;
    /// Resolves once xterm is loaded and drawn; the socket may still be connecting.
    #[wasm_bindgen(catch, js_name = openTerminal)]
    async fn open_terminal(
        element: &web_sys::HtmlElement,
        path: &str,
        on_link: &Closure<dyn Fn(String)>,
        on_text: &Closure<dyn Fn(String)>,
        on_found: &Closure<dyn Fn(i32, u32)>,
        on_keys: &Closure<dyn Fn(String)>,
    ) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method)]
    fn close(this: &Session);
    #[wasm_bindgen(method)]
    fn send(this: &Session, text: &str);
    #[wasm_bindgen(method, js_name = setWritable)]
    fn set_writable(this: &Session, writable: bool);
    #[wasm_bindgen(method)]
    fn zoom(this: &Session, steps: i32);
    #[wasm_bindgen(method)]
    fn find(this: &Session, text: &str, direction: i32);
    #[wasm_bindgen(method)]
    fn stop(this: &Session);
    #[wasm_bindgen(method)]
    fn start(this: &Session);
    #[wasm_bindgen(method)]
    fn focus(this: &Session);
    #[wasm_bindgen(method)]
    fn text(this: &Session) -> String;
    #[wasm_bindgen(catch, js_name = toggleFullScreen)]
    async fn toggle_full_screen() -> Result<JsValue, JsValue>;
}

/// Into the full window and back. Answers whether the browser did so.
pub(crate) async fn full_screen() -> bool {
    toggle_full_screen().await.is_ok()
}

/// How the page's own socket to the server is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// Loading the terminal, or connecting for the first time.
    Opening,
    Open,
    /// Lost or refused; tried again by itself.
    Lost,
    /// The terminal itself could not be loaded.
    Broken(String),
}

/// Ends the session when the page goes. The closures must outlive the JavaScript that calls them.
struct Guard {
    session: Session,
    _on_link: Closure<dyn Fn(String)>,
    _on_text: Closure<dyn Fn(String)>,
    _on_found: Closure<dyn Fn(i32, u32)>,
    _on_keys: Closure<dyn Fn(String)>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.session.close();
    }
}

/// What a page does with its terminal. Without effect while the terminal is loading.
#[derive(Clone, Copy)]
pub(crate) struct TerminalHandle {
    /// None on the server, which may drop it on another thread.
    guard: StoredValue<Option<SendWrapper<Guard>>>,
    /// What the last search came to.
    pub(super) found: RwSignal<Found>,
    /// Whether the search is open.
    pub(crate) searching: RwSignal<bool>,
}

impl TerminalHandle {
    pub(crate) fn new() -> Self {
        Self { guard: StoredValue::new(None), found: RwSignal::new(Found::default()), searching: RwSignal::new(false) }
    }

    fn with(self, act: impl FnOnce(&Session)) {
        self.guard.try_with_value(|guard| guard.as_ref().map(|guard| act(&guard.session)));
    }

    /// Sends a text frame.
    pub(crate) fn send(self, text: &str) {
        self.with(|session| session.send(text));
    }

    /// Whether keys go to the line.
    pub(crate) fn set_writable(self, writable: bool) {
        self.with(|session| session.set_writable(writable));
    }

    /// Larger or smaller letters.
    pub(crate) fn zoom(self, steps: i32) {
        self.with(|session| session.zoom(steps));
    }

    /// Marks every place where the text stands and goes to one: above (-1), below (1), or the nearest (0).
    pub(super) fn find(self, text: &str, direction: i32) {
        self.with(|session| session.find(text, direction));
    }

    /// Closes the socket; what is on the screen stays.
    pub(crate) fn stop(self) {
        self.with(Session::stop);
    }

    /// Opens it again after it was stopped.
    pub(crate) fn start(self) {
        self.with(Session::start);
    }

    pub(crate) fn focus(self) {
        self.with(Session::focus);
    }

    /// What is selected, or all that is there.
    pub(crate) fn text(self) -> String {
        self.guard.try_with_value(|guard| guard.as_ref().map(|guard| guard.session.text())).flatten().unwrap_or_default()
    }
}

#[component]
pub(crate) fn Terminal(
    /// Path of the WebSocket, on this host.
    path: String,
    handle: TerminalHandle,
    link: RwSignal<Link>,
    /// Called with every text frame.
    #[prop(into)]
    on_text: Callback<String>,
    /// Called when the keys that lead out of the terminal are pressed.
    #[prop(into)]
    on_leave: Callback<()>,
    /// Called with every key and paste while nothing goes to the line.
    #[prop(into)]
    on_dropped: Callback<()>,
) -> impl IntoView {
    let node = NodeRef::<Div>::new();
    Effect::new(move |_| {
        let Some(element) = node.get() else { return };
        let path = path.clone();
        spawn_local(async move {
            let on_link = Closure::new(move |word: String| {
                link.try_set(if word == "open" { Link::Open } else { Link::Lost });
            });
            let on_text_frame = Closure::new(move |text: String| {
                on_text.try_run(text);
            });
            let on_found = Closure::new(move |index: i32, count: u32| {
                handle.found.try_set(Found { place: usize::try_from(index).ok(), count });
            });
            let on_keys = Closure::new(move |word: String| match word.as_str() {
                "search" => {
                    // also when it is open: the field then gets the focus again
                    handle.searching.try_set(true);
                }
                "leave" => {
                    on_leave.try_run(());
                }
                _ => {
                    on_dropped.try_run(());
                }
            });
            match open_terminal(&element, &path, &on_link, &on_text_frame, &on_found, &on_keys).await {
                Ok(session) => {
                    let opened = Guard {
                        session: session.unchecked_into(),
                        _on_link: on_link,
                        _on_text: on_text_frame,
                        _on_found: on_found,
                        _on_keys: on_keys,
                    };
                    // given back if the user left while xterm was loading: dropping the guard closes the socket
                    drop(handle.guard.try_set_value(Some(SendWrapper::new(opened))));
                }
                Err(error) => {
                    link.try_set(Link::Broken(format!("The terminal could not be loaded: {error:?}")));
                }
            }
        });
    });
    view! {
        // the outer box has the padding: xterm's fit measures the inner one
        <div class="min-h-0 flex-1 bg-black p-2">
            <div node_ref=node class="h-full w-full overflow-hidden" data-testid="terminal"></div>
        </div>
    }
}

/// How to leave the terminal without a mouse, once beside every terminal: its input is described by it, by this id.
#[component]
pub(crate) fn TerminalWayOut() -> impl IntoView {
    // no telephone has these keys
    view! { <span id="terminal-way-out" class="hidden md:inline">"Shift+Escape leaves the terminal"</span> }
}
