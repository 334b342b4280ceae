//! The form for a new machine.

use futures_util::future::try_join;
use leptos::{
    prelude::*,
    wasm_split::{SplitLoaderError, wasm_split},
};
use leptos_router::hooks::use_navigate;

use crate::{
    api::{Api, Arch, Bmc, BmcType, DiscoveredMac, Id, MacAddr, MachineName, NewMachine},
    pages::{
        machine::{bmc_choices, bmc_warning, cartridge},
        parts::later,
    },
    ui::{
        Choice, Curl, Dialog, FieldState, FormEnd, Loading, Notice, SelectField, Submit, SubmitForm, TextArea, TextField, Toasts,
        is_of_name, load,
    },
};

#[component]
pub(super) fn NewMachineDialog(open: RwSignal<bool>, macs: RwSignal<String>) -> impl IntoView {
    view! {
        <Dialog open title="Add a machine" testid="new-machine">{new_machine_form(open, None, macs.get_untracked())}</Dialog>
    }
}

/// `found`: the MAC to make it of; `macs`: what its field begins with.
pub(in crate::pages) fn new_machine_form(open: RwSignal<bool>, found: Option<DiscoveredMac>, macs: String) -> AnyView {
    later(move || draw_new_machine(open, found.clone(), macs.clone()))
}

#[wasm_split(new_machine, wasm_split_path = ::leptos::wasm_split, fallible)]
fn draw_new_machine(open: RwSignal<bool>, found: Option<DiscoveredMac>, macs: String) -> Result<AnyView, SplitLoaderError> {
    Ok(view! { <Form open found macs/> }.into_any())
}

#[component]
fn Form(open: RwSignal<bool>, found: Option<DiscoveredMac>, macs: String) -> impl IntoView {
    let api = expect_context::<Api>();
    let lists = load(async move { try_join(api.archs(), api.bmcs()).await });
    move || match lists.get() {
        None => view! { <Loading/> }.into_any(),
        Some(Err(error)) => view! { <Notice tone="alert-error">{error.text()}</Notice> }.into_any(),
        Some(Ok((archs, bmcs))) => view! { <Fields open archs bmcs found=found.clone() macs=macs.clone()/> }.into_any(),
    }
}

#[component]
fn Fields(open: RwSignal<bool>, archs: Vec<Arch>, bmcs: Vec<Bmc>, found: Option<DiscoveredMac>, macs: String) -> impl IntoView {
    let api = expect_context::<Api>();
    let toasts = expect_context::<Toasts>();
    let navigate = use_navigate();
    let said = found.as_ref().map(|found| found.info.clone()).unwrap_or_default();
    let name = FieldState::new(said.hostname.unwrap_or_default());
    let arch = FieldState::new(likely(&archs, said.arch.as_deref().unwrap_or_default()));
    let subarch = FieldState::new("");
    let bmc = FieldState::new("");
    let bmc_info = FieldState::new("");
    let macs = FieldState::new(macs);
    let submit = Submit::new();
    let arch_choices: Vec<Choice> = archs.iter().map(|arch| Choice::new(&arch.name, &arch.name)).collect();
    let no_archs = archs.is_empty();
    let archs = StoredValue::new(archs);
    let subarch_choices = Signal::derive(move || {
        let arch = arch.value.get();
        archs.with_value(|archs| {
            let subarchs = archs.iter().filter(|own| own.name == arch).flat_map(|own| &own.subarchs);
            subarchs.map(|subarch| Choice::new(&subarch.name, &subarch.name)).collect::<Vec<_>>()
        })
    });
    // a flavour of another architecture must not stay chosen
    Effect::new(move |_| {
        let offered = subarch_choices.get();
        if !offered.iter().any(|choice| choice.value == subarch.value.get_untracked()) {
            subarch.reset(if offered.len() == 1 { offered[0].value.clone() } else { String::new() });
        }
    });
    let offered = bmc_choices(&bmcs, None);
    let moonshots: Vec<String> = bmcs.iter().filter(|bmc| bmc.bmc_type == BmcType::Moonshot).map(|bmc| bmc.id.to_string()).collect();
    let moonshot = Memo::new(move |_| moonshots.contains(&bmc.value.get()));
    let taken = Memo::new(move |_| bmc_warning(&bmcs, &bmc.value.read(), None));
    let id = found.as_ref().map(|found| found.id);
    let input = move || {
        let parsed = (name.parse(MachineName::parse), arch.chosen("an architecture"), macs.parse(parse_macs));
        let (Some(name), Some(arch), Some(macs)) = parsed else { return None };
        let bmc_info = if moonshot.get_untracked() { bmc_info.parse(cartridge)? } else { String::new() };
        Some(NewMachine {
            name,
            arch,
            subarch: Some(subarch.value.get_untracked()).filter(|name| !name.is_empty()),
            bmc_id: bmc.value.get_untracked().parse().ok().map(Id),
            bmc_info,
            macs,
            tags: Vec::new(),
        })
    };
    let call = move |api: Api, new: NewMachine| async move {
        match id {
            Some(id) => api.discovered_machine(id, &new).await,
            None => api.create_machine(&new).await,
        }
    };
    let curl = Callback::new(move |()| input().and_then(|new| Curl::of("Add machine", async |api| call(api, new).await)));
    let send = move |()| {
        let Some(new) = input() else { return };
        let navigate = navigate.clone();
        let place = move |error: &str| match error {
            _ if is_of_name(error) => Some(name),
            _ if error.starts_with("MAC ") => Some(macs),
            _ => None,
        };
        submit.run_placing(call(api.clone(), new), place, move |machine| {
            open.set(false);
            toasts.ok(format!("Machine {} added.", machine.name));
            navigate(&format!("/machines/{}", machine.id), leptos_router::NavigateOptions::default());
        });
    };
    view! {
        <SubmitForm submit send>
            {no_archs
                .then(|| {
                    view! {
                        <Notice>"There is no architecture yet. "<a class="link" href="/archs">"Add one first"</a>"."</Notice>
                    }
                })}
            <TextField id="new-name" label="Name" field=name required=true first=true/>
            <div class="grid grid-cols-1 gap-3 sm:grid-cols-2">
                <SelectField id="new-arch" label="Architecture" field=arch choices=arch_choices required=true/>
                <SelectField id="new-subarch" label="Subarchitecture" field=subarch choices=subarch_choices none="None"/>
            </div>
            <SelectField id="new-bmc" label="BMC" field=bmc choices=offered none="None" search=true help="Without a BMC there is neither power control nor console."/>
            <Show when=move || taken.read().is_some()>
                <Notice><span data-testid="bmc-taken">{move || taken.get()}</span></Notice>
            </Show>
            <Show when=move || moonshot.get()>
                <TextField id="new-bmc-info" label="Cartridge number" field=bmc_info kind="number"/>
            </Show>
            {match found {
                Some(found) => {
                    view! {
                        <p class="text-sm">"Its first interface has the MAC address " <code>{found.mac}</code> "."</p>
                        <TextArea id="new-macs" label="Further MAC addresses" field=macs help="One per line."/>
                    }
                        .into_any()
                }
                None => {
                    view! {
                        <TextArea id="new-macs" label="MAC addresses" field=macs help="One per line. The machine is known by them when it boots from the network." placeholder="52:54:00:12:34:56"/>
                    }
                        .into_any()
                }
            }}
            <FormEnd open submit label="Add machine" curl/>
        </SubmitForm>
    }
}

/// The architecture to offer first: the only one, or what the firmware calls itself in DHCP.
fn likely(archs: &[Arch], said: &str) -> String {
    let names: &[&str] = if said.starts_with("ARM 64") {
        &["arm64", "aarch64"]
    } else if said.starts_with("ARM 32") {
        &["arm", "armhf"]
    } else if said.starts_with("RISC-V 64") {
        &["riscv64"]
    } else if said.starts_with("x64") || said.starts_with("x86") {
        &["x86_64", "amd64", "x86-64"]
    } else {
        &[]
    };
    let fitting = archs.iter().find(|arch| names.contains(&arch.name.to_ascii_lowercase().as_str()));
    fitting.or_else(|| archs.first().filter(|_| archs.len() == 1)).map(|arch| arch.name.clone()).unwrap_or_default()
}

/// One address per line; commas and blanks separate too.
fn parse_macs(text: &str) -> Result<Vec<MacAddr>, String> {
    text.split([',', ' ', '\n', '\t']).filter(|part| !part.is_empty()).map(MacAddr::parse).collect()
}

#[cfg(test)]
mod tests {
    use super::{likely, parse_macs};
    use crate::api::Arch;

    #[test]
    fn firmware_names_an_architecture_of_the_lab() {
        let arch = |id, name: &str| Arch { id, name: name.into(), description: String::new(), subarchs: Vec::new() };
        let lab = [arch(1, "arm64"), arch(2, "AMD64")];
        assert_eq!(likely(&lab, "x64 UEFI, HTTP boot"), "AMD64");
        assert_eq!(likely(&lab, "ARM 64-bit UEFI"), "arm64");
        assert_eq!(likely(&lab, "Itanium"), "");
        assert_eq!(likely(&lab[..1], "Itanium"), "arm64");
    }

    #[test]
    fn addresses_may_be_separated_as_they_come() {
        let macs = parse_macs("52:54:00:00:00:01\n52-54-00-00-00-02, 52:54:00:00:00:03\n\n").unwrap();
        assert_eq!(
            macs.iter().map(crate::api::MacAddr::as_str).collect::<Vec<_>>(),
            ["52:54:00:00:00:01", "52:54:00:00:00:02", "52:54:00:00:00:03"]
        );
        assert_eq!(parse_macs("").unwrap(), []);
        assert!(parse_macs("52:54:00:00:00:01 x").unwrap_err().contains("MAC x"));
    }
}
