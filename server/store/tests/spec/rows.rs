//! What is written is what is read, column by column.

use crate::fixtures::*;
use store::*;

/// Text that a wrong quoting, encoding or trimming would change.
const ODD: &str = " 'quoted' \"twice\"; -- \\ %s $1 \n日本語 \u{1F5A5} ";

store_test!(
    async fn every_column_of_users_and_identities(db) {
        let mut tx = tx(&db).await;
        let new = NewUser { username: ODD.into(), email: ODD.into(), admin: true, ssh_key: ODD.into(), created_at: i64::MAX };
        let id = users::insert(&mut tx, &new).await.expect("insert");
        let row = UserRow { id, username: ODD.into(), email: ODD.into(), admin: true, ssh_key: ODD.into(), created_at: i64::MAX };
        assert_eq!(users::get(&mut tx, id).await.expect("read"), Some(row.clone()));
        assert_eq!(users::get_by_name(&mut tx, ODD).await.expect("read"), Some(row.clone()));
        assert_eq!((users::count(&mut tx).await.expect("n"), users::count_admins(&mut tx).await.expect("n")), (1, 1));
        let row = UserRow { username: "u".into(), email: "e".into(), admin: false, ssh_key: "k".into(), ..row };
        assert!(users::update(&mut tx, &row).await.expect("update"));
        assert_eq!(users::list(&mut tx).await.expect("list"), std::slice::from_ref(&row));
        assert_eq!((users::count(&mut tx).await.expect("n"), users::count_admins(&mut tx).await.expect("n")), (1, 0));
        assert!(!users::update(&mut tx, &UserRow { id: id + 1, ..row }).await.expect("nobody to update"));

        let new = NewIdentity { user_id: id, source: "local".into(), subject: "u".into(), password_hash: Some("$argon2id$".into()), updated_at: NOW };
        let identity = identities::insert(&mut tx, &new).await.expect("insert");
        let row = identities::get(&mut tx, "local", "u").await.expect("read").expect("there");
        assert_eq!((row.id, row.user_id, row.updated_at, row.password_hash.as_deref()), (identity, id, NOW, Some("$argon2id$")));
        assert!(!format!("{row:?} {new:?}").contains("argon2id"), "no log shows a hash");
        let row = IdentityRow { subject: "v".into(), password_hash: None, updated_at: NOW + 1, ..row };
        assert!(identities::update(&mut tx, &row).await.expect("update"));
        assert_eq!(identities::get_for_user(&mut tx, id, "local").await.expect("read"), Some(row));
        assert!(identities::get_for_user(&mut tx, id, "ldap").await.expect("read").is_none());
    }
);

store_test!(
    async fn every_column_of_an_image(db) {
        let lab = lab(&db).await;
        let mut tx = tx(&db).await;
        let row = images::get(&mut tx, lab.kernel).await.expect("read").expect("there");
        let row = ImageRow {
            filename: ODD.into(),
            name: "vmlinuz".into(),
            description: ODD.into(),
            file_type: "Initrd".into(),
            user_id: Some(lab.ben),
            known_good: true,
            public: true,
            size: 1 << 40,
            sha256: "ff".into(),
            ..row
        };
        assert!(images::update(&mut tx, &row).await.expect("update"));
        assert_eq!(images::get_by_filename(&mut tx, ODD).await.expect("read"), Some(row.clone()));
        assert_eq!(images::list_by_sha256(&mut tx, "ff").await.expect("list"), [row]);
        assert_eq!(images::get_by_filename(&mut tx, "anna/vmlinuz").await.expect("read"), None);
    }
);

store_test!(
    async fn every_column_of_a_preseed(db) {
        let lab = lab(&db).await;
        let mut tx = tx(&db).await;
        let row = preseeds::get(&mut tx, lab.preseed).await.expect("read").expect("there");
        let row = PreseedRow {
            filename: "p".into(),
            description: ODD.into(),
            file_type: "autoyast".into(),
            content: ODD.repeat(40_000),
            user_id: None,
            known_good: true,
            public: true,
            updated_at: NOW + 1,
            ..row
        };
        assert!(preseeds::update(&mut tx, &row).await.expect("update"));
        assert_eq!(preseeds::get(&mut tx, lab.preseed).await.expect("read"), Some(row));
    }
);

store_test!(
    async fn every_column_of_bmcs_and_networks(db) {
        let lab = lab(&db).await;
        let mut tx = tx(&db).await;
        let row = bmcs::get(&mut tx, lab.bmc).await.expect("read").expect("there");
        assert_eq!((row.port, row.cipher_suite, row.password_sealed.as_deref()), (623, None, None));
        let row = BmcRow {
            name: "b".into(),
            ip: "2001:db8::1".into(),
            port: 65535,
            bmc_type: "moonshot".into(),
            backend: "ipmitool".into(),
            quirks: "nolist,userpriv".into(),
            key_sealed: Some("sealed-key".into()),
            username: ODD.into(),
            password_sealed: Some("c2VhbGVk".into()),
            privilege_level: "operator".into(),
            cipher_suite: Some(17),
            ..row
        };
        assert!(bmcs::update(&mut tx, &row).await.expect("update"));
        assert_eq!(bmcs::get_by_name(&mut tx, "b").await.expect("read"), Some(row));

        let row = networks::get(&mut tx, lab.network).await.expect("read").expect("there");
        let row = NetworkRow { name: "n".into(), subnet: "10.9.0.0/24".into(), static_net: None, reserved_net: Some("10.9.0.0/25".into()), ..row };
        assert!(networks::update(&mut tx, &row).await.expect("update"));
        assert_eq!(networks::get_by_name(&mut tx, "n").await.expect("read"), Some(row));
    }
);

store_test!(
    async fn every_column_of_archs_and_subarchs(db) {
        let lab = lab(&db).await;
        let mut tx = tx(&db).await;
        let row = ArchRow { id: lab.arch, name: "x".into(), description: ODD.into() };
        assert!(archs::update(&mut tx, &row).await.expect("update"));
        assert_eq!(archs::get(&mut tx, lab.arch).await.expect("read"), Some(row.clone()));
        assert_eq!(archs::get_by_name(&mut tx, "x").await.expect("read"), Some(row));

        let row = subarchs::get(&mut tx, lab.subarch).await.expect("read").expect("there");
        let row = SubarchRow { name: "y".into(), description: ODD.into(), bootloader_id: None, efiboot: false, ..row };
        assert!(subarchs::update(&mut tx, &row).await.expect("update"));
        assert_eq!(subarchs::get(&mut tx, lab.subarch).await.expect("read"), Some(row));
    }
);

store_test!(
    async fn every_column_of_machines_interfaces_and_assignments(db) {
        let lab = lab(&db).await;
        let mut tx = tx(&db).await;
        let fresh = machines::get(&mut tx, lab.spare).await.expect("read").expect("there");
        assert_eq!((fresh.netboot_enabled, fresh.state.as_str(), fresh.kernel_opts.as_str()), (false, "unknown", ""), "how a machine starts");
        assert_eq!(fresh.updated_at, fresh.created_at);
        let row = MachineRow {
            name: ODD.into(),
            subarch_id: Some(lab.subarch),
            bmc_id: Some(lab.bmc),
            bmc_info: "7".into(),
            kernel_id: Some(lab.kernel),
            initrd_id: Some(lab.initrd),
            preseed_id: Some(lab.preseed),
            kernel_opts: ODD.into(),
            netboot_enabled: true,
            state: "provisioning".into(),
            preseed_key: "k2".into(),
            updated_at: NOW + 1,
            ..fresh
        };
        assert!(machines::update(&mut tx, &row).await.expect("update"));
        assert_eq!(machines::get(&mut tx, lab.spare).await.expect("read"), Some(row.clone()));
        let row = MachineRow { subarch_id: None, bmc_id: None, kernel_id: None, initrd_id: None, preseed_id: None, ..row };
        assert!(machines::update(&mut tx, &row).await.expect("clear"));
        assert_eq!(machines::get_by_name(&mut tx, ODD).await.expect("read"), Some(row));

        let row = interfaces::get(&mut tx, lab.interface).await.expect("read").expect("there");
        let row = InterfaceRow {
            mac: "02:00:00:00:00:01".into(),
            identifier: ODD.into(),
            network_id: None,
            static_ipv4: None,
            reserved_ipv4: Some("10.0.0.70".into()),
            ..row
        };
        assert!(interfaces::update(&mut tx, &row).await.expect("update"));
        assert_eq!(interfaces::get(&mut tx, lab.interface).await.expect("read"), Some(row));
        assert!(interfaces::delete(&mut tx, lab.interface).await.expect("delete"));
        assert!(!interfaces::delete(&mut tx, lab.interface).await.expect("gone"));

        assert!(assignments::set_reason(&mut tx, lab.assignment, ODD).await.expect("update"));
        let row = AssignmentRow { id: lab.assignment, machine_id: lab.machine, user_id: lab.anna, reason: ODD.into(), started_at: NOW };
        assert_eq!(assignments::get(&mut tx, lab.assignment).await.expect("read"), Some(row));
        assert!(assignments::delete(&mut tx, lab.assignment).await.expect("delete"));
        assert!(!assignments::set_reason(&mut tx, lab.assignment, "").await.expect("gone"));
    }
);
