//! A machine's serial console: the whole window is the terminal.

mod followed;
mod status;

use leptos::{html, prelude::*, task::spawn_local};

use self::{
    followed::{Bar, Followed},
    status::{LineStatus, StatusLine, dropped_words},
};
use super::{
    machine::{id_of_page, not_found},
    power::{Commander, POWER_ALL, PowerBadge, PowerButtons, StateBadge, command},
    session::{Failed, Session},
};
use crate::{
    api::{self, Api, ConsoleCommand, ConsoleStatus, Line},
    gate::SessionGate,
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
                    Ok((_, machine)) => view! { <Place machine/> }.into_any(),
                    Err(error) => view! { <Failed error title="Console" retry=move |()| machine.refetch()/> }.into_any(),
                }
            })}
        </Suspense>
    }
}

/// The console, or why there is none, as the lab changes. Once open it stays, with what is on its screen.
#[component]
fn Place(machine: api::Machine) -> impl IntoView {
    let followed = Followed::new(machine);
    let bar = followed.bar();
    let opened = Memo::new(move |before| before == Some(&true) || bar.get().is_none());
    view! {
        <Title text=move || followed.title()/>
        {move || match opened.get() {
            true => view! { <View followed bar/> }.into_any(),
            false => view! { <Closed followed bar/> }.into_any(),
        }}
    }
}

/// For who has not had it open.
#[component]
fn Closed(followed: Followed, bar: Memo<Option<Bar>>) -> impl IntoView {
    let link =
        move || view! { <p><a class="link wrap-anywhere" href=format!("/machines/{}", followed.id)>{move || followed.name()}</a></p> };
    view! {
        <h1 class="sr-only">{move || followed.title()}</h1>
        {move || {
            Some(match bar.get()? {
                Bar::NotYours => view! {
                    <Empty title="This console is not yours">
                        <p>"Only those a machine is assigned to and administrators can open its console."</p>
                        {link()}
                    </Empty>
                },
                Bar::NoBmc => view! {
                    <Empty title="There is no console">
                        <p>"The machine has no BMC, which would carry its serial line."</p>
                        {link()}
                    </Empty>
                },
                Bar::Deleted => view! {
                    <Empty title="The machine has been deleted">
                        <p><a class="link" href="/machines">"Machines"</a></p>
                    </Empty>
                },
            }.into_any())
        }}
    }
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
fn View(followed: Followed, bar: Memo<Option<Bar>>) -> impl IntoView {
    let live = expect_context::<Live>();
    let toasts = expect_context::<Toasts>();
    let id = followed.id;
    let (loaded_power, loaded_state) = followed.machine.with_untracked(|machine| (Power::of(machine), machine.state));
    let power = live.power(id, move || loaded_power.clone());
    let state = live.state(id, move || loaded_state);
    let name = Signal::derive(move || followed.name());
    let netboot = Signal::derive(move || followed.machine.with(|machine| machine.netboot_enabled));
    let handle = TerminalHandle::new();
    // the firmware asks for its keys within seconds
    let commander = Commander::new().after(Callback::new(move |()| handle.focus()));
    let link = RwSignal::new(Link::Opening);
    let status = RwSignal::new(None::<LineStatus>);
    let ended = followed.ended();
    let refused = Signal::derive(move || match bar.get() {
        Some(bar) => Some(bar.words()),
        None => ended.get().then_some("You are logged out."),
    });

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
    let take = Callback::new(move |()| send(ConsoleCommand::TakeWrite));
    let on_dropped = move |()| {
        // without a status the line above says why nothing can be typed
        let words = status.with_untracked(|status| Some(dropped_words(status.as_ref()?.writer.as_deref())));
        if let Some(words) = words {
            toasts.offer(words, "Take the keyboard", take);
        }
    };

    let leaving = use_context::<SessionGate>().unwrap_or_default().leaving();
    Effect::new(move |_| {
        if leaving.get() {
            // before the server ends it, which would look like a loss
            handle.stop();
            return;
        }
        let on = matches!(link.get(), Link::Open | Link::Lost);
        // without a session every try is refused, until somebody has logged in
        if bar.get().is_none() && !ended.get() {
            handle.start();
            return;
        }
        handle.stop();
        handle.set_writable(false);
        status.set(None);
        if on {
            link.set(Link::Opening);
        }
    });
    Effect::new(move |_| {
        if link.get() == Link::Lost {
            status.set(None);
            // a socket's refusal has no words: perhaps the machine is no longer ours
            followed.ask();
        }
    });

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
    let search = NodeRef::<html::Button>::new();
    // among the buttons, but to none that does something to the machine: Enter may be the next key by habit
    let on_leave = move |()| {
        if let Some(search) = search.get_untracked() {
            let _ = search.focus();
        }
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
    // not only to the server: without the serial line behind it nothing reaches the machine
    let typing = move || {
        link.get() == Link::Open
            && status.with(|status| status.as_ref().is_some_and(|status| status.you_write && status.line == Line::Connected))
    };
    view! {
        // the window's height less the header's: the terminal takes what is left, and the page never scrolls
        <div class="bg-base-100 flex h-[calc(100dvh-3rem-1px)] min-h-64 flex-col in-[:fullscreen]:h-dvh" data-testid="console">
            <div class="border-base-300 flex flex-wrap items-center gap-x-2 gap-y-1.5 border-b px-3 py-1.5">
                <h1 class="flex min-w-0 items-center gap-2 font-semibold">
                    <a class="link link-hover min-w-0 break-all" href=format!("/machines/{id}")>{move || name.get()}</a>
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
                        <PowerButtons machine=id name power netboot commander disabled=Signal::derive(move || bar.get().is_some()) all=true/>
                    </div>
                </div>
                <span class="flex-1"></span>
                <div class="flex items-center gap-0.5">
                    <button
                        type="button"
                        class="btn btn-sm btn-ghost"
                        title="Send a serial break, e.g. for the kernel's magic SysRq"
                        disabled=move || !typing()
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
                        node_ref=search
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
                <Terminal path=format!("/api/v1/machine/{id}/console/socket") handle link on_text on_leave on_dropped/>
            </div>
        </div>
    }
}
