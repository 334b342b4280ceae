use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::{
    api::{Api, ApiError, Credentials},
    ui::{FieldState, Submit, SubmitButton, SubmitErrors, SubmitForm, TextField, Title, dom},
};

#[component]
pub(super) fn Login() -> impl IntoView {
    let api = expect_context::<Api>();
    let query = use_query_map();
    let username = FieldState::new("");
    let password = FieldState::new("");
    let submit = Submit::new();
    // Without the application behind it the browser would send the form by itself.
    let ready = RwSignal::new(false);
    Effect::new(move |_| ready.set(true));
    let send = move |()| {
        let api = api.clone();
        let next = safe_next(query.read_untracked().get_str("next").unwrap_or_default()).to_owned();
        let (Some(username), Some(password)) = (username.given("User name"), password.given("Password")) else { return };
        let credentials = Credentials { username, password };
        submit.run(async move { api.login(&credentials).await.map_err(ApiError::of_login) }, move |_| dom::leave_for(&next));
    };
    let returning = move || query.read().get_str("next").is_some_and(|next| !next.is_empty());
    view! {
        <Title text="Log in"/>
        <div class="mx-auto w-full max-w-sm px-4 py-16">
            <h1 class="mb-1 text-2xl font-semibold">"Log in"</h1>
            <p class="mb-6 text-sm opacity-80">
                {move || if returning() { "You will come back to the page you asked for." } else { "The lab's machines are behind this door." }}
            </p>
            // post: should it ever be sent without the application, the password must not stand in an address
            <SubmitForm submit send class="flex flex-col gap-4" method="post" testid="login">
                <TextField id="username" label="User name" field=username autocomplete="username" required=true autofocus=true/>
                <TextField id="password" label="Password" field=password kind="password" autocomplete="current-password" required=true/>
                <SubmitErrors submit/>
                <SubmitButton submit label="Log in" class="btn-primary btn-block" disabled=Signal::derive(move || !ready.get())/>
            </SubmitForm>
        </div>
    }
}

/// Where the login page's `next` leads. Only pages of this host: a link to the login page must not lead elsewhere.
#[must_use]
pub fn safe_next(next: &str) -> &str {
    let local = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\') && !next.chars().any(char::is_control);
    if local && next != "/login" && !next.starts_with("/login?") { next } else { "/machines" }
}

#[cfg(test)]
mod tests {
    use super::safe_next;

    #[test]
    fn login_leads_to_pages_of_this_host_only() {
        assert_eq!(safe_next("/machines/3?tab=1"), "/machines/3?tab=1");
        for elsewhere in
            ["", "https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/evil.example", "/login?next=/"]
        {
            assert_eq!(safe_next(elsewhere), "/machines", "{elsewhere}");
        }
    }
}
