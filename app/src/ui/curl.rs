//! What a page's buttons do, as commands for a shell.

use leptos::{html, prelude::*};

use super::{copy::copy, dom, toast::Toasts};
use crate::api::{Api, Method, Recorded, record};

/// Calls of the API as they are offered for a script; mostly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Curl {
    /// What it does, as its button says it.
    label: String,
    /// One after the other, each if the one before it went well.
    calls: Vec<Recorded>,
}

impl Curl {
    pub(crate) fn get(label: impl Into<String>, path: impl Into<String>) -> Self {
        Self { label: label.into(), calls: vec![Recorded { method: Method::Get, path: path.into(), body: None, file: None }] }
    }

    /// What `call` would send first.
    pub(crate) fn of<T>(label: impl Into<String>, call: impl AsyncFnOnce(Api) -> T) -> Option<Self> {
        record(call).map(|call| Self { label: label.into(), calls: vec![call] })
    }

    /// What the same button sends before it.
    pub(crate) fn after(mut self, first: Option<Self>) -> Self {
        self.calls.splice(0..0, first.into_iter().flat_map(|first| first.calls));
        self
    }

    /// For a POSIX shell, and a curl of 2021 or later: the server's words about a refusal are printed, and the command fails. The token is the user's own, and stands in no history.
    fn command(&self, origin: &str) -> String {
        self.calls.iter().map(|call| Self::line(call, origin)).collect::<Vec<_>>().join(" &&\n")
    }

    fn line(call: &Recorded, origin: &str) -> String {
        let Recorded { method, path, body, file } = call;
        let mut out = "curl -sS --fail-with-body".to_owned();
        match method {
            Method::Get => {}
            // with these two curl knows by itself
            Method::Post if body.is_some() => {}
            Method::Post => out.push_str(" -X POST"),
            Method::Put => out.push_str(" -X PUT"),
            Method::Delete => out.push_str(" -X DELETE"),
        }
        out.push_str(" -H \"Authorization: Bearer $MR_PROVISIONER_TOKEN\"");
        match (body, file) {
            (Some(body), Some(file)) => {
                out.push_str(&format!(" -F {} -F {}", quoted(&format!("q={body}")), quoted(&format!("file=@{}", in_form(file)))));
            }
            (Some(body), None) => out.push_str(&format!(" -H 'Content-Type: application/json' -d {}", quoted(body))),
            (None, _) => {}
        }
        out.push(' ');
        out.push_str(&quoted(&format!("{origin}/api/v1{path}")));
        out
    }

    fn copy(&self, toasts: Toasts) {
        let said = match self.calls.len() {
            1 => format!("Copied “{}” as a curl command. It takes a token of yours from $MR_PROVISIONER_TOKEN.", self.label),
            count => format!("Copied “{}” as {count} curl commands. They take a token of yours from $MR_PROVISIONER_TOKEN.", self.label),
        };
        copy(toasts, self.command(&dom::origin()), said, "Allow this page the clipboard, and try again.");
    }
}

/// A file's name as curl's `-F` reads it: there `;` and `,` end one that is not within quotes.
fn in_form(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', r"\\").replace('"', r#"\""#))
}

/// One word for the shell, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A menu of commands, each of which a click copies.
#[component]
pub(crate) fn CurlMenu(#[prop(into)] calls: Signal<Vec<Curl>>) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let menu = NodeRef::<html::Details>::new();
    let copy = move |call: Curl| {
        if let Some(menu) = menu.get_untracked() {
            menu.set_open(false);
        }
        call.copy(toasts);
    };
    view! {
        <details node_ref=menu class="dropdown dropdown-end">
            <summary class="btn btn-sm" title="Copy what the buttons do as commands for a shell" data-testid="curl-menu">"As curl"</summary>
            <ul class="menu dropdown-content bg-base-100 rounded-box border-base-300 z-40 mt-1 w-56 border p-2 shadow-lg">
                {move || {
                    calls
                        .get()
                        .into_iter()
                        .map(|call| {
                            let label = call.label.clone();
                            view! { <li><button type="button" on:click=move |_| copy(call.clone())>{label}</button></li> }
                        })
                        .collect_view()
                }}
            </ul>
        </details>
    }
}

/// Copies what a form would send now. `call` answers none while a field is wrong, which the field then says.
#[component]
pub(crate) fn CurlButton(call: Callback<(), Option<Curl>>, #[prop(default = "btn-sm")] size: &'static str) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    view! {
        <button
            type="button"
            class=format!("btn btn-ghost {size}")
            title="Copy what this would send as a command for a shell"
            data-testid="as-curl"
            on:click=move |_| {
                if let Some(call) = call.run(()) {
                    call.copy(toasts);
                }
            }
        >
            "As curl"
        </button>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_reads_with_the_users_own_token() {
        assert_eq!(
            Curl::get("Read", "/machine/7").command("https://lab.example"),
            r#"curl -sS --fail-with-body -H "Authorization: Bearer $MR_PROVISIONER_TOKEN" 'https://lab.example/api/v1/machine/7'"#
        );
    }

    fn send(method: Method, body: &str, file: Option<&str>) -> String {
        let call = Recorded { method, path: "/machine/7".into(), body: Some(body.into()), file: file.map(str::to_owned) };
        Curl { label: "Save".into(), calls: vec![call] }.command("https://lab.example")
    }

    #[test]
    fn of_two_calls_the_second_is_made_if_the_first_went_well() {
        let both = Curl::get("Second", "/b").after(Some(Curl::get("First", "/a"))).command("http://lab");
        let [first, second] = both.split(" &&\n").collect::<Vec<_>>()[..] else { panic!("{both}") };
        assert!(first.ends_with("'http://lab/api/v1/a'") && second.ends_with("'http://lab/api/v1/b'"), "{both}");
    }

    #[test]
    fn whatever_is_sent_stays_one_word() {
        let command = send(Method::Put, r#"{"kernel_opts":"a='$(b)' \\c"}"#, None);
        assert!(command.starts_with("curl -sS --fail-with-body -X PUT -H"), "{command}");
        assert!(command.contains(r#"-H 'Content-Type: application/json' -d '{"kernel_opts":"a='\''$(b)'\'' \\c"}' '"#), "{command}");
    }

    #[test]
    fn an_upload_names_its_file() {
        let command = send(Method::Post, "{}", Some("vmlinuz \"6;12\""));
        assert!(command.contains(r#" -F 'q={}' -F 'file=@"vmlinuz \"6;12\""' 'https"#), "{command}");
    }
}
