//! A lab without hardware: simulated machines that boot over the server's real TFTP, HTTP and IPMI.

use std::{
    collections::{HashMap, HashSet},
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use anyhow::{Context, Result, anyhow};
use app::api::{
    ArchInput, ArchName, BmcInput, BmcName, BmcPassword, BmcType, BmcUsername, Cidr, Description, Id, Image, ImageType, InterfaceChange,
    IpAddress, KernelOpts, MacAddr, MachineChange, MachineName, NetworkInput, NetworkName, NewAssignee, NewImage, NewMachine, NewPreseed,
    PreseedName, PreseedType, Reason, SubarchInput, SubarchName,
};
use bmc_sim::{
    LabConfig, MachineConfig, Privilege, User,
    machine::{Firmware, MacAddress},
};
use store::BmcRow;

use crate::{
    config::{Config, Tftp},
    lab::{Actor, Lab, LabError, Origin, archs, assignments, bmcs, images, interfaces, machines, networks, preseeds},
    secrets,
    serve::Server,
};

/// Fewer would not show what a lab is.
const FEWEST: usize = 4;
/// Machines have addresses 127.77.x.y: each its own, so that the server can tell them apart.
const MOST: usize = 60_000;

/// Size of the sample kernel and initrd: long enough to see them travel.
const KERNEL_SIZE: usize = 8 * 1024 * 1024;
const INITRD_SIZE: usize = 24 * 1024 * 1024;
const LOADER_SIZE: usize = 1024 * 1024;

const PRESEED: &str = "\
# Answers for {{ hostname }}, written by mr-provisioner's demo.
d-i debian-installer/locale string en_US.UTF-8
d-i netcfg/get_hostname string {{ hostname }}
{% for interface in interfaces -%}
d-i netcfg/get_ipaddress string {{ interface.static_ipv4 }}
d-i netcfg/get_netmask string {{ interface.netmask }}
{% endfor -%}
{% if ssh_key -%}
d-i preseed/late_command string in-target sh -c 'mkdir -p -m 700 ~root/.ssh; echo \"{{ ssh_key }}\" > ~root/.ssh/authorized_keys'
{% endif -%}
d-i finish-install/reboot_in_progress note
";

/// What a simulated machine is.
struct Plan {
    name: String,
    mac: String,
    bmc: String,
    arch: &'static str,
    subarch: &'static str,
    firmware: Firmware,
    address: IpAddr,
}

fn plan(index: usize) -> Plan {
    let number = index / 4 + 1;
    let (name, arch, subarch, firmware) = match index % 4 {
        0 => (format!("x86-uefi-{number}"), "x86_64", "uefi", Firmware::UefiX64),
        1 => (format!("x86-bios-{number}"), "x86_64", "bios", Firmware::Bios),
        2 => (format!("arm64-{number}"), "arm64", "uefi", Firmware::UefiArm64),
        _ => (format!("x86-uefi-b{number}"), "x86_64", "uefi", Firmware::UefiX64),
    };
    // below MOST, so both fit
    let [high, low] = u16::try_from(index + 1).unwrap_or(u16::MAX).to_be_bytes();
    Plan {
        bmc: format!("{name}-bmc"),
        name,
        mac: format!("52:54:00:de:{high:02x}:{low:02x}"),
        arch,
        subarch,
        firmware,
        address: Ipv4Addr::new(127, 77, high, low).into(),
    }
}

/// Runs the server with so many simulated machines, at least four.
///
/// # Errors
/// What [`Server::start`] and [`Server::run`] say, and a lab that cannot be made.
pub async fn run(mut config: Config, machines: usize) -> Result<()> {
    // a port of its own: the demo needs no right to port 69 and disturbs no TFTP server
    config.tftp = Tftp { listen: Some((config.listen.ip(), 0).into()), explicit: true };
    let mut server = Server::start(config).await?;
    let lab = server.lab().clone();
    let tftp = server.tftp_address().context("the demo needs TFTP")?;
    let plans: Vec<Plan> = (0..machines.clamp(FEWEST, MOST)).map(plan).collect();
    let actor = admin(&lab).await?;
    let loaders = furnish(&lab, &actor).await.context("cannot furnish the demo lab")?;

    let password = secrets::random_hex::<8>()?;
    let user = User::new("demo", &password, Privilege::Administrator);
    let simulated = plans.iter().map(|plan| simulate(plan, tftp, server.address(), &user, &loaders)).collect::<Result<_>>()?;
    let mut simulator = bmc_sim::Lab::start(LabConfig { machines: simulated }).await?;
    let mut addresses = HashMap::new();
    for plan in &plans {
        addresses.insert(plan.bmc.as_str(), simulator.machine(&plan.name).context("a machine is missing")?.bmc_addr());
    }
    make_room(&lab, &actor, &addresses).await.context("cannot make room for the demo's BMCs")?;
    for plan in &plans {
        let address = addresses[plan.bmc.as_str()];
        register(&lab, &actor, plan, address, &password).await.with_context(|| format!("cannot register {}", plan.name))?;
    }
    tracing::info!(machines = plans.len(), %tftp, "demo lab");

    let shutdown = lab.shutdown.clone();
    server.spawn("simulator", async move {
        tokio::select! {
            () = simulator.failed() => Err(anyhow!("a simulated machine died")),
            () = shutdown.cancelled() => {
                simulator.shutdown().await;
                Ok(())
            }
        }
    });
    server.run().await
}

fn simulate(
    plan: &Plan,
    tftp: SocketAddr,
    http: SocketAddr,
    user: &User,
    loaders: &HashMap<(&str, &str), String>,
) -> Result<MachineConfig> {
    let mac: MacAddress = plan.mac.parse()?;
    let mut config = MachineConfig::new(&plan.name, mac, plan.firmware, tftp, vec![user.clone()]);
    config.loader = loaders.get(&(plan.arch, plan.subarch)).cloned();
    config.http = Some(http);
    config.address = Some(plan.address);
    config.installed = true;
    Ok(config)
}

/// The first admin, in whose name the lab is furnished.
async fn admin(lab: &Lab) -> Result<Actor> {
    let users = store::users::list(&mut *lab.store.read().await?).await?;
    let user = users.into_iter().filter(|user| user.admin).min_by_key(|user| user.id).context("there is no admin")?;
    Ok(Actor::new(user.id, &user.username, true, Origin::Local))
}

fn parsed<T>(result: Result<T, String>) -> Result<T> {
    result.map_err(anyhow::Error::msg)
}

/// What machines need: architectures, loaders, sample images, a preseed, a network. Made once; what a user has changed
/// since stays. Answers with the loaders' paths by architecture and flavour.
async fn furnish(lab: &Lab, actor: &Actor) -> Result<HashMap<(&'static str, &'static str), String>> {
    let known = archs::list(lab, actor).await?;
    let mut loaders = HashMap::new();
    for (arch, description, flavours) in [
        ("x86_64", "64-bit PC", [("uefi", "UEFI", true, "grubnetx64.efi"), ("bios", "Legacy BIOS", false, "pxelinux.0")].as_slice()),
        ("arm64", "64-bit Arm", [("uefi", "UEFI", true, "grubnetaa64.efi")].as_slice()),
    ] {
        if let Some(present) = known.iter().find(|known| known.name == arch) {
            for (flavour, ..) in flavours {
                let loader =
                    present.subarchs.iter().find(|subarch| subarch.name == *flavour).and_then(|subarch| subarch.bootloader.clone());
                loaders.extend(loader.map(|loader| ((arch, *flavour), loader)));
            }
            continue;
        }
        let input = ArchInput { name: parsed(ArchName::parse(arch))?, description: Some(parsed(Description::parse(description))?) };
        let made = archs::create(lab, actor, input).await?;
        for (flavour, description, efiboot, file) in flavours {
            let image = image(lab, actor, ImageType::Bootloader, arch, file, "Pretend bootloader of the demo", LOADER_SIZE).await?;
            let input = SubarchInput {
                name: parsed(SubarchName::parse(flavour))?,
                description: Some(parsed(Description::parse(description))?),
                bootloader_id: Some(Some(Id(image.id))),
                efiboot: *efiboot,
            };
            archs::create_subarch(lab, actor, made.id, input).await?;
            loaders.insert((arch, *flavour), image.name);
        }
        image(lab, actor, ImageType::Kernel, arch, "demo-linux", "Pretend kernel of the demo", KERNEL_SIZE).await?;
        image(lab, actor, ImageType::Initrd, arch, "demo-initrd.gz", "Pretend installer of the demo", INITRD_SIZE).await?;
    }
    if known.is_empty() {
        let preseed = NewPreseed {
            name: parsed(PreseedName::parse("demo.preseed"))?,
            file_type: PreseedType::Preseed,
            description: Some(parsed(Description::parse("Answers for the demo's installer"))?),
            content: Some(PRESEED.into()),
            known_good: true,
            public: true,
        };
        preseeds::create(lab, actor, preseed).await?;
        let network = NetworkInput {
            name: parsed(NetworkName::parse("lab"))?,
            subnet: parsed(Cidr::parse("10.77.0.0/16"))?,
            static_net: Some(parsed(Cidr::parse("10.77.8.0/24"))?),
            reserved_net: Some(parsed(Cidr::parse("10.77.9.0/24"))?),
        };
        networks::create(lab, actor, network).await?;
    }
    Ok(loaders)
}

/// An uploaded image whose content nobody looks at.
async fn image(lab: &Lab, actor: &Actor, file_type: ImageType, arch: &str, file: &str, description: &str, size: usize) -> Result<Image> {
    let mut incoming = lab.images.receive().await?;
    let line = format!("{file} for {arch}: {description}. There is nothing in it.\n");
    let block: Vec<u8> = line.bytes().cycle().take(64 * 1024).collect();
    let mut left = size;
    while left > 0 {
        let part = left.min(block.len());
        incoming.write(&block[..part]).await?;
        left -= part;
    }
    let new = NewImage {
        file_type,
        arch: arch.into(),
        description: Some(parsed(Description::parse(description))?),
        known_good: true,
        public: true,
    };
    Ok(images::create(lab, actor, new, file.into(), incoming.finish().await?, false).await?.0)
}

/// Moves the stored BMCs away that are in the way of those of now.
async fn make_room(lab: &Lab, actor: &Actor, addresses: &HashMap<&str, SocketAddr>) -> Result<()> {
    let stored = store::bmcs::list(&mut *lab.store.read().await?).await?;
    for (row, port) in in_the_way(&stored, addresses) {
        let input = BmcInput {
            name: parsed(BmcName::parse(&row.name))?,
            ip: parsed(IpAddress::parse(&row.ip))?,
            port: Some(port),
            bmc_type: None,
            backend: None,
            quirks: None,
            privilege_level: None,
            key: None,
            cipher_suite: None,
            username: None,
            password: None,
        };
        bmcs::change(lab, actor, row.id, input).await?;
    }
    Ok(())
}

/// Stored BMCs at addresses that others of `addresses`, by their names, have now: the ports are other ones each time. Each with a port
/// that nobody has.
fn in_the_way<'a>(stored: &'a [BmcRow], addresses: &HashMap<&str, SocketAddr>) -> Vec<(&'a BmcRow, u16)> {
    let place = |row: &BmcRow| (row.ip.clone(), row.port);
    let now: HashMap<(String, i64), &str> =
        addresses.iter().map(|(name, address)| ((address.ip().to_string(), i64::from(address.port())), *name)).collect();
    let mut used: HashSet<(String, i64)> = stored.iter().map(place).chain(now.keys().cloned()).collect();
    let mut moved = Vec::new();
    for row in stored.iter().filter(|row| now.get(&place(row)).is_some_and(|name| *name != row.name)) {
        let free = (1..=u16::MAX).find(|port| used.insert((row.ip.clone(), i64::from(*port))));
        moved.extend(free.map(|port| (row, port)));
    }
    moved
}

/// Makes a machine and its BMC known to the lab; of those known already only the BMC's address and password are new.
async fn register(lab: &Lab, actor: &Actor, plan: &Plan, bmc: SocketAddr, password: &str) -> Result<()> {
    let input = BmcInput {
        name: parsed(BmcName::parse(&plan.bmc))?,
        ip: parsed(IpAddress::parse(&bmc.ip().to_string()))?,
        port: Some(bmc.port()),
        bmc_type: Some(BmcType::Plain),
        backend: None,
        quirks: None,
        privilege_level: None,
        key: None,
        cipher_suite: None,
        username: Some(parsed(BmcUsername::parse("demo"))?),
        password: Some(parsed(BmcPassword::parse(password))?),
    };
    let known = store::bmcs::get_by_name(&mut *lab.store.read().await?, &plan.bmc).await?;
    if let Some(known) = known {
        bmcs::change(lab, actor, known.id, input).await?;
        return Ok(());
    }
    let made = bmcs::create(lab, actor, input).await?;
    let new = NewMachine {
        name: parsed(MachineName::parse(&plan.name))?,
        arch: plan.arch.into(),
        subarch: Some(plan.subarch.into()),
        bmc_id: Some(Id(made.id)),
        bmc_info: String::new(),
        macs: vec![parsed(MacAddr::parse(&plan.mac))?],
        tags: Vec::new(),
    };
    let machine = match machines::create(lab, actor, new).await {
        // the user has given the name to something else: that is no fault
        Err(LabError::Conflict(_) | LabError::Store(_)) => return Ok(()),
        other => other?,
    };
    let options = MachineChange { kernel_opts: Some(parsed(KernelOpts::parse("console=ttyS0,115200"))?), ..MachineChange::default() };
    machines::change(lab, actor, machine.id, options).await?;
    let network = store::networks::get_by_name(&mut *lab.store.read().await?, "lab").await?;
    if let (Some(network), Some(interface)) = (network, interfaces::list(lab, actor, machine.id).await?.first()) {
        let change = InterfaceChange { network_id: Some(Some(Id(network.id))), ..InterfaceChange::default() };
        interfaces::change(lab, actor, machine.id, interface.id, change).await?;
    }
    if plan.name.ends_with("uefi-1") {
        let assignee = NewAssignee { user: actor.username.clone(), reason: Some(parsed(Reason::parse("first steps"))?) };
        assignments::create(lab, actor, machine.id, assignee).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_anothers_address_gets_out_of_its_way_first() {
        let row = |id, name: &str, port| BmcRow {
            id,
            name: name.into(),
            ip: "127.0.0.1".into(),
            port,
            bmc_type: "plain".into(),
            backend: "native".into(),
            username: String::new(),
            password_sealed: None,
            privilege_level: "admin".into(),
            key_sealed: None,
            quirks: String::new(),
            cipher_suite: None,
            created_at: 0,
        };
        let stored = [row(1, "a", 5000), row(2, "b", 5001), row(3, "c", 5002), row(4, "gone", 1), row(5, "also", 5003)];
        let at = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        // b and c have changed places, a has its own again, the last two are no longer there
        let addresses = HashMap::from([("a", at(5000)), ("b", at(5002)), ("c", at(5001)), ("new", at(5003)), ("newer", at(2))]);
        let moved: Vec<(i64, u16)> = in_the_way(&stored, &addresses).into_iter().map(|(row, port)| (row.id, port)).collect();
        assert_eq!(moved, [(2, 3), (3, 4), (5, 5)]);
    }
}
