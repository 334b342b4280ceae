//! The joined reads: every name a page shows, and nobody else's rows.

use crate::fixtures::*;
use store::*;

store_test!(
    async fn a_machine_shows_every_name_it_refers_to(db) {
        let lab = lab(&db).await;
        let mut read = read(&db).await;
        let full = machines::view(&mut read, lab.machine).await.expect("read").expect("there");
        let expected = MachineView {
            id: lab.machine,
            name: "d05-1".into(),
            arch_id: lab.arch,
            arch_name: "arm64".into(),
            subarch_id: Some(lab.subarch),
            subarch_name: Some("uefi".into()),
            efiboot: true,
            bootloader_id: Some(lab.loader),
            bootloader_filename: Some("grub.efi".into()),
            bmc_id: Some(lab.bmc),
            bmc_name: Some("rack1".into()),
            bmc_type: Some("plain".into()),
            bmc_info: String::new(),
            kernel_id: Some(lab.kernel),
            kernel_filename: Some("anna/vmlinuz".into()),
            initrd_id: Some(lab.initrd),
            initrd_filename: Some("anna/initrd".into()),
            preseed_id: Some(lab.preseed),
            preseed_filename: Some("bookworm".into()),
            preseed_type: Some("preseed".into()),
            kernel_opts: String::new(),
            netboot_enabled: true,
            state: "unknown".into(),
            preseed_key: "key".into(),
            created_at: NOW,
            updated_at: NOW,
        };
        assert_eq!(full, expected);

        let bare = machines::view(&mut read, lab.spare).await.expect("read").expect("there");
        assert_eq!((bare.arch_name.as_str(), bare.subarch_name, bare.efiboot, bare.bootloader_id), ("arm64", None, false, None));
        assert_eq!((bare.bmc_name, bare.kernel_filename, bare.initrd_filename, bare.preseed_type), (None, None, None, None));

        assert_eq!(machines::view_by_mac(&mut read, "52:54:00:00:00:01").await.expect("read"), Some(expected));
        assert_eq!(machines::view_by_mac(&mut read, "52:54:00:00:00:02").await.expect("read"), None);
        let by_mac = machines::get_by_mac(&mut read, "52:54:00:00:00:01").await.expect("read").expect("there");
        assert_eq!(Some(&by_mac), machines::get_by_name(&mut read, "d05-1").await.expect("read").as_ref());
        assert_eq!(Some(by_mac), machines::get(&mut read, lab.machine).await.expect("read"));
    }
);

store_test!(
    async fn machines_are_listed_for_all_for_their_holders_and_for_who_seeks_a_free_one(db) {
        let lab = lab(&db).await;
        let mut tx = tx(&db).await;
        assignments::insert(&mut tx, &an_assignment(lab.machine, lab.ben)).await.expect("a second holder");
        tx.commit().await.expect("commit");
        let mut read = read(&db).await;
        let ids = |views: Vec<MachineView>| views.into_iter().map(|m| m.id).collect::<Vec<_>>();
        assert_eq!(ids(machines::list_views(&mut read).await.expect("list")), [lab.machine, lab.spare]);
        assert_eq!(ids(machines::list_views_assigned_to(&mut read, lab.anna).await.expect("list")), [lab.machine]);
        assert_eq!(ids(machines::list_views_assigned_to(&mut read, 999).await.expect("list")), [0; 0]);
        assert_eq!(ids(machines::list_views_unassigned(&mut read).await.expect("list")), [lab.spare]);
        assert_eq!(machines::list(&mut read).await.expect("list").len(), 2);
    }
);

store_test!(
    async fn beside_a_list_of_machines_stand_their_interfaces_and_holders(db) {
        let lab = lab(&db).await;
        let mut tx = tx(&db).await;
        let second = interfaces::insert(&mut tx, &an_interface(lab.spare, "52:54:00:00:00:02")).await.expect("insert");
        let ben = assignments::insert(&mut tx, &an_assignment(lab.machine, lab.ben)).await.expect("insert");
        tx.commit().await.expect("commit");
        let mut read = read(&db).await;

        let eth0 = InterfaceView {
            id: lab.interface,
            machine_id: lab.machine,
            mac: "52:54:00:00:00:01".into(),
            identifier: "eth0".into(),
            network_id: Some(lab.network),
            network_name: Some("lab".into()),
            subnet: Some("10.0.0.0/24".into()),
            static_net: Some("10.0.0.0/26".into()),
            reserved_net: Some("10.0.0.64/26".into()),
            static_ipv4: Some("10.0.0.5".into()),
            reserved_ipv4: None,
            lease_ipv4: None,
            lease_seen_at: None,
        };
        let bare = interfaces::view(&mut read, second).await.expect("read").expect("there");
        assert_eq!((bare.network_id, &bare.network_name, &bare.subnet), (None, &None, &None));
        assert_eq!(interfaces::list_views(&mut read).await.expect("list"), [eth0.clone(), bare]);
        assert_eq!(interfaces::list_views_of_machine(&mut read, lab.machine).await.expect("list"), std::slice::from_ref(&eth0));
        assert_eq!(interfaces::list_views_assigned_to(&mut read, lab.anna).await.expect("list"), [eth0]);

        let row = interfaces::get(&mut read, lab.interface).await.expect("read").expect("there");
        assert_eq!(interfaces::get_by_mac(&mut read, &row.mac).await.expect("read").as_ref(), Some(&row));
        assert_eq!(interfaces::list_by_ipv4(&mut read, "10.0.0.5").await.expect("list"), std::slice::from_ref(&row));
        assert_eq!(interfaces::list_by_ipv4(&mut read, "10.0.0.6").await.expect("list"), []);
        assert_eq!(interfaces::list_in_network(&mut read, lab.network).await.expect("list"), [row]);

        let held = |id, user_id, username: &str, reason: &str| AssignmentView {
            id,
            machine_id: lab.machine,
            user_id,
            username: username.into(),
            reason: reason.into(),
            started_at: NOW,
        };
        let both = [held(lab.assignment, lab.anna, "anna", "kernel tests"), held(ben, lab.ben, "ben", "")];
        assert_eq!(assignments::list_views(&mut read).await.expect("list"), both);
        assert_eq!(assignments::list_views_of_machine(&mut read, lab.machine).await.expect("list"), both);
        assert_eq!(assignments::list_views_assigned_to(&mut read, lab.ben).await.expect("list"), both, "anna's too: the page shows both");
        assert_eq!(assignments::list_views_of_machine(&mut read, lab.spare).await.expect("list"), []);
        assert_eq!(assignments::view(&mut read, ben).await.expect("read").as_ref(), Some(&both[1]));
        assert_eq!(assignments::get_for(&mut read, lab.machine, lab.ben).await.expect("read").map(|a| a.id), Some(ben));
        assert_eq!(assignments::get_for(&mut read, lab.spare, lab.ben).await.expect("read"), None);
        assert_eq!(assignments::list_ssh_keys(&mut read, lab.machine).await.expect("list"), ["ssh-ed25519 AAAA anna", ""]);
    }
);

store_test!(
    async fn images_and_preseeds_show_to_others_only_when_public(db) {
        let lab = lab(&db).await;
        let mut tx = tx(&db).await;
        let bens = images::insert(&mut tx, &an_image("ben/vmlinuz", lab.arch, Some(lab.ben))).await.expect("insert");
        let public = preseeds::insert(&mut tx, &NewPreseed { public: true, ..a_preseed("default", None) }).await.expect("insert");
        tx.commit().await.expect("commit");
        let mut read = read(&db).await;

        let ids = |views: Vec<ImageView>| views.into_iter().map(|i| i.id).collect::<Vec<_>>();
        assert_eq!(ids(images::list(&mut read).await.expect("list")), [lab.loader, lab.kernel, lab.initrd, bens]);
        assert_eq!(ids(images::list_visible_to(&mut read, lab.ben).await.expect("list")), [lab.loader, bens]);
        assert_eq!(ids(images::list_owned_by(&mut read, lab.ben).await.expect("list")), [bens]);
        let view = images::view(&mut read, bens).await.expect("read").expect("there");
        assert_eq!((view.arch_name.as_str(), view.username.as_deref()), ("arm64", Some("ben")));
        assert_eq!(images::view(&mut read, lab.loader).await.expect("read").expect("there").username, None, "the lab's own");

        let ids = |views: Vec<PreseedView>| views.into_iter().map(|i| i.id).collect::<Vec<_>>();
        assert_eq!(ids(preseeds::list(&mut read).await.expect("list")), [lab.preseed, public]);
        assert_eq!(ids(preseeds::list_visible_to(&mut read, lab.ben).await.expect("list")), [public]);
        assert_eq!(ids(preseeds::list_owned_by(&mut read, lab.anna).await.expect("list")), [lab.preseed]);
        let view = preseeds::view(&mut read, lab.preseed).await.expect("read").expect("there");
        assert_eq!((view.username.as_deref(), view.content.as_str(), view.updated_at), (Some("anna"), "d-i", NOW));
    }
);

store_test!(
    async fn names_sort_by_their_bytes(db) {
        let mut tx = tx(&db).await;
        for name in ["b", "a", "B", "ä", "10", "9"] {
            archs::insert(&mut tx, &NewArch { name: name.into(), description: String::new() }).await.expect("insert");
            bmcs::insert(&mut tx, &a_bmc(name, name)).await.expect("insert");
            let network = NewNetwork { name: name.into(), subnet: name.into(), static_net: None, reserved_net: None };
            networks::insert(&mut tx, &network).await.expect("insert");
        }
        let sorted = ["10", "9", "B", "a", "b", "ä"];
        assert_eq!(archs::list(&mut tx).await.expect("list").into_iter().map(|r| r.name).collect::<Vec<_>>(), sorted);
        assert_eq!(bmcs::list(&mut tx).await.expect("list").into_iter().map(|r| r.name).collect::<Vec<_>>(), sorted);
        assert_eq!(networks::list(&mut tx).await.expect("list").into_iter().map(|r| r.name).collect::<Vec<_>>(), sorted);
    }
);

store_test!(
    async fn subarchitectures_show_their_loader(db) {
        let lab = lab(&db).await;
        let mut tx = tx(&db).await;
        let new = NewSubarch { arch_id: lab.arch, name: "bare".into(), description: "none".into(), bootloader_id: None, efiboot: false };
        let bare = subarchs::insert(&mut tx, &new).await.expect("insert");
        let list = subarchs::list_for_arch(&mut tx, lab.arch).await.expect("list");
        assert_eq!(list.iter().map(|s| s.id).collect::<Vec<_>>(), [bare, lab.subarch], "by name");
        assert_eq!(list, subarchs::list(&mut tx).await.expect("list"));
        assert_eq!((list[0].bootloader_filename.as_deref(), list[0].efiboot), (None, false));
        assert_eq!(list[1].arch_name, "arm64");
        assert_eq!((list[1].bootloader_filename.as_deref(), list[1].bootloader_description.as_deref()), (Some("grub.efi"), Some("signed")));
        let uefi = subarchs::get_by_name(&mut tx, lab.arch, "uefi").await.expect("read").expect("there");
        assert_eq!((uefi.id, uefi.efiboot), (lab.subarch, true));
        assert_eq!(subarchs::get_by_name(&mut tx, 999, "uefi").await.expect("read"), None);
    }
);
