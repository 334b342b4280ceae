//! Any free machine that fits, for oneself.

use leptos::{
    prelude::*,
    wasm_split::{SplitLoaderError, wasm_split},
};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::view::View;
use crate::{
    api::{Api, Reason, Reservation, query::Query},
    pages::parts::later,
    ui::{Curl, Dialog, FieldState, FormEnd, Submit, SubmitForm, TextField, Toasts},
};

#[component]
pub(super) fn ReserveDialog(open: RwSignal<bool>, view: Memo<View>) -> impl IntoView {
    view! {
        <Dialog open title="Reserve a free machine" testid="reserve">
            {later(move || draw_reserve(open, view))}
        </Dialog>
    }
}

#[wasm_split(reserve, wasm_split_path = ::leptos::wasm_split, fallible)]
fn draw_reserve(open: RwSignal<bool>, view: Memo<View>) -> Result<AnyView, SplitLoaderError> {
    Ok(view! { <Form open view/> }.into_any())
}

#[component]
fn Form(open: RwSignal<bool>, view: Memo<View>) -> impl IntoView {
    let api = expect_context::<Api>();
    let toasts = expect_context::<Toasts>();
    let navigate = use_navigate();
    // what is looked at is what is likely wanted
    let (q, text) = view.with_untracked(|view| (view.q.clone(), view.search.trim().to_owned()));
    let query = FieldState::new(q);
    let search = FieldState::new(text);
    let reason = FieldState::new("");
    let submit = Submit::new();
    let input = move || {
        let parsed =
            (query.parse_optional(wanted), search.parse_optional(|text| Ok(text.trim().to_owned())), reason.parse_optional(Reason::parse));
        let (Some(query), Some(search), Some(reason)) = parsed else { return None };
        Some(Reservation { query, search, reason })
    };
    let curl = Callback::new(move |()| input().and_then(|wanted| Curl::of("Reserve", async |api| api.reserve(&wanted).await)));
    let send = move |()| {
        let Some(wanted) = input() else { return };
        let (api, navigate) = (api.clone(), navigate.clone());
        submit.run(async move { api.reserve(&wanted).await }, move |machine| {
            open.set(false);
            toasts.ok(format!("{} is yours. Give it back among its assignees.", machine.name));
            navigate(&format!("/machines/{}", machine.id), NavigateOptions::default());
        });
    };
    view! {
        <SubmitForm submit send>
            <TextField
                id="reserve-search"
                label="Which will do"
                field=search
                placeholder="Name, MAC, IP, tag, …"
                help="As in the list's search box. Empty: any that nobody has."
            />
            <TextField
                id="reserve-query"
                label="Query"
                field=query
                placeholder="(= arch \"arm64\")"
                help="Besides, in the query language of the list."
                mono=true
            />
            <TextField id="reserve-reason" label="Reason" field=reason placeholder="What for?"/>
            <FormEnd open submit label="Reserve" curl testid="reserve-one"/>
        </SubmitForm>
    }
}

fn wanted(text: &str) -> Result<String, String> {
    match Query::parse(text.trim()) {
        Ok(_) => Ok(text.trim().to_owned()),
        Err(fault) => Err(format!("{}, at character {}", fault.message, fault.position)),
    }
}

#[cfg(test)]
mod tests {
    use super::wanted;

    #[test]
    fn a_wrong_query_is_told_with_its_place() {
        assert_eq!(wanted(" (= arch \"arm64\") "), Ok("(= arch \"arm64\")".into()));
        assert_eq!(wanted("(= nome 1)"), Err("`nome` is not a valid symbol, at character 4".into()));
    }
}
