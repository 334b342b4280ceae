//! Rows with everything of no interest filled in.

use store::testing::TestStore;
use store::*;

pub(crate) const NOW: i64 = 1_700_000_000_000_000;

pub(crate) async fn tx(db: &TestStore) -> Tx {
    db.store.begin().await.expect("begin")
}

pub(crate) async fn read(db: &TestStore) -> Read {
    db.store.read().await.expect("read")
}

pub(crate) fn a_user(name: &str) -> NewUser {
    NewUser { username: name.into(), email: format!("{name}@lab.example"), admin: false, ssh_key: String::new(), created_at: NOW }
}

pub(crate) fn an_image(filename: &str, arch_id: i64, user_id: Option<i64>) -> NewImage {
    NewImage {
        filename: filename.into(),
        name: filename.into(),
        description: String::new(),
        file_type: "Kernel".into(),
        arch_id,
        user_id,
        known_good: false,
        public: false,
        size: 1,
        sha256: "00".into(),
        created_at: NOW,
    }
}

pub(crate) fn a_preseed(filename: &str, user_id: Option<i64>) -> NewPreseed {
    NewPreseed {
        filename: filename.into(),
        description: String::new(),
        file_type: "preseed".into(),
        content: "d-i".into(),
        user_id,
        known_good: false,
        public: false,
        created_at: NOW,
    }
}

pub(crate) fn a_bmc(name: &str, ip: &str) -> NewBmc {
    NewBmc {
        name: name.into(),
        ip: ip.into(),
        port: 623,
        bmc_type: "plain".into(),
        backend: "native".into(),
        quirks: String::new(),
        key_sealed: None,
        username: "root".into(),
        password_sealed: None,
        privilege_level: "admin".into(),
        cipher_suite: None,
        created_at: NOW,
    }
}

pub(crate) fn a_machine(name: &str, arch_id: i64) -> NewMachine {
    NewMachine {
        name: name.into(),
        arch_id,
        subarch_id: None,
        bmc_id: None,
        bmc_info: String::new(),
        preseed_key: "key".into(),
        created_at: NOW,
    }
}

pub(crate) fn an_interface(machine_id: i64, mac: &str) -> NewInterface {
    NewInterface { machine_id, mac: mac.into(), identifier: String::new(), network_id: None, static_ipv4: None, reserved_ipv4: None }
}

pub(crate) fn an_assignment(machine_id: i64, user_id: i64) -> NewAssignment {
    NewAssignment { machine_id, user_id, reason: String::new(), started_at: NOW }
}

pub(crate) fn an_event(machine_id: i64, user: Option<(i64, &str)>, at: i64) -> NewEvent {
    NewEvent {
        machine_id,
        user_id: user.map(|(id, _)| id),
        username: user.map(|(_, name)| name.into()),
        at,
        event_type: "POWER_CHANGE".into(),
        info: r#"{"power":"on"}"#.into(),
    }
}

pub(crate) fn a_token(user_id: i64, hash: &str) -> NewToken {
    NewToken {
        user_id,
        token_hash: hash.into(),
        prefix: "mrp_".into(),
        description: String::new(),
        created_at: NOW,
        expires_at: None,
        scopes: None,
    }
}

pub(crate) fn a_session(id_hash: &str, user_id: Option<i64>, expires_at: i64) -> SessionRow {
    SessionRow { id_hash: id_hash.into(), user_id, data: "{}".into(), created_at: NOW, last_seen_at: NOW, expires_at }
}

/// A small lab in which everything refers to everything it can.
pub(crate) struct Lab {
    pub(crate) anna: i64,
    pub(crate) ben: i64,
    pub(crate) arch: i64,
    pub(crate) subarch: i64,
    pub(crate) loader: i64,
    pub(crate) kernel: i64,
    pub(crate) initrd: i64,
    pub(crate) preseed: i64,
    pub(crate) bmc: i64,
    pub(crate) network: i64,
    /// Held by anna.
    pub(crate) machine: i64,
    pub(crate) interface: i64,
    pub(crate) assignment: i64,
    /// Held by nobody, with nothing but an architecture.
    pub(crate) spare: i64,
}

pub(crate) async fn lab(db: &TestStore) -> Lab {
    let mut tx = tx(db).await;
    macro_rules! insert {
        ($table:ident, $new:expr) => {
            store::$table::insert(&mut tx, &$new).await.expect(stringify!($table))
        };
    }
    let anna = insert!(users, NewUser { ssh_key: "ssh-ed25519 AAAA anna".into(), ..a_user("anna") });
    let ben = insert!(users, a_user("ben"));
    let arch = insert!(archs, NewArch { name: "arm64".into(), description: "64 bit Arm".into() });
    let loader = insert!(
        images,
        NewImage { file_type: "bootloader".into(), description: "signed".into(), public: true, ..an_image("grub.efi", arch, None) }
    );
    let kernel = insert!(images, an_image("anna/vmlinuz", arch, Some(anna)));
    let initrd = insert!(images, NewImage { file_type: "Initrd".into(), ..an_image("anna/initrd", arch, Some(anna)) });
    let preseed = insert!(preseeds, a_preseed("bookworm", Some(anna)));
    let bmc = insert!(bmcs, a_bmc("rack1", "192.0.2.1"));
    let subarch = insert!(
        subarchs,
        NewSubarch { arch_id: arch, name: "uefi".into(), description: String::new(), bootloader_id: Some(loader), efiboot: true }
    );
    let network = insert!(
        networks,
        NewNetwork {
            name: "lab".into(),
            subnet: "10.0.0.0/24".into(),
            static_net: Some("10.0.0.0/26".into()),
            reserved_net: Some("10.0.0.64/26".into()),
        }
    );
    let machine = insert!(machines, NewMachine { subarch_id: Some(subarch), bmc_id: Some(bmc), ..a_machine("d05-1", arch) });
    let row = machines::get(&mut tx, machine).await.expect("read").expect("just inserted");
    let row = MachineRow { kernel_id: Some(kernel), initrd_id: Some(initrd), preseed_id: Some(preseed), netboot_enabled: true, ..row };
    assert!(machines::update(&mut tx, &row).await.expect("update"));
    let interface = insert!(
        interfaces,
        NewInterface {
            identifier: "eth0".into(),
            network_id: Some(network),
            static_ipv4: Some("10.0.0.5".into()),
            ..an_interface(machine, "52:54:00:00:00:01")
        }
    );
    let assignment = insert!(assignments, NewAssignment { reason: "kernel tests".into(), ..an_assignment(machine, anna) });
    let spare = insert!(machines, a_machine("d05-2", arch));
    tx.commit().await.expect("commit");
    Lab { anna, ben, arch, subarch, loader, kernel, initrd, preseed, bmc, network, machine, interface, assignment, spare }
}
