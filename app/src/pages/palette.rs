//! What the command palette offers: every page, every machine, and what can be done with the machine that is shown.

use futures_util::future::try_join;
use leptos::{
    ev,
    prelude::*,
    task::spawn_local,
    wasm_split::{SplitLoaderError, wasm_split},
};
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
};

use super::{
    follow::Newest,
    header::{ADMINS, EVERYBODY, logging_out},
    images::UPLOAD,
    machine::Wish,
    parts::later,
    power::{Commander, Order, POWER_MENU, command, icon, pointless},
};
use crate::{
    api::{Api, ApiError, Machine, MachineView, Page, query::quoted, query_string},
    live::Live,
    ui::{Command, Dialog, Glyph, Icon, Palette, Toasts, dom, format::folded, load},
};

/// Machines offered at once: more letters find the others.
const OFFERED: usize = 8;

/// The header's button, and Ctrl K from everywhere.
#[component]
pub(super) fn PaletteButton(admin: bool) -> impl IntoView {
    let open = RwSignal::new(false);
    // its question outlives the palette, which closes when something is chosen
    let commander = Commander::new();
    Effect::new(move |_| {
        let handle = window_event_listener(ev::keydown, move |event| {
            let modified = (event.ctrl_key() || event.meta_key()) && !event.alt_key() && !event.shift_key();
            if modified && event.key().eq_ignore_ascii_case("k") && !dom::dialog_is_open() {
                event.prevent_default();
                open.set(true);
            }
        });
        on_cleanup(move || handle.remove());
    });
    view! {
        <button
            type="button"
            class="btn btn-ghost btn-sm btn-square"
            aria-label="Go to or do"
            title="Go to any page or machine (Ctrl K)"
            data-testid="palette-button"
            on:click=move |_| open.set(true)
        >
            <Glyph icon=Icon::Search/>
        </button>
        <Dialog open title="Go to or do" testid="palette">{later(move || draw_palette(open, admin, commander))}</Dialog>
        {commander.question()}
    }
}

#[wasm_split(palette, wasm_split_path = ::leptos::wasm_split, fallible)]
fn draw_palette(open: RwSignal<bool>, admin: bool, commander: Commander) -> Result<AnyView, SplitLoaderError> {
    Ok(view! { <Offers open admin commander/> }.into_any())
}

#[component]
fn Offers(open: RwSignal<bool>, admin: bool, commander: Commander) -> impl IntoView {
    let api = StoredValue::new(expect_context::<Api>());
    let live = expect_context::<Live>();
    let wish = expect_context::<Wish>();
    let toasts = expect_context::<Toasts>();
    let log_out = logging_out();
    let navigate = use_navigate();
    let go = Callback::new(move |path: String| {
        // what is not saved there is asked about first
        if !dom::held_from(&path) {
            navigate(&path, NavigateOptions::default());
        }
    });
    let leads = move |label: &str, detail: &str, icon: Icon, path: String| Command {
        label: label.to_owned(),
        detail: detail.to_owned(),
        icon,
        run: Callback::new(move |()| go.run(path.clone())),
    };
    let at = use_location().pathname;
    let shown = at.with_untracked(|path| shown_machine(path));
    let on_its_page = shown.is_some_and(|id| at.with_untracked(|path| *path == format!("/machines/{id}")));
    // whose it is now, not when the page was drawn
    let machine = shown.map(|id| {
        let api = api.get_value();
        load(async move { api.machine(id).await })
    });
    let of_machine = move |machine: &Machine| {
        let (id, name, netboot) = (machine.id, machine.name.clone(), machine.netboot_enabled);
        let power = live.newest_power(id).unwrap_or(machine.power);
        let provision = move |()| {
            wish.set(id);
            let path = format!("/machines/{id}");
            if !on_its_page {
                go.run(path);
            }
        };
        let mut own = vec![
            leads("Console", &name, Icon::Terminal, format!("/machines/{id}/console")),
            Command { label: "Provision".to_owned(), detail: name.clone(), icon: Icon::Play, run: Callback::new(provision) },
        ];
        own.extend(POWER_MENU.iter().filter(|action| !pointless(**action, power)).map(|&action| {
            let order = Order { machine: id, name: name.clone(), netboot, action };
            Command {
                label: command(action).0.to_owned(),
                detail: name.clone(),
                icon: icon(action),
                run: Callback::new(move |()| commander.choose(order.clone())),
            }
        }));
        own
    };
    let reserve = move |machine: &Machine| {
        let name = machine.name.clone();
        let run = Callback::new(move |()| {
            let (api, name) = (api.get_value(), name.clone());
            spawn_local(async move {
                match api.reserve_named(&name, None).await {
                    Ok(_) => toasts.ok(format!("{name} is yours. Give it back among its assignees.")),
                    Err(error) => toasts.error(format!("{name} is not reserved: {}", error.text())),
                }
            });
        });
        Command { label: "Reserve".to_owned(), detail: machine.name.clone(), icon: Icon::User, run }
    };
    let commands = Signal::derive(move || {
        let mut commands = Vec::new();
        if let Some(Ok(machine)) = machine.and_then(|machine| machine.get()) {
            if machine.may_change && machine.bmc_id.is_some() {
                commands.extend(of_machine(&machine));
            }
            if machine.assignees.is_empty() {
                commands.push(reserve(&machine));
            }
        }
        let pages = EVERYBODY.iter().chain(if admin { ADMINS.as_slice() } else { &[] });
        commands.extend(pages.map(|(path, label)| leads(label, "page", Icon::Menu, (*path).to_owned())));
        commands.push(leads("My machines", "page", Icon::Machine, "/machines?mine=1".into()));
        commands.push(leads("New preseed", "page", Icon::Plus, "/preseeds/new".into()));
        commands.push(leads("Upload image", "page", Icon::Upload, format!("/images{UPLOAD}")));
        commands.push(leads("Account & tokens", "page", Icon::User, "/account".into()));
        commands.push(Command {
            label: "Switch between light and dark".into(),
            detail: "everywhere".into(),
            icon: Icon::Theme,
            run: Callback::new(|()| dom::toggle_theme()),
        });
        commands.push(Command { label: "Log out".into(), detail: "this browser".into(), icon: Icon::User, run: log_out });
        commands
    });
    let found = RwSignal::new(Vec::<Command>::new());
    let searching = RwSignal::new(false);
    let newest = Newest::new();
    let find = Callback::new(move |typed: String| {
        let Some(question) = newest.ask() else { return };
        let search = typed.trim().to_owned();
        if search.is_empty() {
            found.set(Vec::new());
            searching.set(false);
            return;
        }
        let api = api.get_value();
        spawn_local(async move {
            let page = machines_of(&api, &search).await;
            if !question.is_newest() {
                return;
            }
            if let Ok(page) = page {
                let rest = page.total.saturating_sub(page.items.len());
                let all = format!("/machines?{}", query_string(std::iter::once(("search", search.as_str()))));
                let more = (rest > 0).then(|| leads(&format!("… and {rest} more"), "in the list of machines", Icon::Machine, all));
                let machines = page.items.iter().map(|machine| {
                    let users: Vec<&str> = machine.assignees.iter().map(|assignee| assignee.user.as_str()).collect();
                    leads(
                        &machine.name,
                        &format!("{} {}", machine.arch, users.join(", ")),
                        Icon::Machine,
                        format!("/machines/{}", machine.id),
                    )
                });
                found.try_set(machines.chain(more).collect());
            }
            searching.try_set(false);
        });
    });
    view! { <Palette open commands find found=found.into() searching/> }
}

/// Those whose names begin with what is typed, then the others in which its words occur.
async fn machines_of(api: &Api, typed: &str) -> Result<Page<Machine>, ApiError> {
    let view = MachineView { limit: OFFERED, ..MachineView::default() };
    let (named, found) = try_join(
        api.machines_page(&MachineView { q: begins(typed), ..view.clone() }),
        api.machines_page(&MachineView { search: typed.to_owned(), ..view }),
    )
    .await?;
    let mut items = named.items;
    let others = found.items.into_iter().filter(|other| !items.iter().any(|own| own.id == other.id)).collect::<Vec<_>>();
    items.extend(others);
    items.truncate(OFFERED);
    Ok(Page { items, total: found.total })
}

/// As typed, and in small letters: a query knows the difference.
fn begins(typed: &str) -> String {
    let within = |word: &str| format!("(and (>= name {}) (< name {}))", quoted(word), quoted(&format!("{word}{}", char::MAX)));
    format!("(or {} {})", within(typed), within(&folded(typed)))
}

/// The machine that the address is about.
fn shown_machine(path: &str) -> Option<i64> {
    path.strip_prefix("/machines/")?.split('/').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{begins, shown_machine};
    use crate::api::query::{Held, Query, Subject, Symbol};

    struct Named(&'static str);

    impl Subject for Named {
        fn held(&self, _: Symbol) -> Held<'_> {
            Held::Text(Some(self.0))
        }
    }

    #[test]
    fn names_that_begin_with_what_is_typed_are_asked_for() {
        let fits = |typed, name| Query::parse(&begins(typed)).unwrap().fits(&Named(name));
        assert!(fits("d03", "d03") && fits("d03", "d03-1") && fits("D03", "d03-1") && fits("D0", "D03"));
        assert!(!fits("03", "d03-1") && !fits("d03\"", "d03") && !fits("d03", "d04"));
    }

    #[test]
    fn a_machines_pages_are_about_it() {
        assert_eq!((shown_machine("/machines/7"), shown_machine("/machines/7/console")), (Some(7), Some(7)));
        assert_eq!((shown_machine("/machines"), shown_machine("/images/7")), (None, None));
    }
}
