//! What a page's buttons do, as commands for a shell.

use leptos::{html, prelude::*, task::spawn_local};

use super::{dom, toast::Toasts};

/// A call of the API as it is offered for a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Curl {
    /// What it does, as its button says it.
    label: String,
    method: &'static str,
    /// Below `/api/v1`.
    path: String,
    body: Option<String>,
}

impl Curl {
    pub(crate) fn get(label: impl Into<String>, path: impl Into<String>) -> Self {
        Self { label: label.into(), method: "GET", path: path.into(), body: None }
    }

    pub(crate) fn send(label: impl Into<String>, method: &'static str, path: impl Into<String>, body: &impl serde::Serialize) -> Self {
        // plain data: it always has a JSON form
        let body = serde_json::to_string(body).ok();
        Self { label: label.into(), method, path: path.into(), body }
    }

    /// For a POSIX shell. The token is the user's own, and stands in no history.
    fn command(&self, origin: &str) -> String {
        let mut out = "curl -fsS".to_owned();
        if self.method != "GET" {
            out.push_str(&format!(" -X {}", self.method));
        }
        out.push_str(" -H \"Authorization: Bearer $MR_PROVISIONER_TOKEN\"");
        if let Some(body) = &self.body {
            out.push_str(&format!(" -H 'Content-Type: application/json' -d {}", quoted(body)));
        }
        out.push(' ');
        out.push_str(&quoted(&format!("{origin}/api/v1{}", self.path)));
        out
    }
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
        spawn_local(async move {
            if dom::copy(&call.command(&dom::origin())).await {
                toasts.ok(format!("Copied “{}” as a curl command. It takes a token of yours from $MR_PROVISIONER_TOKEN.", call.label));
            } else {
                toasts.warning("The browser did not allow copying.");
            }
        });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_reads_with_the_users_own_token() {
        assert_eq!(
            Curl::get("Read", "/machine/7").command("https://lab.example"),
            r#"curl -fsS -H "Authorization: Bearer $MR_PROVISIONER_TOKEN" 'https://lab.example/api/v1/machine/7'"#
        );
    }

    #[test]
    fn whatever_is_sent_stays_one_word() {
        let call = Curl::send("Save", "PUT", "/machine/7", &serde_json::json!({ "kernel_opts": "a='$(b)' \\c" }));
        let command = call.command("https://lab.example");
        assert!(command.starts_with("curl -fsS -X PUT -H"), "{command}");
        assert!(command.contains(r#"-H 'Content-Type: application/json' -d '{"kernel_opts":"a='\''$(b)'\'' \\c"}' '"#), "{command}");
    }
}
