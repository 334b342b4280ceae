//! One line between a console's buttons and its screen.

use leptos::prelude::*;

use crate::{
    api::{ConsoleCommand, Line},
    ui::{Glyph, Icon, Link, TerminalWayOut, format::counted},
};

/// The serial line as the server last told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LineStatus {
    pub(super) line: Line,
    pub(super) message: Option<String>,
    pub(super) writer: Option<String>,
    pub(super) you_write: bool,
    pub(super) viewers: u32,
}

/// One line between the buttons and the screen: is this live, and who types?
#[component]
pub(super) fn StatusLine(
    link: RwSignal<Link>,
    status: RwSignal<Option<LineStatus>>,
    /// Why there is no line, and none to be waited for.
    #[prop(into)]
    refused: Signal<Option<&'static str>>,
    #[prop(into)] send: Callback<ConsoleCommand>,
) -> impl IntoView {
    let described = Memo::new(move |_| describe(refused.get(), &link.read(), status.read().as_ref()));
    let busy = move || link.get() == Link::Open && status.with(|status| status.as_ref().is_some_and(|status| status.line == Line::Busy));
    let keyboard = Memo::new(move |_| {
        let status = status.get().filter(|_| link.get() == Link::Open)?;
        Some(keyboard_words(status.you_write, status.writer.as_deref()))
    });
    let others = move || status.with(|status| status.as_ref().map_or(0, |status| status.viewers));
    view! {
        <div class="bg-base-200 flex min-h-8 flex-wrap items-center gap-x-4 gap-y-1 px-3 py-0.5 text-xs">
            <span
                role="status"
                class="flex min-w-0 items-center gap-2"
                data-testid="console-status"
                data-line=move || described.read().word
                data-writer=move || keyboard.get().map(|(yours, _)| if yours { "you" } else { "other" })
            >
                <span class=move || format!("status {}", described.read().look) aria-hidden="true"></span>
                <span class="break-words">{move || described.read().text.clone()}</span>
            </span>
            <Show when=busy>
                <button type="button" class="btn btn-xs btn-warning" on:click=move |_| send.run(ConsoleCommand::TakeOver) data-testid="take-over">
                    "Take over"
                </button>
            </Show>
            <span class="flex-1"></span>
            <TerminalWayOut/>
            {move || {
                keyboard
                    .get()
                    .map(|(yours, words)| {
                        view! {
                            <span class="flex items-center gap-1.5" data-testid="console-writer">
                                <Glyph icon=Icon::Keyboard/>
                                {words}
                                {(!yours).then(|| view! {
                                    <button type="button" class="btn btn-xs btn-primary" on:click=move |_| send.run(ConsoleCommand::TakeWrite) data-testid="take-keyboard">
                                        "Take the keyboard"
                                    </button>
                                })}
                            </span>
                        }
                    })
            }}
            <Show when=move || { others() > 0 }>
                <span data-testid="console-viewers">{move || counted(others() as usize, "viewer", "viewers")}</span>
            </Show>
        </div>
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Described {
    /// For tests and style: `connecting`, `connected`, `busy`, `failed`, `lost`.
    word: &'static str,
    look: &'static str,
    text: String,
}

fn describe(refused: Option<&str>, link: &Link, status: Option<&LineStatus>) -> Described {
    let said = |word, look, text: &str| Described { word, look, text: text.to_owned() };
    if let Some(refused) = refused {
        return said("failed", "status-error", refused);
    }
    let status = match (link, status) {
        (Link::Broken(text), _) => return said("failed", "status-error", text),
        (Link::Opening, _) => return said("connecting", "status-info", "Opening the console…"),
        (Link::Lost, _) => return said("lost", "status-error", "The connection to the server is lost. Trying again by itself…"),
        (Link::Open, None) => return said("connecting", "status-info", "Connecting to the serial line…"),
        (Link::Open, Some(status)) => status,
    };
    let with_message = |text: &str| match &status.message {
        Some(message) if !message.is_empty() => format!("{text} {message}"),
        _ => text.to_owned(),
    };
    match status.line {
        Line::Connecting => said("connecting", "status-info", &with_message("Connecting to the BMC…")),
        Line::Connected => said("connected", "status-success", &with_message("Serial line connected.")),
        Line::Busy => said("busy", "status-warning", &with_message("Somebody outside this program holds the BMC's console session.")),
        Line::Failed => said("failed", "status-error", &with_message("The serial line is not connected; it is tried again by itself.")),
    }
}

/// What is said of keys that are typed while the keyboard is another's.
pub(super) fn dropped_words(writer: Option<&str>) -> String {
    format!("{}: what you type goes nowhere.", keyboard_words(false, writer).1)
}

/// Whether the keyboard is this viewer's, and how to say whose it is.
fn keyboard_words(you_write: bool, writer: Option<&str>) -> (bool, String) {
    match (you_write, writer) {
        (true, _) => (true, "You have the keyboard".into()),
        (false, Some(writer)) => (false, format!("{writer} has the keyboard")),
        (false, None) => (false, "Nobody has the keyboard".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(line: Line, message: Option<&str>) -> LineStatus {
        LineStatus { line, message: message.map(str::to_owned), writer: None, you_write: false, viewers: 1 }
    }

    #[test]
    fn the_worst_is_told_first() {
        let connected = status(Line::Connected, None);
        assert_eq!(describe(None, &Link::Open, Some(&connected)).word, "connected");
        assert_eq!(describe(None, &Link::Lost, Some(&connected)).word, "lost");
        assert_eq!(describe(Some("gone"), &Link::Lost, Some(&connected)).text, "gone");
        assert_eq!(describe(None, &Link::Open, None).word, "connecting");
    }

    #[test]
    fn a_failed_line_says_why() {
        let failed = describe(None, &Link::Open, Some(&status(Line::Failed, Some("wrong password"))));
        assert_eq!(failed.word, "failed");
        assert!(failed.text.ends_with("wrong password"));
        assert_eq!(describe(None, &Link::Open, Some(&status(Line::Busy, None))).word, "busy");
    }

    #[test]
    fn everybody_knows_who_types() {
        assert_eq!(keyboard_words(true, Some("alice")), (true, "You have the keyboard".into()));
        assert_eq!(keyboard_words(false, Some("bob")), (false, "bob has the keyboard".into()));
        assert!(!keyboard_words(false, None).0);
        assert_eq!(dropped_words(Some("bob")), "bob has the keyboard: what you type goes nowhere.");
    }
}
