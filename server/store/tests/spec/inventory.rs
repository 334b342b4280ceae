//! The machines kept in memory: never older than promised, never read again for nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::fixtures::*;
use store::*;

async fn rename(store: &Store, id: i64, name: &str) {
    let mut tx = store.begin().await.expect("begin");
    let row = machines::get(&mut tx, id).await.expect("read").expect("there");
    machines::update(&mut tx, &MachineRow { name: name.into(), ..row }).await.expect("update");
    tx.commit().await.expect("commit");
}

store_test!(
    async fn the_inventory_is_what_the_lists_are(db) {
        let lab = lab(&db).await;
        let mut tx = tx(&db).await;
        for n in [2, 3] {
            interfaces::insert(&mut tx, &an_interface(lab.spare, &format!("52:54:00:00:00:0{n}"))).await.expect("insert");
        }
        tx.commit().await.expect("commit");
        let inventory = db.store.inventory().await.expect("inventory");
        let mut read = read(&db).await;
        assert_eq!(inventory.machines().cloned().collect::<Vec<_>>(), machines::list_views(&mut read).await.expect("list"));
        for id in [lab.machine, lab.spare] {
            assert_eq!(inventory.machine(id).cloned(), machines::view(&mut read, id).await.expect("read"));
            assert_eq!(inventory.interfaces_of(id), interfaces::list_views_of_machine(&mut read, id).await.expect("list"));
            assert_eq!(inventory.assignments_of(id), assignments::list_views_of_machine(&mut read, id).await.expect("list"));
        }
        assert_eq!((inventory.interfaces_of(lab.spare).len(), inventory.assignments_of(lab.spare).len()), (2, 0));
        assert_eq!((inventory.machine(999), inventory.interfaces_of(999), inventory.interfaces_of(0)), (None, &[][..], &[][..]));
    }
);

store_test!(
    async fn what_this_process_commits_shows_at_once(db) {
        let lab = lab(&db).await;
        for n in 0..50 {
            let name = format!("renamed-{n}");
            rename(&db.store, lab.machine, &name).await;
            assert_eq!(db.store.inventory().await.expect("inventory").machine(lab.machine).expect("there").name, name);
        }
        // what is shown of other tables counts as well
        let mut tx = tx(&db).await;
        let anna = users::get(&mut tx, lab.anna).await.expect("read").expect("there");
        users::update(&mut tx, &UserRow { username: "anne".into(), ..anna }).await.expect("update");
        tx.commit().await.expect("commit");
        let inventory = db.store.inventory().await.expect("inventory");
        assert_eq!(inventory.assignments_of(lab.machine)[0].username, "anne");
    }
);

store_test!(
    async fn what_another_server_commits_shows_soon(db) {
        let lab = lab(&db).await;
        let other = Store::open(&db.url).await.expect("open once more");
        let before = db.store.inventory().await.expect("inventory");
        assert_eq!(before.machine(lab.machine).expect("there").name, "d05-1");
        rename(&other, lab.machine, "elsewhere").await;
        let start = Instant::now();
        while db.store.inventory().await.expect("inventory").machine(lab.machine).expect("there").name != "elsewhere" {
            assert!(start.elapsed() < Duration::from_secs(5), "it never showed");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        other.close().await;
    }
);

store_test!(
    async fn it_stays_the_same_until_something_changes(db) {
        let lab = lab(&db).await;
        let before = db.store.inventory().await.expect("inventory");

        // an event, and what is taken back, change nothing
        let mut tx = tx(&db).await;
        events::insert(&mut tx, &an_event(lab.machine, None, NOW)).await.expect("insert");
        tx.commit().await.expect("commit");
        let mut tx = crate::fixtures::tx(&db).await;
        machines::delete(&mut tx, lab.machine).await.expect("delete");
        drop(tx);
        // nor does a commit that leaves everything as it was
        rename(&db.store, lab.machine, "d05-1").await;
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert!(Arc::ptr_eq(&before, &db.store.inventory().await.expect("inventory")));

        rename(&db.store, lab.machine, "other").await;
        assert!(!Arc::ptr_eq(&before, &db.store.inventory().await.expect("inventory")));
    }
);

store_test!(
    async fn a_change_of_anything_leaves_the_copy_as_a_new_reading_has_it(db) {
        let lab = lab(&db).await;
        let (machine, spare) = (lab.machine, lab.spare);
        let mut step = Step { db: &db, before: db.store.inventory().await.expect("inventory") };
        macro_rules! step {
            ($changes:expr, |$tx:ident| $change:expr) => {{
                let mut $tx = tx(&db).await;
                let _answer = $change.await.expect(stringify!($change));
                $tx.commit().await.expect("commit");
                step.compare(stringify!($change), &$changes).await;
            }};
        }
        macro_rules! row {
            ($table:ident, $id:expr) => {
                $table::get(&mut *read(&db).await, $id).await.expect("read").expect("there")
            };
        }

        // what is the machines' own: the others are not read again
        let row = row!(machines, machine);
        step!([machine], |tx| machines::update(&mut tx, &MachineRow { name: "d05-9".into(), state: "ready".into(), ..row }));
        let new = an_interface(spare, "52:54:00:00:00:77");
        step!([spare], |tx| interfaces::insert(&mut tx, &new));
        let eth1 = interfaces::get_by_mac(&mut *read(&db).await, &new.mac).await.expect("read").expect("there");
        let eth1 = InterfaceRow { mac: "52:54:00:00:00:78".into(), ..eth1 };
        step!([spare], |tx| interfaces::update(&mut tx, &eth1));
        step!([spare], |tx| leases::put(&mut tx, &eth1.mac, "10.0.0.200", NOW));
        step!([spare], |tx| leases::put(&mut tx, &eth1.mac, "10.0.0.201", NOW + 1));
        step!([], |tx| leases::put(&mut tx, "52:54:00:00:00:99", "10.0.0.202", NOW + 1));
        step!([spare], |tx| leases::put(&mut tx, "52:54:00:00:00:99", "10.0.0.201", NOW + 2));
        step!([spare], |tx| assignments::insert(&mut tx, &an_assignment(spare, lab.ben)));
        step!([machine], |tx| assignments::set_reason(&mut tx, lab.assignment, "night run"));
        step!([machine], |tx| assignments::delete(&mut tx, lab.assignment));
        step!([machine], |tx| machine_tags::insert(&mut tx, machine, "rack-7"));
        step!([machine], |tx| machine_tags::delete(&mut tx, machine, "rack-7"));
        step!([spare], |tx| interfaces::delete(&mut tx, eth1.id));
        let third = a_machine("d05-10", lab.arch);
        step!([0], |tx| machines::insert(&mut tx, &third));

        // what they show of others
        let bmc = row!(bmcs, lab.bmc);
        step!([machine], |tx| bmcs::update(&mut tx, &BmcRow { name: "rack2".into(), ..bmc }));
        let network = row!(networks, lab.network);
        step!([machine], |tx| networks::update(&mut tx, &NetworkRow { name: "uplink".into(), ..network }));
        let arch = row!(archs, lab.arch);
        step!([machine, spare, 0], |tx| archs::update(&mut tx, &ArchRow { name: "aarch64".into(), ..arch }));
        let subarch = row!(subarchs, lab.subarch);
        step!([machine], |tx| subarchs::update(&mut tx, &SubarchRow { name: "sbsa".into(), ..subarch }));
        let kernel = row!(images, lab.kernel);
        step!([machine], |tx| images::update(&mut tx, &ImageRow { filename: "anna/Image".into(), ..kernel }));
        let preseed = row!(preseeds, lab.preseed);
        step!([machine], |tx| preseeds::update(&mut tx, &PreseedRow { filename: "trixie".into(), ..preseed }));
        let ben = row!(users, lab.ben);
        step!([spare], |tx| users::update(&mut tx, &UserRow { username: "benno".into(), ..ben.clone() }));
        step!([], |tx| users::update(&mut tx, &UserRow { username: "benno".into(), ssh_key: "ssh-ed25519 AAAA".into(), ..ben }));
        step!([machine], |tx| networks::delete(&mut tx, lab.network));

        // gone with all that was its own
        step!([machine], |tx| machines::delete(&mut tx, machine));
        let inventory = db.store.inventory().await.expect("inventory");
        let names: Vec<_> = inventory.by_name().iter().map(|entry| entry.machine.name.as_str()).collect();
        assert_eq!(names, ["d05-2", "d05-10"], "as people count");
    }
);

/// One server that follows, and one that has just begun.
struct Step<'a> {
    db: &'a store::testing::TestStore,
    before: Arc<Inventory>,
}

impl Step<'_> {
    /// `changed` are the machines that became others; 0 is the newest.
    async fn compare(&mut self, what: &str, changed: &[i64]) {
        let now = self.db.store.inventory().await.expect("inventory");
        let begun = Store::open(&self.db.url).await.expect("open once more");
        let new = begun.inventory().await.expect("inventory");
        assert_eq!((now.entries(), now.by_name()), (new.entries(), new.by_name()), "{what}");
        begun.close().await;
        let newest = now.entries().last().map_or(0, |entry| entry.machine.id);
        let ids = now.machines().chain(self.before.machines()).map(|machine| machine.id).collect::<std::collections::BTreeSet<_>>();
        for id in ids {
            let same = matches!((now.entry(id), self.before.entry(id)), (Some(now), Some(before)) if Arc::ptr_eq(now, before));
            let expected = !(changed.contains(&id) || changed.contains(&0) && id == newest);
            assert_eq!(same, expected, "{what}: machine {id}");
        }
        self.before = now;
    }
}

store_test!(
    async fn what_is_put_right_by_hand_shows_as_well(db) {
        let lab = lab(&db).await;
        let before = db.store.inventory().await.expect("inventory");
        // as if with `psql` or `sqlite3`: nobody counts the commit
        db.sql(&format!("update machines set name = 'by-hand' where id = {}", lab.machine)).await.expect("by hand");
        // the next commit of anybody's brings it along; without one it takes some seconds
        rename(&db.store, lab.spare, "another").await;
        let now = db.store.inventory().await.expect("inventory");
        assert_eq!(now.machine(lab.machine).expect("there").name, "by-hand");
        assert_ne!(before.machine(lab.machine), now.machine(lab.machine));
    }
);
