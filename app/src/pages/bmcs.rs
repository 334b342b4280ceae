//! BMCs: what switches machines and carries their consoles.

use leptos::prelude::*;

use super::{
    health::{HealthBadge, HealthNote},
    records::{Record, Records, loaded, names},
};
use crate::{
    api::{
        Api, Bmc, BmcBackend, BmcInput, BmcKey, BmcName, BmcPassword, BmcPrivilege, BmcQuirk, BmcType, BmcUsername, Edit, IpAddress, Me,
    },
    live::Live,
    ui::{
        AddButton, Address, Choice, CopyButton, Curl, Dialog, Empty, FieldState, FormEnd, Opened, PageHead, SearchBox, SelectField, Submit,
        SubmitForm, SwitchField, TextField, Toasts, matches, natural, saved,
    },
};

/// IPMI over LAN, unless said otherwise.
const PORT: u16 = 623;

#[component]
pub(super) fn Bmcs() -> impl IntoView {
    loaded("BMCs", |api| async move { api.bmcs().await }, |me, bmcs| view! { <List me bmcs/> }.into_any())
}

impl Record for Bmc {
    const NOUN: &'static str = "BMC";

    fn id(&self) -> i64 {
        self.id
    }

    fn label(&self) -> &str {
        &self.name
    }
}

fn found(own: &Bmc, query: &str) -> bool {
    matches(&format!("{}\n{}\n{}\n{}", own.name, own.ip, own.bmc_type.word(), own.machines.join("\n")).to_lowercase(), query)
}

#[component]
fn List(me: Me, bmcs: Vec<Bmc>) -> impl IntoView {
    let live = expect_context::<Live>();
    let records = Records::new(bmcs);
    let filter = Address::new().keeps::<String>("q");
    let sorted = move || {
        let query = filter.get();
        let mut list: Vec<Bmc> = records.list.with(|list| list.iter().filter(|own| found(own, &query)).cloned().collect());
        list.sort_by(|a, b| natural(&a.name, &b.name));
        list
    };
    let adding = RwSignal::new(false);
    let put = records.put();
    let admin = me.admin;
    view! {
        <PageHead title="BMCs">
            <SearchBox value=filter label="Filter BMCs"/>
            {admin.then(|| view! { <AddButton label="Add BMC" open=adding testid="add-bmc"/> })}
        </PageHead>
        <Show
            when=move || !records.list.with(Vec::is_empty)
            fallback=|| view! { <Empty title="No BMCs yet">"A BMC switches a machine's power and carries its console, over IPMI."</Empty> }
        >
            // without the administrators' buttons nothing in it can be reached by the keyboard, and it scrolls sideways on a telephone
            <div class="rounded-box border-base-300 overflow-x-auto border" tabindex="0" role="region" aria-label="BMCs">
                <table class="table-sm table" data-testid="bmcs">
                    <caption class="sr-only">"BMCs"</caption>
                    <thead class="bg-base-200">
                        <tr>
                            <th scope="col">"Name"</th>
                            {admin.then(|| view! { <th scope="col" class="max-md:hidden">"Address"</th> })}
                            <th scope="col" class="max-md:hidden">"Type"</th>
                            <th scope="col">"Health"</th>
                            // told to administrators only
                            {admin.then(|| view! { <th scope="col" class="max-md:hidden">"User name"</th><th scope="col" class="max-md:hidden">"Password"</th> })}
                            <th scope="col" class="max-md:hidden">"Machines"</th>
                            {admin.then(|| view! { <th scope="col"><span class="sr-only">"Actions"</span></th> })}
                        </tr>
                    </thead>
                    <tbody>
                        <For each=sorted key=|bmc| serde_json::to_string(bmc).unwrap_or_default() let:bmc>
                            {
                                let health = live.health(bmc.id, bmc.health.clone());
                                let kind = match bmc.backend {
                                    BmcBackend::Native => bmc.bmc_type.word().to_owned(),
                                    BmcBackend::Ipmitool => format!("{} by ipmitool", bmc.bmc_type.word()),
                                };
                                let address = if bmc.port == PORT { bmc.ip.clone() } else { format!("{} port {}", bmc.ip, bmc.port) };
                                view! {
                                    <tr class="hover:bg-base-200" data-bmc=bmc.name.clone()>
                                        <th scope="row" class="font-medium">{bmc.name.clone()}</th>
                                        {admin.then(|| {
                                            let host = if bmc.ip.contains(':') { format!("[{}]", bmc.ip) } else { bmc.ip.clone() };
                                            view! {
                                                <td class="font-mono text-xs whitespace-nowrap max-md:hidden">
                                                    // most BMCs have pages of their own
                                                    <a
                                                        class="link link-hover"
                                                        href=format!("http://{host}")
                                                        target="_blank"
                                                        rel="noopener noreferrer external"
                                                        title="The BMC's own pages"
                                                    >
                                                        {address}
                                                    </a>
                                                    " "
                                                    <CopyButton text=bmc.ip.clone() what="BMC's address"/>
                                                </td>
                                            }
                                        })}
                                        <td class="max-md:hidden">{kind}</td>
                                        <td class="max-w-80"><HealthBadge health/><HealthNote health/></td>
                                        {admin.then(|| view! {
                                            <td class="max-md:hidden">{if bmc.username.is_empty() { "–".to_owned() } else { bmc.username.clone() }}</td>
                                            <td class="max-md:hidden">{if bmc.has_password { "set" } else { "none" }}</td>
                                        })}
                                        <td class="max-w-72 text-xs break-words max-md:hidden">{names(&bmc.machines)}</td>
                                        {admin.then(|| view! {
                                            <td class="w-0 text-right whitespace-nowrap">{records.buttons(&bmc, true)}</td>
                                        })}
                                    </tr>
                                }
                            }
                        </For>
                    </tbody>
                </table>
            </div>
        </Show>
        <Dialog open=adding title="Add a BMC"><Form open=adding opened=None done=put/></Dialog>
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
        let login = (username.parse(BmcUsername::parse), password.parse(BmcPassword::parse));
        let ((Some(name), Some(ip), Some(port), Some(bmc_type)), (Some(username), Some(password))) = (place, login) else { return None };
        let session = (backend.parse(BmcBackend::parse), privilege.parse(BmcPrivilege::parse), quirks.parse(BmcQuirk::parse_list));
        let ((Some(backend), Some(privilege_level), Some(quirks)), Some(key)) = (session, key.parse(BmcKey::parse)) else { return None };
        Some(BmcInput {
            name,
            ip,
            port: Some(port),
            bmc_type: Some(bmc_type),
            backend: Some(backend),
            cipher_suite: forget.get_untracked().then_some(None),
            username: Some(username),
            // an empty field keeps the secret there is
            password: Some(password).filter(|password| opened.is_none() || !password.as_str().is_empty()),
            quirks: Some(quirks),
            privilege_level: Some(privilege_level),
            key: Some(key).filter(|key| !key.as_str().is_empty()),
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
        let input = BmcInput { password: None, key: None, ..input()? };
        Curl::of("Save, without secrets", async |api| call(api, input).await)
    });
    let send = move |()| {
        let Some(input) = input() else { return };
        submit.run(call(api.clone(), input), move |answer| {
            let Some(bmc) = saved(opened, answer) else { return };
            open.set(false);
            toasts.ok(format!("BMC {} saved.", bmc.name));
            done.run(bmc);
        });
    };
    view! {
        <SubmitForm submit send autocomplete="off">
            <div class="grid grid-cols-1 gap-3 sm:grid-cols-2">
                <TextField id="bmc-name" label="Name" field=name required=true/>
                <SelectField id="bmc-type" label="Type" field=kind choices=kinds/>
                <TextField id="bmc-ip" label="IP address" field=ip mono=true required=true/>
                <TextField id="bmc-port" label="UDP port" field=port mono=true/>
                <TextField id="bmc-username" label="User name" field=username/>
                <TextField
                    id="bmc-password"
                    label="Password"
                    field=password
                    kind="password"
                    autocomplete="new-password"
                    help=if keeps_password { "Empty: stays as it is. It is never shown." } else { "It is never shown again." }
                />
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
                    <TextField
                        id="bmc-key"
                        label="BMC key (K_g)"
                        field=key
                        kind="password"
                        autocomplete="new-password"
                        help=if keeps_key { "Empty: stays as it is. It is never shown." } else { "Only if one is set on the BMC; text, or 0x and hexadecimal digits." }
                    />
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
            {opened.map(Opened::notice)}
            <FormEnd open submit label="Save" curl/>
        </SubmitForm>
    }
}

#[cfg(test)]
mod tests {
    use super::parse_port;

    #[test]
    fn a_port_is_a_number_of_sixteen_bits() {
        assert_eq!(parse_port(" 623 "), Ok(623));
        for wrong in ["", "0", "65536", "-1", "x"] {
            assert!(parse_port(wrong).is_err(), "{wrong}");
        }
    }
}
