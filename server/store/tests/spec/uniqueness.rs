//! What may not be there twice, and that the error says which value it was.

use crate::fixtures::*;
use sqlx::Connection;
use store::*;

fn key<T: std::fmt::Debug>(result: Result<T, StoreError>) -> &'static str {
    match result {
        Err(StoreError::Unique { key }) => key,
        other => panic!("expected a uniqueness error, got {other:?}"),
    }
}

store_test!(
    async fn a_second_insert_names_the_value_that_is_taken(db) {
        let lab = lab(&db).await;
        // Each in a transaction of its own: an error ends it.
        macro_rules! twice {
            ($table:ident, $new:expr) => {{
                let mut tx = tx(&db).await;
                store::$table::insert(&mut tx, &$new).await.expect("the first one");
                key(store::$table::insert(&mut tx, &$new).await)
            }};
        }
        let arch = lab.arch;
        assert_eq!(twice!(users, a_user("carl")), "users.username");
        assert_eq!(twice!(archs, NewArch { name: "amd64".into(), description: String::new() }), "archs.name");
        assert_eq!(
            twice!(subarchs, NewSubarch { arch_id: arch, name: "bios".into(), description: String::new(), bootloader_id: None, efiboot: false }),
            "subarchs.arch_id,name"
        );
        assert_eq!(twice!(images, an_image("a/b", arch, None)), "images.filename");
        assert_eq!(twice!(preseeds, a_preseed("jammy", None)), "preseeds.filename");
        assert_eq!(twice!(machines, a_machine("d05-3", arch)), "machines.name");
        assert_eq!(twice!(interfaces, an_interface(lab.machine, "52:54:00:00:00:99")), "interfaces.mac");
        assert_eq!(twice!(assignments, an_assignment(lab.machine, lab.ben)), "assignments.machine_id,user_id");
        assert_eq!(twice!(tokens, a_token(lab.anna, "hash")), "tokens.token_hash");
        assert_eq!(twice!(sessions, a_session("hash", None, NOW)), "sessions.id_hash");
        assert_eq!(
            twice!(console_tokens, ConsoleTokenRow { token_hash: "h".into(), machine_id: lab.machine, user_id: lab.anna, session_hash: None, token_id: None, expires_at: NOW }),
            "console_tokens.token_hash"
        );
    }
);

store_test!(
    async fn names_are_told_apart_by_case(db) {
        let mut tx = tx(&db).await;
        users::insert(&mut tx, &a_user("anna")).await.expect("anna");
        users::insert(&mut tx, &a_user("Anna")).await.expect("Anna is somebody else");
        tx.commit().await.expect("commit");
        let mut read = read(&db).await;
        assert!(users::get_by_name(&mut read, "ANNA").await.expect("read").is_none());
        let names: Vec<String> = users::list(&mut read).await.expect("list").into_iter().map(|u| u.username).collect();
        assert_eq!(names, ["Anna", "anna"], "by bytes, whatever the locale");
    }
);

store_test!(
    async fn a_bmc_is_one_address_and_port(db) {
        let mut tx = tx(&db).await;
        bmcs::insert(&mut tx, &a_bmc("a", "192.0.2.9")).await.expect("first");
        bmcs::insert(&mut tx, &NewBmc { port: 624, ..a_bmc("b", "192.0.2.9") }).await.expect("another port is another BMC");
        tx.commit().await.expect("commit");

        let mut tx = crate::fixtures::tx(&db).await;
        assert_eq!(key(bmcs::insert(&mut tx, &a_bmc("a", "192.0.2.10")).await), "bmcs.name");
        drop(tx);
        let mut tx = crate::fixtures::tx(&db).await;
        assert_eq!(key(bmcs::insert(&mut tx, &a_bmc("c", "192.0.2.9")).await), "bmcs.ip,port");
    }
);

store_test!(
    async fn an_identity_is_unique_by_subject_and_by_user(db) {
        let lab = lab(&db).await;
        let identity = |user_id, source: &str, subject: &str| NewIdentity {
            user_id,
            source: source.into(),
            subject: subject.into(),
            password_hash: None,
            updated_at: NOW,
        };
        let mut tx = tx(&db).await;
        identities::insert(&mut tx, &identity(lab.anna, "local", "anna")).await.expect("first");
        identities::insert(&mut tx, &identity(lab.anna, "ldap", "anna")).await.expect("a second way in");
        tx.commit().await.expect("commit");

        let mut tx = crate::fixtures::tx(&db).await;
        assert_eq!(key(identities::insert(&mut tx, &identity(lab.ben, "local", "anna")).await), "identities.source,subject");
        drop(tx);
        let mut tx = crate::fixtures::tx(&db).await;
        assert_eq!(key(identities::insert(&mut tx, &identity(lab.anna, "local", "anna2")).await), "identities.user_id,source");
    }
);

store_test!(
    async fn networks_share_neither_name_nor_subnet_nor_pools(db) {
        lab(&db).await; // 10.0.0.0/24 with both pools
        let other = || NewNetwork {
            name: "other".into(),
            subnet: "10.1.0.0/24".into(),
            static_net: Some("10.1.0.0/26".into()),
            reserved_net: Some("10.1.0.64/26".into()),
        };
        for (new, expected) in [
            (NewNetwork { name: "lab".into(), ..other() }, "networks.name"),
            (NewNetwork { subnet: "10.0.0.0/24".into(), ..other() }, "networks.subnet"),
            (NewNetwork { static_net: Some("10.0.0.0/26".into()), ..other() }, "networks.static_net"),
            (NewNetwork { reserved_net: Some("10.0.0.64/26".into()), ..other() }, "networks.reserved_net"),
        ] {
            let mut tx = tx(&db).await;
            assert_eq!(key(networks::insert(&mut tx, &new).await), expected);
        }
        let mut tx = tx(&db).await;
        for name in ["x", "y"] {
            let new = NewNetwork { name: name.into(), subnet: format!("{name}/24"), static_net: None, reserved_net: None };
            networks::insert(&mut tx, &new).await.expect("two networks may have no pools");
        }
    }
);

store_test!(
    async fn an_address_is_unique_within_its_network(db) {
        let lab = lab(&db).await; // 10.0.0.5 is taken
        let with = |mac: &str, network_id, ipv4: &str, reserved| {
            let ipv4 = Some(ipv4.to_owned());
            let (static_ipv4, reserved_ipv4) = if reserved { (None, ipv4) } else { (ipv4, None) };
            NewInterface { network_id, static_ipv4, reserved_ipv4, ..an_interface(lab.spare, mac) }
        };
        let mut tx = tx(&db).await;
        let taken = interfaces::insert(&mut tx, &with("02:00:00:00:00:01", Some(lab.network), "10.0.0.5", false)).await;
        assert_eq!(key(taken), "interfaces.network_id,static_ipv4");
        drop(tx);

        let mut tx = crate::fixtures::tx(&db).await;
        interfaces::insert(&mut tx, &with("02:00:00:00:00:02", Some(lab.network), "10.0.0.70", true)).await.expect("free");
        let taken = interfaces::insert(&mut tx, &with("02:00:00:00:00:03", Some(lab.network), "10.0.0.70", true)).await;
        assert_eq!(key(taken), "interfaces.network_id,reserved_ipv4");
        drop(tx);

        let mut tx = crate::fixtures::tx(&db).await;
        interfaces::insert(&mut tx, &with("02:00:00:00:00:04", None, "10.0.0.5", false)).await.expect("in no network nothing clashes");
    }
);

store_test!(
    async fn an_update_is_held_to_the_same(db) {
        let lab = lab(&db).await;
        let mut tx = tx(&db).await;
        let row = machines::get(&mut tx, lab.spare).await.expect("read").expect("there");
        assert_eq!(key(machines::update(&mut tx, &MachineRow { name: "d05-1".into(), ..row }).await), "machines.name");
    }
);

store_test!(
    /// So that no constraint added later is reported as "unknown" on either engine.
    async fn every_unique_constraint_of_the_schema_has_a_key(db) {
        let mut found = match db.name {
            "sqlite" => {
                let mut conn = sqlx::SqliteConnection::connect(&db.url).await.expect("opens");
                let sql = "select m.name || '.' || (select group_concat(c.name) from pragma_index_info(i.name) c)
                           from sqlite_schema m, pragma_index_list(m.name) i where m.type = 'table' and i.\"unique\"";
                sqlx::query_scalar::<_, String>(sql).fetch_all(&mut conn).await.expect("the catalogue")
            }
            _ => {
                let mut conn = sqlx::PgConnection::connect(&db.url).await.expect("opens");
                let sql = "select c.relname || '.' || (select string_agg(a.attname, ',' order by k.n)
                                  from unnest(i.indkey) with ordinality k(at, n)
                                  join pg_attribute a on a.attrelid = c.oid and a.attnum = k.at)
                           from pg_index i join pg_class c on c.oid = i.indrelid
                           where i.indisunique and c.relnamespace = 'public'::regnamespace";
                sqlx::query_scalar::<_, String>(sql).fetch_all(&mut conn).await.expect("the catalogue")
            }
        };
        // only triggers write `machine_changes`, prepared for what is there already
        found.retain(|key| !key.starts_with("_sqlx") && !key.starts_with("machine_changes.") && !key.ends_with(".id"));
        found.sort();
        assert_eq!(found, StoreError::UNIQUE_KEYS);
    }
);
