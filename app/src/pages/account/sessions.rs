//! Where somebody is logged in.

use leptos::prelude::*;

use crate::pages::records::rows;
use crate::{
    api::{Api, Session},
    ui::{Confirm, Curl, Icon, RowButton, Submit, Time, Toasts, format::counted},
};

/// A browser's own description in few words.
fn browser(agent: &str) -> String {
    // those that pretend to be another come before it
    const BROWSERS: [(&str, &str); 7] = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
        ("python-requests/", "Python"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("Android", "Android"),
        ("iPhone", "iOS"),
        ("iPad", "iPadOS"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let named = |list: &[(&str, &'static str)]| list.iter().find(|(part, _)| agent.contains(part)).map(|(_, name)| *name);
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(only), None) | (None, Some(only)) => only.to_owned(),
        (None, None) => agent.chars().take(40).collect(),
    }
}

/// What is to be ended.
#[derive(Clone)]
enum Ending {
    One(Session),
    /// All but the one that asks.
    Others,
}

/// The sessions of the user with id `owner`, with buttons to end them.
#[component]
pub(super) fn Sessions(owner: i64, sessions: RwSignal<Vec<Session>>) -> impl IntoView {
    let api = StoredValue::new(expect_context::<Api>());
    let toasts = expect_context::<Toasts>();
    let sorted = move || {
        let mut list = sessions.get();
        // the own one, then what was used last
        list.sort_by(|a, b| b.current.cmp(&a.current).then_with(|| b.last_seen.cmp(&a.last_seen)));
        list
    };
    let others = Memo::new(move |_| sessions.with(|list| list.iter().filter(|session| !session.current).count()));
    let own = move || sessions.with(|list| list.iter().any(|session| session.current));
    let all = move || if own() { "End all others" } else { "End all" };
    let ending = RwSignal::new(None::<Ending>);
    let open = RwSignal::new(false);
    let submit = Submit::new();
    let ask = move |what| {
        ending.set(Some(what));
        open.set(true);
    };
    let end = move |()| {
        let ids: Vec<String> = match ending.get_untracked() {
            None => return,
            Some(Ending::One(session)) => vec![session.id],
            Some(Ending::Others) => {
                sessions.with_untracked(|list| list.iter().filter(|session| !session.current).map(|session| session.id.clone()).collect())
            }
        };
        let api = api.get_value();
        submit.run(
            async move {
                let mut ended = Vec::new();
                for id in ids {
                    match api.end_session(owner, &id).await {
                        Ok(()) => ended.push(id),
                        // it had ended already
                        Err(error) if error.is_not_found() => ended.push(id),
                        Err(error) => return Err(error),
                    }
                    // what has ended is gone from the list even if a later one fails
                    sessions.try_update(|list| list.retain(|session| !ended.contains(&session.id)));
                }
                Ok(ended.len())
            },
            move |count| {
                open.set(false);
                toasts.ok(format!("{} ended.", counted(count, "session", "sessions")));
            },
        );
    };
    // of several that end: the first, for one command is one call
    let curl = Callback::new(move |()| match ending.get_untracked()? {
        Ending::One(session) => Curl::of("End", async |api| api.end_session(owner, &session.id).await),
        Ending::Others => {
            let first = sessions.with_untracked(|list| list.iter().find(|session| !session.current).map(|session| session.id.clone()))?;
            Curl::of("End the first", async |api| api.end_session(owner, &first).await)
        }
    });
    let question = move || match ending.get() {
        Some(Ending::One(session)) => {
            let what = session
                .user_agent
                .as_deref()
                .map_or_else(|| "the session".to_owned(), |agent| format!("the session of {}", browser(agent)));
            let whence = session.address.map(|address| format!(" at {address}")).unwrap_or_default();
            format!("End {what}{whence}? Whoever uses it is logged out at once.")
        }
        Some(Ending::Others) => format!("End {}? Whoever uses them is logged out at once.", counted(others.get(), "session", "sessions")),
        None => String::new(),
    };
    let row = move |own: Memo<Session>| {
        let session = own.get_untracked();
        let seen = Memo::new(move |_| own.with(|session| session.last_seen.clone()));
        let last_seen = move || view! { <Time at=seen.get()/> };
        let agent = session.user_agent.clone().unwrap_or_default();
        let name = if agent.is_empty() { "unknown".to_owned() } else { browser(&agent) };
        let label = format!("End session of {name}");
        let address = session.address.clone().unwrap_or_else(|| "–".into());
        let ended = session.clone();
        view! {
                <tr data-session=session.id.clone() data-current=session.current.then_some("true")>
                    <th scope="row" class="font-medium wrap-anywhere" title=agent>
                        {name}
                        {session.current.then(|| view! { " " <span class="badge badge-sm badge-soft badge-success whitespace-nowrap">"This one"</span> })}
                        // what has no column of its own on a telephone
                        <span class="block text-xs font-normal opacity-80 md:hidden">
                            <span class="block font-mono">{address.clone()}</span>
                            <span class="block">"Logged in "<Time at=session.created.clone()/></span>
                            <span class="block">"Last seen "{last_seen}</span>
                            <span class="block">"Ends "<Time at=session.expires.clone()/></span>
                        </span>
                    </th>
                    <td class="font-mono text-xs max-md:hidden">{address}</td>
                    <td class="text-xs whitespace-nowrap max-md:hidden"><Time at=session.created.clone()/></td>
                    <td class="text-xs whitespace-nowrap max-md:hidden">{last_seen}</td>
                    <td class="text-xs whitespace-nowrap max-md:hidden"><Time at=session.expires.clone()/></td>
                    <td class="w-0 text-right">
                        {(!session.current).then(|| view! { <RowButton icon=Icon::Trash label action=move |()| ask(Ending::One(ended.clone()))/> })}
                    </td>
                </tr>
            }
            .into_any()
    };
    view! {
        // reached by the keyboard even when nothing in it can be: a long address makes it scroll sideways
        <div class="overflow-x-auto" tabindex="0" role="region" aria-label="Sessions">
            <table class="table-sm table" data-testid="sessions">
                <caption class="sr-only">"Sessions"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Browser"</th>
                        <th scope="col" class="max-md:hidden">"Address"</th>
                        <th scope="col" class="max-md:hidden">"Logged in"</th>
                        <th scope="col" class="max-md:hidden" title="Within an hour">"Last seen"</th>
                        <th scope="col" class="max-md:hidden">"Ends"</th>
                        <th scope="col"><span class="sr-only">"Actions"</span></th>
                    </tr>
                </thead>
                <tbody>
                    {rows(sorted, |session| session.id.clone(), row)}
                </tbody>
            </table>
        </div>
        <Show when=move || sessions.with(Vec::is_empty)>
            <p class="py-3 text-center text-sm opacity-80">"No sessions."</p>
        </Show>
        <Show when=move || { others.get() > 1 || (others.get() > 0 && own()) }>
            <button type="button" class="btn btn-sm mt-3" on:click=move |_| ask(Ending::Others) data-testid="end-others">{all}</button>
        </Show>
        <Confirm open title="End sessions" text=Signal::derive(question) verb="End" submit action=end curl/>
    }
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn browsers_are_named_although_each_pretends_to_be_the_others() {
        for (agent, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/142.0 Safari/537.36",
                "Chrome on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36 Edg/142.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iOS",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            ("curl/8.14.1", "curl"),
            ("something else", "something else"),
        ] {
            assert_eq!(browser(agent), name);
        }
    }
}
