//! A machine's serial console: the whole window is the terminal.

use leptos::{html, prelude::*, task::spawn_local};

use super::{
    machine::{id_of_page, not_found},
    power::{Commander, POWER_ALL, PowerBadge, PowerButtons, StateBadge, command},
    session::{Failed, Session},
};
use crate::{
    api::{self, Api, ConsoleCommand, ConsoleStatus, LabEvent, Line},
    live::{Live, Power},
    ui::{
        Curl, CurlMenu, Empty, Glyph, Icon, Link, Loading, Terminal, TerminalHandle, TerminalSearch, Title, Toasts, copy as copy_text,
        format::counted, full_screen,
    },
};

#[component]
pub(super) fn Console() -> impl IntoView {
    let api = expect_context::<Api>();
    let session = expect_context::<Session>();
    let id = id_of_page();
    let machine = Resource::new(
        move || id.get(),
        move |id| {
            let api = api.clone();
            async move { api.machine(id.ok_or_else(not_found)?).await }
        },
    );
    view! {
        // until the machine's name is known
        <Title text="Console"/>
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match session.with(machine).await {
                    Ok((_, machine)) if !machine.may_change => view! { <NotYours machine/> }.into_any(),
                    Ok((_, machine)) if machine.bmc_id.is_none() => view! { <NoBmc machine/> }.into_any(),
                    Ok((_, machine)) => view! { <View machine/> }.into_any(),
                    Err(error) => view! { <Failed error title="Console" retry=move |()| machine.refetch()/> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn NotYours(machine: api::Machine) -> impl IntoView {
    view! {
        <Title text=format!("Console of {}", machine.name)/>
        <h1 class="sr-only">{format!("Console of {}", machine.name)}</h1>
        <Empty title="This console is not yours">
            <p>"Only those a machine is assigned to and administrators can open its console."</p>
            <p><a class="link" href=format!("/machines/{}", machine.id)>{machine.name}</a></p>
        </Empty>
    }
}

#[component]
fn NoBmc(machine: api::Machine) -> impl IntoView {
    view! {
        <Title text=format!("Console of {}", machine.name)/>
        <h1 class="sr-only">{format!("Console of {}", machine.name)}</h1>
        <Empty title="There is no console">
            <p>"The machine has no BMC, which would carry its serial line."</p>
            <p><a class="link" href=format!("/machines/{}", machine.id)>{machine.name}</a></p>
        </Empty>
    }
}

/// The serial line as the server last told.
#[derive(Clone, Debug, PartialEq, Eq)]
struct LineStatus {
    line: Line,
    message: Option<String>,
    writer: Option<String>,
    you_write: bool,
    viewers: u32,
}

/// What can be done on this page, for scripts.
fn commands(id: i64) -> Vec<Curl> {
    let power = POWER_ALL.iter().filter_map(|&action| Curl::of(command(action).0, async |api| api.set_power(id, action).await));
    let read = [
        Curl::get("Read the console's end", format!("/machine/{id}/console/tail?lines=50")),
        Curl::get("Download its log", format!("/machine/{id}/console/log")),
    ];
    power.chain(read).collect()
}

#[component]
fn View(machine: api::Machine) -> impl IntoView {
    let api = expect_context::<Api>();
    let live = expect_context::<Live>();
    let toasts = expect_context::<Toasts>();
    let id = machine.id;
    let power = live.power(id, {
        let loaded = Power::of(&machine);
        move || loaded.clone()
    });
    let state = live.state(id, {
        let state = machine.state;
        move || state
    });
    let netboot = RwSignal::new(machine.netboot_enabled);
    let commander = Commander::new();
    let handle = TerminalHandle::new();
    let link = RwSignal::new(Link::Opening);
    let status = RwSignal::new(None::<LineStatus>);
    // why the server will not have this page's socket: nothing a repetition would cure
    let refused = RwSignal::new(None::<String>);

    let on_text = move |text: String| match serde_json::from_str(&text) {
        Ok(ConsoleStatus::Status { line, message, writer, you_write, viewers }) => {
            handle.set_writable(you_write);
            status.set(Some(LineStatus { line, message, writer, you_write, viewers }));
        }
        Ok(ConsoleStatus::Notice { text }) => toasts.warning(text),
        Err(error) => toasts.error(format!("The server sent a console message this page does not understand: {error}")),
    };
    let send = move |command: ConsoleCommand| {
        if let Ok(text) = serde_json::to_string(&command) {
            handle.send(&text);
        }
        handle.focus();
    };

    // A socket's refusal has no words. Ask in another way whether the machine is still ours.
    let check_api = api.clone();
    Effect::new(move |_| {
        if link.get() != Link::Lost {
            return;
        }
        status.set(None);
        let api = check_api.clone();
        spawn_local(async move {
            match api.machine(id).await {
                Err(error) if error.is_not_found() => {
                    handle.stop();
                    refused.try_set(Some("The machine has been deleted.".into()));
                }
                Ok(machine) if !machine.may_change => {
                    handle.stop();
                    refused.try_set(Some("The machine is no longer assigned to you.".into()));
                }
                // the server is away, or it was only the socket: it is tried again by itself
                Ok(_) | Err(_) => {}
            }
        });
    });
    live.listen(move |event| {
        if matches!(event, LabEvent::Changed { machine } if *machine == id) {
            let api = api.clone();
            spawn_local(async move {
                if let Ok(machine) = api.machine(id).await {
                    netboot.try_set(machine.netboot_enabled);
                }
            });
        }
    });

    let name = machine.name.clone();
    let whole = move |_| {
        spawn_local(async move {
            if !full_screen().await {
                toasts.warning("The browser did not allow the full window.");
            }
        });
        handle.focus();
    };
    let copy = move |_| {
        let text = handle.text();
        let said = format!("Copied {}.", counted(text.lines().count(), "line", "lines"));
        copy_text(toasts, text, said, "Select the text and press Ctrl+Shift+C.");
        handle.focus();
    };
    let shown = RwSignal::new(false);
    let button = NodeRef::<html::Button>::new();
    let close = move |event: leptos::ev::KeyboardEvent| {
        if event.key() == "Escape" && shown.get_untracked() {
            shown.set(false);
            if let Some(button) = button.get_untracked() {
                let _ = button.focus();
            }
        }
    };
    let connected = move || link.get() == Link::Open;
    let you_write = move || status.with(|status| status.as_ref().is_some_and(|status| status.you_write));
    view! {
        <Title text=format!("Console of {}", machine.name)/>
        // the window's height less the header's: the terminal takes what is left, and the page never scrolls
        <div class="bg-base-100 flex h-[calc(100dvh-3rem-1px)] min-h-64 flex-col in-[:fullscreen]:h-dvh" data-testid="console">
            <div class="border-base-300 flex flex-wrap items-center gap-x-2 gap-y-1.5 border-b px-3 py-1.5">
                <h1 class="flex items-center gap-2 font-semibold">
                    <a class="link link-hover" href=format!("/machines/{id}")>{name.clone()}</a>
                    <span class="sr-only">"console"</span>
                </h1>
                <PowerBadge power/>
                <StateBadge state/>
                // a telephone held sideways has no lines to spare: there they are a menu
                <div class="relative" on:keydown=close>
                    <button
                        node_ref=button
                        type="button"
                        class="btn btn-sm not-short:hidden"
                        aria-expanded=move || shown.get().to_string()
                        aria-controls="console-power"
                        data-testid="console-power"
                        on:click=move |_| shown.update(|shown| *shown = !*shown)
                    >
                        "Power"
                        <Glyph icon=Icon::Down class="size-3"/>
                    </button>
                    <div
                        id="console-power"
                        class="short:bg-base-100 short:border-base-300 short:rounded-box short:absolute short:z-20 short:mt-1 short:w-72 short:border short:p-2 short:shadow-lg flex flex-wrap items-center gap-1.5"
                        class=("short:hidden", move || !shown.get())
                        on:click=move |_| shown.set(false)
                    >
                        <PowerButtons machine=id name=name.clone() power netboot commander disabled=false all=true/>
                    </div>
                </div>
                <span class="flex-1"></span>
                <div class="flex items-center gap-0.5">
                    <button
                        type="button"
                        class="btn btn-sm btn-ghost"
                        title="Send a serial break, e.g. for the kernel's magic SysRq"
                        disabled=move || !(connected() && you_write())
                        on:click=move |_| {
                            send(ConsoleCommand::Break);
                            toasts.ok("Break sent.");
                        }
                        data-testid="send-break"
                    >
                        "Break"
                    </button>
                    <button type="button" class="btn btn-sm btn-ghost btn-square" title="Smaller letters" on:click=move |_| handle.zoom(-1)>"A−"<span class="sr-only">" Smaller letters"</span></button>
                    <button type="button" class="btn btn-sm btn-ghost btn-square" title="Larger letters" on:click=move |_| handle.zoom(1)>"A+"<span class="sr-only">" Larger letters"</span></button>
                    <button
                        type="button"
                        class="btn btn-sm btn-ghost btn-square"
                        title="Search (Ctrl+Shift+F)"
                        aria-label="Search"
                        aria-expanded=move || handle.searching.get().to_string()
                        on:click=move |_| handle.searching.set(true)
                        data-testid="open-search"
                    >
                        <Glyph icon=Icon::Search/>
                    </button>
                    <button
                        type="button"
                        class="btn btn-sm btn-ghost btn-square"
                        title="Copy what is selected, or everything (Ctrl+Shift+C: the selection)"
                        aria-label="Copy"
                        on:click=copy
                        data-testid="copy-console"
                    >
                        <Glyph icon=Icon::Copy/>
                    </button>
                    <button
                        type="button"
                        class="btn btn-sm btn-ghost btn-square"
                        title="Full window and back (Escape leaves it)"
                        aria-label="Full window"
                        on:click=whole
                        data-testid="full-window"
                    >
                        <Glyph icon=Icon::FullScreen/>
                    </button>
                    <a
                        class="btn btn-sm btn-ghost btn-square"
                        title="Download all that the server has kept of this console"
                        aria-label="Download the console's log"
                        href=api::console_log_path(id)
                        download=""
                        rel="external"
                        data-testid="download-log"
                    >
                        <Glyph icon=Icon::Download/>
                    </a>
                    <CurlMenu calls=commands(id)/>
                </div>
            </div>
            {commander.question()}
            <StatusLine link status refused send=Callback::new(send)/>
            <div class="relative flex min-h-0 flex-1 flex-col" on:pointerdown=move |_| shown.set(false)>
                <TerminalSearch handle/>
                // keyed on the machine: another one's console is another terminal
                <Terminal path=format!("/api/v1/machine/{id}/console/socket") handle link on_text/>
            </div>
        </div>
    }
}

/// One line between the buttons and the screen: is this live, and who types?
#[component]
fn StatusLine(
    link: RwSignal<Link>,
    status: RwSignal<Option<LineStatus>>,
    refused: RwSignal<Option<String>>,
    #[prop(into)] send: Callback<ConsoleCommand>,
) -> impl IntoView {
    let described = Memo::new(move |_| describe(refused.get().as_deref(), &link.read(), status.read().as_ref()));
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
    }
}
