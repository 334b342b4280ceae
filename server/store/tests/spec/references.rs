//! What goes with a row, what loses its reference, and what keeps a row from going.

use crate::fixtures::*;
use store::*;

fn names(used_by: &[UsedBy]) -> Vec<String> {
    used_by.iter().map(|u| format!("{} {} as {}", u.kind, u.name, u.role)).collect()
}

store_test!(
    async fn a_machine_takes_its_own_along(db) {
        let lab = lab(&db).await;
        let mut tx = tx(&db).await;
        events::insert(&mut tx, &an_event(lab.machine, None, NOW)).await.expect("event");
        let token = ConsoleTokenRow { token_hash: "c".into(), machine_id: lab.machine, user_id: lab.ben, session_hash: None, token_id: None, expires_at: NOW + 1 };
        console_tokens::insert(&mut tx, &token).await.expect("console token");

        assert!(machines::delete(&mut tx, lab.machine).await.expect("delete"));
        assert!(!machines::delete(&mut tx, lab.machine).await.expect("it is gone already"));
        tx.commit().await.expect("commit");

        let mut read = read(&db).await;
        assert_eq!(interfaces::get(&mut read, lab.interface).await.expect("read"), None);
        assert_eq!(assignments::get(&mut read, lab.assignment).await.expect("read"), None);
        assert_eq!(events::list(&mut read, lab.machine, None, 10).await.expect("read"), []);
        drop(read);
        let mut tx = crate::fixtures::tx(&db).await;
        assert_eq!(console_tokens::take(&mut tx, "c", NOW).await.expect("take"), None);
        // and nothing else: what it referred to is free now
        assert!(bmcs::delete(&mut tx, lab.bmc).await.expect("delete"));
        assert!(images::delete(&mut tx, lab.kernel).await.expect("delete"));
        assert!(preseeds::delete(&mut tx, lab.preseed).await.expect("delete"));
    }
);

store_test!(
    async fn a_user_takes_along_what_lets_them_in_and_leaves_the_events(db) {
        let lab = lab(&db).await;
        let mut tx = tx(&db).await;
        let identity =
            NewIdentity { user_id: lab.ben, source: "local".into(), subject: "ben".into(), password_hash: Some("$".into()), updated_at: NOW };
        identities::insert(&mut tx, &identity).await.expect("identity");
        tokens::insert(&mut tx, &a_token(lab.ben, "t")).await.expect("token");
        sessions::insert(&mut tx, &a_session("s", Some(lab.ben), NOW + 1)).await.expect("session");
        let event = events::insert(&mut tx, &an_event(lab.spare, Some((lab.ben, "ben")), NOW)).await.expect("event");

        let ben = users::get(&mut tx, lab.ben).await.expect("read").expect("there");
        assert!(users::update(&mut tx, &UserRow { username: "benjamin".into(), ..ben }).await.expect("rename"));
        let row = events::get(&mut tx, event).await.expect("read").expect("there");
        assert_eq!(row.username.as_deref(), Some("benjamin"), "while the user exists, the present name");

        assert!(users::delete(&mut tx, lab.ben).await.expect("delete"));
        assert!(identities::get(&mut tx, "local", "ben").await.expect("read").is_none());
        assert_eq!(tokens::get_by_hash(&mut tx, "t").await.expect("read"), None);
        assert_eq!(sessions::get(&mut tx, "s", NOW).await.expect("read"), None);
        let row = events::get(&mut tx, event).await.expect("read").expect("the event stays");
        assert_eq!((row.user_id, row.username.as_deref()), (None, Some("ben")), "afterwards, the name of then");
    }
);

store_test!(
    async fn a_network_leaves_its_interfaces_without_one(db) {
        let lab = lab(&db).await;
        let mut tx = tx(&db).await;
        assert_eq!(names(&networks::used_by(&mut tx, lab.network).await.expect("read")), ["machine d05-1 as interface"]);
        assert!(networks::delete(&mut tx, lab.network).await.expect("delete"));
        let left = interfaces::view(&mut tx, lab.interface).await.expect("read").expect("it stays");
        assert_eq!((left.network_id, left.network_name, left.static_ipv4.as_deref()), (None, None, Some("10.0.0.5")));
    }
);

store_test!(
    async fn an_architecture_takes_its_subarchitectures_along(db) {
        let mut tx = tx(&db).await;
        let arch = archs::insert(&mut tx, &NewArch { name: "riscv64".into(), description: String::new() }).await.expect("arch");
        let new = NewSubarch { arch_id: arch, name: "uefi".into(), description: String::new(), bootloader_id: None, efiboot: true };
        let subarch = subarchs::insert(&mut tx, &new).await.expect("subarch");
        assert!(archs::delete(&mut tx, arch).await.expect("delete"));
        assert_eq!(subarchs::get(&mut tx, subarch).await.expect("read"), None);
    }
);

store_test!(
    async fn what_is_in_use_says_by_whom_and_stays(db) {
        let lab = lab(&db).await;
        macro_rules! kept {
            ($table:ident, $id:expr, $users:expr) => {{
                let mut tx = tx(&db).await;
                assert_eq!(names(&store::$table::used_by(&mut tx, $id).await.expect("read")), $users, stringify!($table));
                match store::$table::delete(&mut tx, $id).await {
                    Err(StoreError::ForeignKey) => {}
                    other => panic!("{} was not kept: {other:?}", stringify!($table)),
                }
                drop(tx);
                let mut read = read(&db).await;
                assert!(store::$table::get(&mut read, $id).await.expect("read").is_some());
            }};
        }
        kept!(images, lab.kernel, ["machine d05-1 as kernel"]);
        kept!(images, lab.initrd, ["machine d05-1 as initrd"]);
        kept!(images, lab.loader, ["subarch uefi as bootloader"]);
        kept!(preseeds, lab.preseed, ["machine d05-1 as preseed"]);
        kept!(bmcs, lab.bmc, ["machine d05-1 as bmc"]);
        kept!(subarchs, lab.subarch, ["machine d05-1 as subarch"]);
        kept!(
            archs,
            lab.arch,
            [
                "image anna/initrd as arch",
                "image anna/vmlinuz as arch",
                "image grub.efi as arch",
                "machine d05-1 as arch",
                "machine d05-2 as arch"
            ]
        );
        kept!(
            users,
            lab.anna,
            ["image anna/initrd as owner", "image anna/vmlinuz as owner", "machine d05-1 as assignee", "preseed bookworm as owner"]
        );
        let mut read = read(&db).await;
        assert_eq!(users::used_by(&mut read, lab.ben).await.expect("read"), []);
    }
);

store_test!(
    async fn a_reference_into_nowhere_is_refused(db) {
        let lab = lab(&db).await;
        let refused = |result: Result<i64, StoreError>| assert!(matches!(result, Err(StoreError::ForeignKey)), "{result:?}");
        refused(machines::insert(&mut tx(&db).await, &a_machine("m", 999)).await);
        refused(images::insert(&mut tx(&db).await, &an_image("i", lab.arch, Some(999))).await);
        refused(interfaces::insert(&mut tx(&db).await, &an_interface(999, "02:00:00:00:00:01")).await);
        refused(assignments::insert(&mut tx(&db).await, &an_assignment(lab.machine, 999)).await);
        refused(events::insert(&mut tx(&db).await, &an_event(999, None, NOW)).await);
    }
);

store_test!(
    async fn a_value_the_schema_does_not_know_is_refused(db) {
        let lab = lab(&db).await;
        let refused = |result: Result<i64, StoreError>| assert!(matches!(result, Err(StoreError::Check)), "{result:?}");
        refused(images::insert(&mut tx(&db).await, &NewImage { file_type: "kernel".into(), ..an_image("i", lab.arch, None) }).await);
        refused(preseeds::insert(&mut tx(&db).await, &NewPreseed { file_type: "cloud".into(), ..a_preseed("p", None) }).await);
        refused(bmcs::insert(&mut tx(&db).await, &NewBmc { port: 0, ..a_bmc("b", "192.0.2.2") }).await);
        refused(bmcs::insert(&mut tx(&db).await, &NewBmc { bmc_type: "ilo".into(), ..a_bmc("b", "192.0.2.2") }).await);
        refused(bmcs::insert(&mut tx(&db).await, &NewBmc { backend: "freeipmi".into(), ..a_bmc("b", "192.0.2.2") }).await);
        let mut tx = tx(&db).await;
        let row = machines::get(&mut tx, lab.spare).await.expect("read").expect("there");
        let state = machines::update(&mut tx, &MachineRow { state: "broken".into(), ..row }).await;
        assert!(matches!(state, Err(StoreError::Check)), "{state:?}");
    }
);

store_test!(
    async fn an_id_is_never_given_out_twice(db) {
        let mut tx = tx(&db).await;
        let first = users::insert(&mut tx, &a_user("anna")).await.expect("insert");
        users::delete(&mut tx, first).await.expect("delete");
        tx.commit().await.expect("commit");
        let mut tx = crate::fixtures::tx(&db).await;
        let second = users::insert(&mut tx, &a_user("anna")).await.expect("insert");
        assert!(second > first, "{second} after {first}");
    }
);
