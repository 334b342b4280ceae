//! What a DHCP server tells: leases, and MACs nobody registered.

use crate::fixtures::*;
use store::*;

const MAC: &str = "52:54:00:00:00:01";
const OTHER: &str = "52:54:00:00:00:99";

store_test!(
    async fn a_mac_has_its_newest_lease_and_an_address_its_newest_holder(db) {
        let mut tx = tx(&db).await;
        leases::put(&mut tx, MAC, "10.0.0.200", NOW).await.expect("first");
        leases::put(&mut tx, MAC, "10.0.0.201", NOW + 1).await.expect("another address");
        let lease = leases::get_by_mac(&mut tx, MAC).await.expect("read").expect("there");
        assert_eq!((lease.ipv4.as_str(), lease.last_seen_at), ("10.0.0.201", NOW + 1));
        assert_eq!(leases::get_by_ipv4(&mut tx, "10.0.0.200").await.expect("read"), None);
        assert_eq!(leases::get_by_ipv4(&mut tx, "10.0.0.201").await.expect("read"), Some(lease));

        leases::put(&mut tx, OTHER, "10.0.0.201", NOW + 2).await.expect("the address went on");
        assert_eq!(leases::get_by_mac(&mut tx, MAC).await.expect("read"), None, "one address is one machine's");
        assert_eq!(leases::list(&mut tx).await.expect("list").len(), 1);
    }
);

store_test!(
    async fn leases_show_at_their_interfaces_and_their_machines_at_the_leases(db) {
        let lab = lab(&db).await;
        let before = db.store.inventory().await.expect("inventory");
        assert_eq!(before.interfaces_of(lab.machine)[0].lease_ipv4, None);
        let mut tx = tx(&db).await;
        leases::put(&mut tx, MAC, "10.0.0.200", NOW + 5).await.expect("lease");
        leases::put(&mut tx, OTHER, "10.0.0.201", NOW + 6).await.expect("lease");
        tx.commit().await.expect("commit");

        let mut read = read(&db).await;
        let eth0 = interfaces::view(&mut read, lab.interface).await.expect("read").expect("there");
        assert_eq!((eth0.lease_ipv4.as_deref(), eth0.lease_seen_at), (Some("10.0.0.200"), Some(NOW + 5)));
        assert_eq!(db.store.inventory().await.expect("inventory").interfaces_of(lab.machine), [eth0]);
        let told: Vec<_> = leases::list(&mut read).await.expect("list").into_iter().map(|l| (l.mac, l.ipv4, l.machine_id, l.machine_name)).collect();
        assert_eq!(told[0], (OTHER.into(), "10.0.0.201".into(), None, None), "seen last, and nobody's");
        assert_eq!(told[1], (MAC.into(), "10.0.0.200".into(), Some(lab.machine), Some("d05-1".into())));
    }
);

store_test!(
    async fn old_leases_are_forgotten(db) {
        let mut tx = tx(&db).await;
        leases::put(&mut tx, MAC, "10.0.0.200", NOW).await.expect("lease");
        leases::put(&mut tx, OTHER, "10.0.0.201", NOW + 10).await.expect("lease");
        assert_eq!(leases::delete_older_than(&mut tx, NOW + 10).await.expect("delete"), 1);
        assert_eq!(leases::list(&mut tx).await.expect("list")[0].mac, OTHER);
    }
);

store_test!(
    async fn a_discovered_mac_is_one_row_with_what_was_seen_last(db) {
        let mut tx = tx(&db).await;
        discovered_macs::put(&mut tx, OTHER, r#"{"hostname":"a"}"#, NOW).await.expect("first");
        let row = discovered_macs::get_by_mac(&mut tx, OTHER).await.expect("read").expect("there");
        assert!(discovered_macs::set_dismissed(&mut tx, row.id, true).await.expect("dismiss"));
        discovered_macs::put(&mut tx, OTHER, r#"{"hostname":"b"}"#, NOW + 7).await.expect("again");
        let expected = DiscoveredRow {
            id: row.id,
            mac: OTHER.into(),
            info: r#"{"hostname":"b"}"#.into(),
            first_seen_at: NOW,
            last_seen_at: NOW + 7,
            dismissed: true,
        };
        assert_eq!(discovered_macs::get(&mut tx, row.id).await.expect("read"), Some(expected.clone()), "dismissed it stays");
        assert_eq!(discovered_macs::list(&mut tx).await.expect("list"), [expected]);
        assert!(discovered_macs::delete(&mut tx, row.id).await.expect("delete"));
        assert!(!discovered_macs::delete(&mut tx, row.id).await.expect("gone already"));
    }
);

store_test!(
    async fn discovered_macs_do_not_grow_without_bound(db) {
        let mut tx = tx(&db).await;
        for n in 0..10 {
            discovered_macs::put(&mut tx, &format!("52:54:00:00:01:0{n}"), "{}", NOW + n).await.expect("put");
        }
        assert_eq!(discovered_macs::trim(&mut tx, 8).await.expect("trim"), 2);
        assert_eq!(discovered_macs::delete_older_than(&mut tx, NOW + 4).await.expect("delete"), 2);
        assert!(discovered_macs::delete_by_mac(&mut tx, "52:54:00:00:01:09").await.expect("delete"));
        assert!(!discovered_macs::delete_by_mac(&mut tx, "52:54:00:00:01:09").await.expect("gone already"));
        let left: Vec<_> = discovered_macs::list(&mut tx).await.expect("list").into_iter().map(|row| row.last_seen_at - NOW).collect();
        assert_eq!(left, [8, 7, 6, 5, 4]);
    }
);
