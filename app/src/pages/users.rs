//! Accounts, for administrators.

use leptos::prelude::*;

use super::{
    account::Access,
    follow::follow_list,
    records::{Record, Records, loaded, rows},
    used::{Thing, UsedBy},
};
use crate::{
    api::{self, Api, ApiError, CreatedUser, Email, Me, NewPassword, NewUser, User, UserChange, Username},
    ui::{
        AddButton, Address, Columns, Confirm, CopyButton, Curl, Dialog, Empty, FieldState, FormEnd, Icon, Notice, Opened, PageHead,
        RowButton, SearchBox, Sort, SortHead, Submit, SubmitForm, SwitchField, TextField, Toasts, Zone, is_of_name, matches, natural,
    },
};

#[component]
pub(super) fn Users() -> impl IntoView {
    loaded("Users", load, |me, users| view! { <List me users/> }.into_any())
}

async fn load(api: Api) -> Result<Vec<User>, ApiError> {
    api.users().await
}

impl Record for User {
    const NOUN: &'static str = "user";

    fn id(&self) -> i64 {
        self.id
    }

    fn label(&self, _zone: Zone) -> String {
        self.username.clone()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Name,
    Email,
    Privilege,
}

impl Columns for Column {
    const WORDS: &'static [(Self, &'static str)] = &[(Self::Name, "name"), (Self::Email, "email"), (Self::Privilege, "privilege")];
}

fn email(user: &User) -> &str {
    user.email.as_deref().unwrap_or_default()
}

fn compare(a: &User, b: &User, sort: Sort<Column>) -> std::cmp::Ordering {
    let by = match sort.column {
        Column::Name => natural(&a.username, &b.username),
        // those without one last
        Column::Email => email(a).is_empty().cmp(&email(b).is_empty()).then_with(|| natural(email(a), email(b))),
        // administrators first
        Column::Privilege => b.admin.cmp(&a.admin),
    };
    sort.apply(by).then_with(|| natural(&a.username, &b.username))
}

#[component]
fn List(me: Me, users: Vec<User>) -> impl IntoView {
    let records = Records::new(users);
    follow_list(&[api::List::User], load, records.replace());
    let used = UsedBy::new(me.admin);
    let address = Address::new();
    let filter = address.keeps::<String>("q");
    let sort = address.keeps_sort(Sort::by(Column::Name));
    let shown = Memo::new(move |_| {
        let (query, sort) = (filter.get(), sort.get());
        let found = |user: &User| matches(&format!("{}\n{}", user.username, email(user)), &query);
        let mut list: Vec<User> = records.list.with(|list| list.iter().filter(|user| found(user)).cloned().collect());
        list.sort_by(|a, b| compare(a, b, sort));
        list
    });
    let adding = RwSignal::new(false);
    let access_of = RwSignal::new(None::<User>);
    let access_open = RwSignal::new(false);
    let password_of = RwSignal::new(None::<User>);
    let password_open = RwSignal::new(false);
    let created = RwSignal::new(None::<CreatedUser>);
    let created_open = RwSignal::new(false);
    let put = records.put();
    let made = Callback::new(move |new: CreatedUser| {
        put.run(new.user.clone());
        created.set(Some(new));
        created_open.set(true);
    });
    let giving_up = RwSignal::new(None::<Callback<()>>);
    let give_up_open = RwSignal::new(false);
    let give_up = Callback::new(move |save: Callback<()>| {
        giving_up.set(Some(save));
        give_up_open.set(true);
    });
    let admin = me.admin;
    let own_id = me.id;
    let row = move |own: Memo<User>| {
        let text = move |get: fn(&User) -> String| move || own.with(get);
        let privilege = text(|user| {
            match user.admin {
                Some(true) => "Administrator",
                Some(false) => "User",
                None => "",
            }
            .into()
        });
        let label = move |what: &'static str| Signal::derive(move || own.with(|user| format!("{what} of {}", user.username)));
        let show = move |of: RwSignal<Option<User>>, open: RwSignal<bool>| {
            move |()| {
                of.set(Some(own.get_untracked()));
                open.set(true);
            }
        };
        view! {
            <tr class="hover:bg-base-200">
                <th scope="row" class="font-medium wrap-anywhere">
                    {text(|user| user.username.clone())}
                    // what has no column of its own on a telephone
                    <span class="block text-xs font-normal opacity-80 md:hidden">
                        <span class="block">{text(|user| email(user).to_owned())}</span>
                        <span class="block">{privilege}</span>
                    </span>
                </th>
                <td class="wrap-anywhere max-md:hidden">{text(|user| if email(user).is_empty() { "–".into() } else { email(user).to_owned() })}</td>
                <td class="max-md:hidden">{privilege}</td>
                <td class="w-0 text-right whitespace-nowrap">
                    {admin.then(|| view! {
                        <RowButton icon=Icon::Key label=label("Sessions and tokens") action=show(access_of, access_open)/>
                        <RowButton icon=Icon::Keyboard label=label("Set password") action=show(password_of, password_open)/>
                        {used.button(move || Thing::User(own.get()))}
                        {records.buttons(own, own.with_untracked(|user| user.id != own_id))}
                    })}
                </td>
            </tr>
        }
        .into_any()
    };
    let left = Signal::derive(move || (shown.with(Vec::len), records.list.with(Vec::len)));
    view! {
        <PageHead title="Users">
            <SearchBox value=filter label="Filter users" left/>
            {admin.then(|| view! { <AddButton label="Add user" open=adding testid="add-user"/> })}
        </PageHead>
        {(!admin).then(|| view! { <div class="mb-3"><Notice tone="alert-info">"Only administrators manage accounts."</Notice></div> })}
        <div class="rounded-box border-base-300 overflow-x-auto border">
            <table class="table-sm table" data-testid="users">
                <caption class="sr-only">"Users"</caption>
                <thead class="bg-base-200">
                    <tr>
                        <SortHead label="User name" column=Column::Name sort/>
                        <SortHead label="E-mail" column=Column::Email sort class="max-md:hidden"/>
                        <SortHead label="Privilege" column=Column::Privilege sort class="max-md:hidden"/>
                        <th scope="col"><span class="sr-only">"Actions"</span></th>
                    </tr>
                </thead>
                <tbody>{rows(move || shown.get(), |user| user.id, row)}</tbody>
            </table>
        </div>
        <Show when=move || shown.with(Vec::is_empty)>
            <Empty title="No user matches"/>
        </Show>
        <Dialog open=adding title="Add a user"><NewForm open=adding done=made/></Dialog>
        {records.editor(move |open, opened| view! { <EditForm open opened done=put own_id give_up/> }.into_any())}
        // there once it has been asked
        <Show when=move || giving_up.with(Option::is_some)>
            <Confirm
                open=give_up_open
                title="Give up your rights"
                text="You will no longer be an administrator, and cannot undo that yourself."
                verb="Give up"
                submit=Submit::new()
                action=move |()| {
                    give_up_open.set(false);
                    if let Some(save) = giving_up.get_untracked() {
                        // the form may have gone meanwhile
                        save.try_run(());
                    }
                }
            />
        </Show>
        <Dialog
            open=password_open
            title=Signal::derive(move || password_of.with(|user| user.as_ref().map(|user| format!("Set password of {}", user.username))).unwrap_or_default())
        >
            {move || password_of.get().map(|user| view! { <PasswordForm open=password_open user/> })}
        </Dialog>
        <Dialog
            open=access_open
            title=Signal::derive(move || access_of.with(|user| user.as_ref().map(|user| format!("Sessions and tokens of {}", user.username))).unwrap_or_default())
            wide=true
            testid="access"
        >
            {move || access_of.get().map(|user| view! { <Access owner=user.id/> })}
        </Dialog>
        <Dialog open=created_open title="User added" keeps=true>
            {move || {
                created
                    .get()
                    .map(|new| {
                        view! {
                            <p>"The password of " <strong>{new.user.username}</strong> " is"</p>
                            <p class="my-3 flex items-center gap-2">
                                <code class="bg-base-200 rounded px-2 py-1 text-lg" data-testid="generated-password">{new.password.clone()}</code>
                                <CopyButton text=new.password what="password"/>
                            </p>
                            <p class="text-sm opacity-80">"It is shown this once. Hand it over in private; the user can change it under Account."</p>
                            <div class="mt-3 flex justify-end">
                                <button type="button" class="btn btn-sm btn-primary" on:click=move |_| created_open.set(false)>"Done"</button>
                            </div>
                        }
                    })
            }}
        </Dialog>
        {used.dialog()}
        {records.deleter(|_| "Their sessions and tokens end at once.".into(), |api, id, removal| async move { api.delete_user(id, removal).await })}
    }
}

#[component]
fn NewForm(open: RwSignal<bool>, done: Callback<CreatedUser>) -> impl IntoView {
    let api = expect_context::<Api>();
    let toasts = expect_context::<Toasts>();
    let username = FieldState::new("");
    let email = FieldState::new("");
    let admin = RwSignal::new(false);
    let submit = Submit::new();
    let input = move || {
        let (Some(username), Some(email)) = (username.parse(Username::parse), email.parse_optional(Email::parse)) else { return None };
        Some(NewUser { username, email, admin: admin.get_untracked() })
    };
    let curl = Callback::new(move |()| input().and_then(|new| Curl::of("Add user", async |api| api.create_user(&new).await)));
    let send = move |()| {
        let Some(new) = input() else { return };
        let api = api.clone();
        let call = async move {
            let created = api.create_user(&new).await?;
            let name = created.user.username.clone();
            // the password is told this once, whether or not the form still waits for it
            if done.try_run(created).is_none() {
                toasts.warning(format!("User {name} was added, but the password was not shown. Set another."));
            }
            Ok::<_, ApiError>(())
        };
        let place = move |error: &str| is_of_name(error).then_some(username);
        submit.run_placing(call, place, move |()| open.set(false));
    };
    view! {
        <SubmitForm submit send autocomplete="off">
            <TextField id="user-name" label="User name" field=username required=true/>
            <TextField id="user-email" label="E-mail" field=email kind="email"/>
            <SwitchField id="user-admin" label="Administrator" checked=admin help="Owns BMCs, networks, architectures and users, and may change everything."/>
            <p class="text-sm opacity-80">"A password is generated and shown once."</p>
            <FormEnd open submit label="Add user" curl/>
        </SubmitForm>
    }
}

#[component]
fn EditForm(
    open: RwSignal<bool>,
    opened: Opened<User>,
    done: Callback<User>,
    /// Whose page it is.
    own_id: i64,
    /// Asks before what it is given is done: one's own rights are taken away.
    give_up: Callback<Callback<()>>,
) -> impl IntoView {
    let api = expect_context::<Api>();
    let toasts = expect_context::<Toasts>();
    let user = opened.known();
    let username = FieldState::new(user.username);
    let email = FieldState::new(user.email.unwrap_or_default());
    let admin = RwSignal::new(user.admin == Some(true));
    let submit = Submit::new();
    let input = move || {
        let (Some(username), Some(email)) = (username.parse(Username::parse), email.parse(Email::parse)) else { return None };
        Some(UserChange { username: Some(username), email: Some(email), admin: Some(admin.get_untracked()), password: None })
    };
    let call = move |api: Api, change: UserChange| async move { api.edit_user(&opened.known(), &change).await };
    let curl = Callback::new(move |()| input().and_then(|change| Curl::of("Save", async |api| call(api, change).await)));
    let save = Callback::new(move |()| {
        let Some(change) = input() else { return };
        let place = move |error: &str| is_of_name(error).then_some(username);
        submit.save_placing(call(api.clone(), change), place, move |answer| {
            let Some(user) = opened.saved(answer) else { return };
            open.set(false);
            toasts.ok(format!("User {} saved.", user.username));
            done.run(user);
        });
    });
    let send = move |()| {
        let known = opened.known();
        if known.id == own_id && known.admin == Some(true) && !admin.get_untracked() && input().is_some() {
            give_up.run(save);
        } else {
            save.run(());
        }
    };
    view! {
        <SubmitForm submit send autocomplete="off">
            <TextField id="edit-user-name" label="User name" field=username required=true/>
            <TextField id="edit-user-email" label="E-mail" field=email kind="email"/>
            <SwitchField id="edit-user-admin" label="Administrator" checked=admin/>
            {opened.notice()}
            <FormEnd open submit label="Save" curl/>
        </SubmitForm>
    }
}

#[component]
fn PasswordForm(open: RwSignal<bool>, user: User) -> impl IntoView {
    let api = expect_context::<Api>();
    let toasts = expect_context::<Toasts>();
    let password = FieldState::new("");
    let submit = Submit::new();
    let name = user.username.clone();
    let send = move |()| {
        let Some(password) = password.parse(NewPassword::parse) else { return };
        let change = UserChange { password: Some(password), ..UserChange::default() };
        let api = api.clone();
        submit.run(async move { api.change_user(user.id, &change).await }, move |user| {
            open.set(false);
            toasts.ok(format!("Password of {} set.", user.username));
        });
    };
    view! {
        <SubmitForm submit send autocomplete="off">
            <p class="text-sm">"A new password for " <strong>{name}</strong> ". All their sessions end."</p>
            <TextField id="user-password" label="New password" field=password kind="password" autocomplete="new-password" required=true/>
            <FormEnd open submit label="Set password"/>
        </SubmitForm>
    }
}
