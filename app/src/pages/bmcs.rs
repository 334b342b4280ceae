//! BMCs: what switches machines and carries their consoles.

use leptos::prelude::*;

use super::{
    follow::follow_list,
    health::{HealthBadge, HealthNote, gravity},
    records::{Record, Records, loaded, rows},
    used::{Thing, UsedBy},
};
use crate::{
    api::{
        self, Api, ApiError, Bmc, BmcBackend, BmcInput, BmcKey, BmcName, BmcPassword, BmcPrivilege, BmcQuirk, BmcType, BmcUsername, Edit,
        IpAddress, LabEvent, Me,
    },
    live::Live,
    ui::{
        AddButton, Address, Choice, Columns, CopyButton, Curl, Dialog, Empty, Field, FieldState, FormEnd, Opened, PageHead, SearchBox,
        SelectField, Sort, SortHead, Submit, SubmitForm, SwitchField, TextField, Toasts, Zone, is_of_name, matches, natural, saved,
    },
};

/// IPMI over LAN, unless said otherwise.
const PORT: u16 = 623;

#[component]
pub(super) fn Bmcs() -> impl IntoView {
    loaded("BMCs", load, |me, bmcs| view! { <List me bmcs/> }.into_any())
}

async fn load(api: Api) -> Result<Vec<Bmc>, ApiError> {
    api.bmcs().await
}

impl Record for Bmc {
    const NOUN: &'static str = "BMC";

    fn id(&self) -> i64 {
        self.id
    }

    fn label(&self, _zone: Zone) -> String {
        self.name.clone()
    }
}

fn found(own: &Bmc, query: &str) -> bool {
    matches(&format!("{}\n{}\n{}\n{}", own.name, own.ip, own.bmc_type.word(), own.machines.join("\n")), query)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Name,
    Address,
    Kind,
    Health,
    User,
    Password,
    Machines,
}

impl Columns for Column {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Name, "name"),
        (Self::Address, "address"),
        (Self::Kind, "type"),
        (Self::Health, "health"),
        (Self::User, "username"),
        (Self::Password, "password"),
        (Self::Machines, "machines"),
    ];
}

fn compare(a: &Bmc, b: &Bmc, sort: Sort<Column>) -> std::cmp::Ordering {
    let by = match sort.column {
        Column::Name => natural(&a.name, &b.name),
        Column::Address => natural(&a.ip, &b.ip).then(a.port.cmp(&b.port)),
        Column::Kind => kind(a).cmp(&kind(b)),
        // those that are not well first
        Column::Health => gravity(&a.health).cmp(&gravity(&b.health)),
        Column::User => natural(&a.username, &b.username),
        Column::Password => a.has_password.cmp(&b.has_password),
        Column::Machines => a.machines.len().cmp(&b.machines.len()),
    };
    sort.apply(by).then_with(|| natural(&a.name, &b.name))
}

fn kind(bmc: &Bmc) -> String {
    match bmc.backend {
        BmcBackend::Native => bmc.bmc_type.word().to_owned(),
        BmcBackend::Ipmitool => format!("{} by ipmitool", bmc.bmc_type.word()),
    }
}

fn address(bmc: &Bmc) -> String {
    if bmc.port == PORT { bmc.ip.clone() } else { format!("{} port {}", bmc.ip, bmc.port) }
}

#[component]
fn List(me: Me, bmcs: Vec<Bmc>) -> impl IntoView {
    let live = expect_context::<Live>();
    let records = Records::new(bmcs);
    follow_list(&[api::List::Bmc], load, records.replace());
    // for the order; what a row shows, it follows by itself
    live.listen(move |event| {
        if let LabEvent::BmcHealth { bmc, health } = event {
            records.list.try_update(|list| list.iter_mut().filter(|own| own.id == *bmc).for_each(|own| own.health = health.clone()));
        }
    });
    let used = UsedBy::new(me.admin);
    let kept = Address::new();
    let filter = kept.keeps::<String>("q");
    let sort = kept.keeps_sort(Sort::by(Column::Name));
    let shown = Memo::new(move |_| {
        let (query, sort) = (filter.get(), sort.get());
        let mut list: Vec<Bmc> = records.list.with(|list| list.iter().filter(|own| found(own, &query)).cloned().collect());
        list.sort_by(|a, b| compare(a, b, sort));
        list
    });
    let adding = RwSignal::new(false);
    let put = records.put();
    let admin = me.admin;
    let row = move |own: Memo<Bmc>| {
        let text = move |get: fn(&Bmc) -> String| move || own.with(get);
        let first = own.get_untracked();
        let health = live.health(first.id, first.health);
        let host = Memo::new(move |_| own.with(|own| (own.ip.clone(), address(own))));
        let machines = move || own.with(|own| own.machine_ids.iter().copied().zip(own.machines.iter().cloned()).collect::<Vec<_>>());
        let thing = move || Thing::Bmc(own.get());
        view! {
            <tr class="hover:bg-base-200" data-bmc=text(|own| own.name.clone())>
                <th scope="row" class="font-medium wrap-anywhere">
                    {text(|own| own.name.clone())}
                    // what has no column of its own where it is narrow
                    <span class="block text-xs font-normal lg:hidden">
                        {admin.then(|| view! { <span class="block font-mono opacity-80 md:hidden">{text(address)}</span> })}
                        <span class="block opacity-80 md:hidden">{text(kind)}</span>
                        {admin.then(|| view! {
                            <span class="block opacity-80">
                                {text(|own| {
                                    let user = if own.username.is_empty() { "no user name" } else { &own.username };
                                    format!("{user}, {}", if own.has_password { "password set" } else { "no password" })
                                })}
                            </span>
                        })}
                        <span class="block md:hidden">{used.machines(machines, thing)}</span>
                    </span>
                </th>
                {admin.then(|| view! {
                    <td class="font-mono text-xs whitespace-nowrap max-md:hidden">
                        {move || {
                            let (ip, address) = host.get();
                            let name = if ip.contains(':') { format!("[{ip}]") } else { ip.clone() };
                            view! {
                                // most BMCs have pages of their own
                                <a
                                    class="link link-hover"
                                    href=format!("http://{name}")
                                    target="_blank"
                                    rel="noopener noreferrer external"
                                    title="The BMC's own pages"
                                >
                                    {address}
                                </a>
                                " "
                                <CopyButton text=ip what="BMC's address"/>
                            }
                        }}
                    </td>
                })}
                <td class="max-md:hidden">{text(kind)}</td>
                <td class="max-w-80 wrap-anywhere"><HealthBadge health/><HealthNote health/></td>
                {admin.then(|| view! {
                    <td class="wrap-anywhere max-lg:hidden">{text(|own| if own.username.is_empty() { "–".to_owned() } else { own.username.clone() })}</td>
                    <td class="max-lg:hidden">{text(|own| if own.has_password { "set".into() } else { "none".into() })}</td>
                })}
                <td class="max-w-72 text-xs wrap-anywhere max-md:hidden">{used.machines(machines, thing)}</td>
                <td class="w-0 text-right whitespace-nowrap">
                    {used.button(thing)}
                    {admin.then(|| records.buttons(own, true))}
                </td>
            </tr>
        }
        .into_any()
    };
    let left = Signal::derive(move || (shown.with(Vec::len), records.list.with(Vec::len)));
    view! {
        <PageHead title="BMCs">
            <SearchBox value=filter label="Filter BMCs" left/>
            {admin.then(|| view! { <AddButton label="Add BMC" open=adding testid="add-bmc"/> })}
        </PageHead>
        <Show
            when=move || !records.list.with(Vec::is_empty)
            fallback=|| view! { <Empty title="No BMCs yet">"A BMC switches a machine's power and carries its console, over IPMI."</Empty> }
        >
            <div class="rounded-box border-base-300 overflow-x-auto border">
                <table class="table-sm table" data-testid="bmcs">
                    <caption class="sr-only">"BMCs"</caption>
                    <thead class="bg-base-200">
                        <tr>
                            <SortHead label="Name" column=Column::Name sort/>
                            {admin.then(|| view! { <SortHead label="Address" column=Column::Address sort class="max-md:hidden"/> })}
                            <SortHead label="Type" column=Column::Kind sort class="max-md:hidden"/>
                            <SortHead label="Health" column=Column::Health sort/>
                            // told to administrators only
                            {admin.then(|| view! {
                                <SortHead label="User name" column=Column::User sort class="max-lg:hidden"/>
                                <SortHead label="Password" column=Column::Password sort class="max-lg:hidden"/>
                            })}
                            <SortHead label="Machines" column=Column::Machines sort class="max-md:hidden"/>
                            <th scope="col"><span class="sr-only">"Actions"</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows(move || shown.get(), |own| own.id, row)}</tbody>
                </table>
            </div>
            <Show when=move || shown.with(Vec::is_empty)>
                <Empty title="No BMC matches"/>
            </Show>
        </Show>
        <Dialog open=adding title="Add a BMC"><Form open=adding opened=None done=put/></Dialog>
        {used.dialog()}
        {records.editor(move |open, opened| view! { <Form open opened=Some(opened) done=put/> }.into_any())}
        {records.deleter(|_| String::new(), |api, id, removal| async move { api.delete_bmc(id, removal).await })}
    }
}

fn parse_port(text: &str) -> Result<u16, String> {
    text.trim().parse().ok().filter(|port| *port != 0).ok_or_else(|| "Port must be a number between 1 and 65535".into())
}

#[component]
fn Form(open: RwSignal<bool>, opened: Option<Opened<Bmc>>, done: Callback<Bmc>) -> impl IntoView {
    let api = expect_context::<Api>();
    let toasts = expect_context::<Toasts>();
    let old = opened.map(Opened::known);
    let name = FieldState::new(old.as_ref().map(|own| own.name.clone()).unwrap_or_default());
    let ip = FieldState::new(old.as_ref().map(|own| own.ip.clone()).unwrap_or_default());
    let port = FieldState::new(old.as_ref().map_or(PORT, |own| own.port).to_string());
    let kind = FieldState::new(old.as_ref().map(|own| own.bmc_type).unwrap_or_default().word());
    let backend = FieldState::new(old.as_ref().map(|own| own.backend).unwrap_or_default().word());
    let agreed = old.as_ref().and_then(|own| own.cipher_suite);
    let forget = RwSignal::new(false);
    let username = FieldState::new(old.as_ref().map(|own| own.username.clone()).unwrap_or_default());
    let password = FieldState::new("");
    let keeps_password = old.as_ref().is_some_and(|own| own.has_password);
    let privilege = FieldState::new(old.as_ref().map(|own| own.privilege_level).unwrap_or_default().word());
    let quirks = FieldState::new(old.as_ref().map(|own| BmcQuirk::list(&own.quirks)).unwrap_or_default());
    let key = FieldState::new("");
    // an empty field keeps what there is
    let (no_password, no_key) = (RwSignal::new(false), RwSignal::new(false));
    let keeps_key = old.as_ref().is_some_and(|own| own.has_key);
    let submit = Submit::new();
    let kinds: Vec<Choice> = BmcType::ALL.map(|kind| Choice::new(kind.word(), kind.word())).to_vec();
    let backends: Vec<Choice> = [(BmcBackend::Native, "built in"), (BmcBackend::Ipmitool, "the program ipmitool")]
        .map(|(backend, label)| Choice::new(backend.word(), label))
        .to_vec();
    let levels: Vec<Choice> = [(BmcPrivilege::Admin, "administrator"), (BmcPrivilege::Operator, "operator"), (BmcPrivilege::User, "user")]
        .map(|(level, label)| Choice::new(level.word(), label))
        .to_vec();
    // open when something in it is not as with most BMCs
    let special = old.as_ref().is_some_and(|own| {
        own.backend != BmcBackend::default() || own.privilege_level != BmcPrivilege::default() || own.has_key || !own.quirks.is_empty()
    });
    let input = move || {
        let place = (name.parse(BmcName::parse), ip.parse(IpAddress::parse), port.parse(parse_port), kind.parse(BmcType::parse));
        let password = if no_password.get_untracked() { BmcPassword::parse("").ok() } else { password.parse(BmcPassword::parse) };
        let login = (username.parse(BmcUsername::parse), password);
        let ((Some(name), Some(ip), Some(port), Some(bmc_type)), (Some(username), Some(password))) = (place, login) else { return None };
        let session = (backend.parse(BmcBackend::parse), privilege.parse(BmcPrivilege::parse), quirks.parse(BmcQuirk::parse_list));
        let key = if no_key.get_untracked() { BmcKey::parse("").ok() } else { key.parse(BmcKey::parse) };
        let ((Some(backend), Some(privilege_level), Some(quirks)), Some(key)) = (session, key) else { return None };
        Some(BmcInput {
            name,
            ip,
            port: Some(port),
            bmc_type: Some(bmc_type),
            backend: Some(backend),
            cipher_suite: forget.get_untracked().then_some(None),
            username: Some(username),
            // an empty field keeps the secret there is
            password: Some(password).filter(|password| opened.is_none() || no_password.get_untracked() || !password.as_str().is_empty()),
            quirks: Some(quirks),
            privilege_level: Some(privilege_level),
            key: Some(key).filter(|key| no_key.get_untracked() || !key.as_str().is_empty()),
        })
    };
    let call = move |api: Api, input: BmcInput| async move {
        match opened {
            Some(opened) => api.edit_bmc(&opened.known(), &input).await,
            None => api.create_bmc(&input).await.map(Edit::Saved),
        }
    };
    // a shell keeps what was typed
    let curl = Callback::new(move |()| {
        let mut input = input()?;
        // that there is to be none is no secret
        input.password = input.password.filter(|password| password.as_str().is_empty());
        input.key = input.key.filter(|key| key.as_str().is_empty());
        Curl::of("Save, without secrets", async |api| call(api, input).await)
    });
    let send = move |()| {
        let Some(input) = input() else { return };
        let place = move |error: &str| match error {
            _ if is_of_name(error) => Some(name),
            _ if error.contains("with this address") => Some(ip),
            _ => None,
        };
        submit.save_placing(call(api.clone(), input), place, move |answer| {
            let Some(bmc) = saved(opened, answer) else { return };
            open.set(false);
            toasts.ok(format!("BMC {} saved.", bmc.name));
            done.run(bmc);
        });
    };
    // secrets are not told
    let fields = move |theirs: &Bmc| -> Vec<Field> {
        vec![
            ("Name", name.value.get(), theirs.name.clone()),
            ("Type", kind.value.get(), theirs.bmc_type.word().into()),
            ("IP address", ip.value.get(), theirs.ip.clone()),
            ("UDP port", port.value.get(), theirs.port.to_string()),
            ("User name", username.value.get(), theirs.username.clone()),
            ("Spoken to by", backend.value.get(), theirs.backend.word().into()),
            ("Privilege level", privilege.value.get(), theirs.privilege_level.word().into()),
            ("Quirks", quirks.value.get(), BmcQuirk::list(&theirs.quirks)),
        ]
    };
    view! {
        <SubmitForm submit send autocomplete="off">
            <div class="grid grid-cols-1 gap-3 sm:grid-cols-2">
                <TextField id="bmc-name" label="Name" field=name required=true/>
                <SelectField id="bmc-type" label="Type" field=kind choices=kinds/>
                <TextField id="bmc-ip" label="IP address" field=ip mono=true required=true/>
                <TextField id="bmc-port" label="UDP port" field=port mono=true/>
                <TextField id="bmc-username" label="User name" field=username/>
                <div class="flex flex-col gap-2">
                    <TextField
                        id="bmc-password"
                        label="Password"
                        field=password
                        kind="password"
                        autocomplete="new-password"
                        help=if keeps_password { "Empty: stays as it is. It is never shown." } else { "It is never shown again." }
                        disabled=no_password
                    />
                    {keeps_password.then(|| view! { <SwitchField id="bmc-no-password" label="Remove the password" checked=no_password/> })}
                </div>
            </div>
            <details open=special data-testid="bmc-special">
                <summary class="cursor-pointer text-sm font-medium">"For BMCs that need something special"</summary>
                <div class="grid grid-cols-1 gap-3 pt-2 sm:grid-cols-2">
                    <SelectField
                        id="bmc-backend"
                        label="Spoken to by"
                        field=backend
                        choices=backends
                        help="ipmitool, which must be installed on the server, is a way out for BMCs that the built-in client does not get on with."
                    />
                    <SelectField
                        id="bmc-privilege"
                        label="Privilege level"
                        field=privilege
                        choices=levels
                        help="What the account on the BMC may do. Most need administrator for the boot device and the console."
                    />
                    <TextField
                        id="bmc-quirks"
                        label="Quirks"
                        field=quirks
                        mono=true
                        help="Names with commas between: intelplus, i82571spt, nolist, openpriv, userpriv, as ipmitool has them."
                    />
                    <div class="flex flex-col gap-2">
                        <TextField
                            id="bmc-key"
                            label="BMC key (K_g)"
                            field=key
                            kind="password"
                            autocomplete="new-password"
                            help=if keeps_key { "Empty: stays as it is. It is never shown." } else { "Only if one is set on the BMC; text, or 0x and hexadecimal digits." }
                            disabled=no_key
                        />
                        {keeps_key.then(|| view! { <SwitchField id="bmc-no-key" label="Remove the key" checked=no_key/> })}
                    </div>
                </div>
            </details>
            {agreed
                .map(|suite| {
                    view! {
                        <p class="text-sm" data-testid="bmc-suite">
                            {format!("Cipher suite {} was agreed on. Weaker ones are refused: they may be an attack.", suite.number())}
                        </p>
                        <SwitchField id="bmc-forget-suite" label="Forget it: the BMC was made weaker on purpose" checked=forget/>
                    }
                })}
            {opened.map(|opened| opened.notice_of(fields))}
            <FormEnd open submit label="Save" curl/>
        </SubmitForm>
    }
}

#[cfg(test)]
mod tests {
    use super::{Column, Sort, compare, parse_port};
    use crate::api::Bmc;

    #[test]
    fn bmcs_sort_by_number_and_gravity() {
        let bmc = |name: &str, ip: &str, reachable: &str| -> Bmc {
            let text = format!(
                r#"{{"id": 1, "name": "{name}", "ip": "{ip}", "port": 623, "type": "plain", "backend": "native", "quirks": [],
                "username": "", "has_password": false, "privilege_level": "admin", "has_key": false, "cipher_suite": null,
                "health": {{"reachable": {reachable}, "last_answer": null, "error": null}}, "machines": [], "machine_ids": []}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let order = |column, descending| {
            let mut list = [bmc("b10", "10.0.0.9", "true"), bmc("b9", "10.0.0.10", "false"), bmc("b11", "10.0.0.1", "null")];
            list.sort_by(|a, b| compare(a, b, Sort { column, descending }));
            list.map(|own| own.name)
        };
        assert_eq!(order(Column::Name, false), ["b9", "b10", "b11"]);
        assert_eq!(order(Column::Name, true), ["b11", "b10", "b9"]);
        assert_eq!(order(Column::Address, false), ["b11", "b10", "b9"]);
        assert_eq!(order(Column::Health, false), ["b9", "b11", "b10"]);
        // what is equal stays by name
        assert_eq!(order(Column::Machines, true), ["b9", "b10", "b11"]);
    }

    #[test]
    fn a_port_is_a_number_of_sixteen_bits() {
        assert_eq!(parse_port(" 623 "), Ok(623));
        for wrong in ["", "0", "65536", "-1", "x"] {
            assert!(parse_port(wrong).is_err(), "{wrong}");
        }
    }
}
