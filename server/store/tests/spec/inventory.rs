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
        assert_eq!(inventory.machines(), machines::list_views(&mut read).await.expect("list"));
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
