//! All or nothing, one at a time.

use std::time::Duration;

use crate::fixtures::*;
use store::*;

store_test!(
    async fn a_transaction_dropped_leaves_no_trace(db) {
        let mut tx = tx(&db).await;
        users::insert(&mut tx, &a_user("anna")).await.expect("insert");
        drop(tx);
        assert_eq!(users::count(&mut *read(&db).await).await.expect("count"), 0);
        // and the next one is not inside it
        let mut tx = crate::fixtures::tx(&db).await;
        users::insert(&mut tx, &a_user("ben")).await.expect("insert");
        tx.commit().await.expect("commit");
        assert_eq!(users::count(&mut *read(&db).await).await.expect("count"), 1);
    }
);

store_test!(
    async fn a_reader_sees_nothing_before_the_commit_and_everything_after(db) {
        let mut tx = tx(&db).await;
        users::insert(&mut tx, &a_user("anna")).await.expect("insert");
        let mut read = read(&db).await;
        assert_eq!(users::count(&mut read).await.expect("readers do not wait for the writer"), 0);
        assert_eq!(users::count(&mut tx).await.expect("the transaction sees its own"), 1);
        tx.commit().await.expect("commit");
        assert_eq!(users::count(&mut read).await.expect("count"), 1);
    }
);

store_test!(
    /// PostgreSQL would answer a commit after an error with a silent rollback, SQLite would keep the rest: neither happens.
    async fn nothing_is_kept_of_a_transaction_in_which_something_failed(db) {
        let mut tx = tx(&db).await;
        users::insert(&mut tx, &a_user("anna")).await.expect("insert");
        users::insert(&mut tx, &a_user("anna")).await.expect_err("taken");
        assert!(matches!(tx.commit().await, Err(StoreError::Aborted)));
        assert_eq!(users::count(&mut *read(&db).await).await.expect("count"), 0);
    }
);

store_test!(
    /// Twenty tasks, each adding one to what it read: a lost update would show.
    async fn writers_take_turns(db) {
        let mut tx = tx(&db).await;
        let id = archs::insert(&mut tx, &NewArch { name: "n".into(), description: "0".into() }).await.expect("insert");
        tx.commit().await.expect("commit");

        // Two servers on one database.
        let other = Store::open(&db.url).await.expect("open once more");
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..20 {
            let store = if n % 2 == 0 { db.store.clone() } else { other.clone() };
            tasks.spawn(async move {
                let mut tx = store.begin().await.expect("begin");
                let mut row = archs::get(&mut tx, id).await.expect("read").expect("there");
                let count: u32 = row.description.parse().expect("a number");
                tokio::time::sleep(Duration::from_millis(5)).await;
                row.description = (count + 1).to_string();
                archs::update(&mut tx, &row).await.expect("update");
                tx.commit().await.expect("commit");
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.expect("no writer failed");
        }
        other.close().await;
        let row = archs::get(&mut *read(&db).await, id).await.expect("read").expect("there");
        assert_eq!(row.description, "20");
    }
);

store_test!(
    /// A client that goes away drops its request's future at any await.
    async fn a_task_cancelled_anywhere_leaves_the_store_usable(db) {
        let lab = lab(&db).await;
        for micros in (0..2_000).step_by(100) {
            let store = db.store.clone();
            let writing = async move {
                let mut tx = store.begin().await.expect("begin");
                for n in 0..50 {
                    events::insert(&mut tx, &an_event(lab.machine, None, n)).await.expect("insert");
                }
                std::future::pending::<()>().await;
            };
            let store = db.store.clone();
            let reading = async move {
                loop {
                    machines::list_views(&mut store.read().await.expect("read")).await.expect("list");
                }
            };
            let both = async { tokio::join!(writing, reading) };
            tokio::time::timeout(Duration::from_micros(micros), both).await.expect_err("neither ends by itself");
        }
        assert_eq!(events::list(&mut *read(&db).await, lab.machine, None, 10).await.expect("read"), []);
        let mut tx = tx(&db).await;
        events::insert(&mut tx, &an_event(lab.machine, None, NOW)).await.expect("insert");
        tx.commit().await.expect("commit");
        assert_eq!(events::list(&mut *read(&db).await, lab.machine, None, 10).await.expect("read").len(), 1);
    }
);

store_test!(
    /// A client goes away while its change waits for that of another server: its turn comes when nobody wants it any more.
    async fn who_gave_up_waiting_for_another_server_holds_up_nobody(db) {
        let other = Store::open(&db.url).await.expect("a second server");
        let first = tx(&db).await;
        assert!(tokio::time::timeout(Duration::from_millis(300), other.begin()).await.is_err(), "it is not its turn");
        drop(first);
        for _ in 0..3 {
            let next = tokio::time::timeout(Duration::from_secs(8), db.store.begin()).await;
            drop(next.expect("nobody writes").expect("begin"));
            let next = tokio::time::timeout(Duration::from_secs(8), other.begin()).await;
            drop(next.expect("nobody writes").expect("begin"));
        }
    }
);

store_test!(
    /// However many wait to write: they wait without what reading needs.
    async fn writers_who_wait_hold_up_no_reader(db) {
        let first = tx(&db).await;
        let mut waiting = tokio::task::JoinSet::new();
        for n in 0..100 {
            let store = db.store.clone();
            waiting.spawn(async move {
                let mut tx = store.begin().await.expect("begin");
                archs::insert(&mut tx, &NewArch { name: format!("arch {n}"), description: String::new() }).await.expect("insert");
                tx.commit().await.expect("commit");
            });
        }
        // each has come to where it waits
        tokio::task::yield_now().await;
        for _ in 0..50 {
            let read = async { archs::list(&mut *read(&db).await).await.expect("list") };
            assert_eq!(tokio::time::timeout(Duration::from_secs(4), read).await.expect("a reader does not wait for writers"), []);
        }
        drop(first);
        while let Some(done) = waiting.join_next().await {
            done.expect("no writer failed");
        }
        assert_eq!(archs::list(&mut *read(&db).await).await.expect("list").len(), 100);
    }
);

store_test!(
    async fn more_readers_than_connections_wait_their_turn(db) {
        let lab = lab(&db).await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..200 {
            let store = db.store.clone();
            tasks.spawn(async move {
                let mut read = store.read().await.expect("read");
                machines::view(&mut read, lab.machine).await.expect("view").expect("there").name
            });
        }
        assert!(tasks.join_all().await.iter().all(|name| name == "d05-1"));
    }
);

store_test!(
    async fn a_closed_store_says_so(db) {
        db.store.ping().await.expect("it answers");
        db.store.close().await;
        assert!(matches!(db.store.ping().await, Err(StoreError::Unavailable(_))));
        assert!(matches!(db.store.begin().await, Err(StoreError::Unavailable(_))));
    }
);

#[tokio::test]
async fn a_database_that_is_not_there_says_so() {
    let error = async |url: &str| Store::open(url).await.err().expect("must not open");
    assert!(matches!(error("mysql://localhost/lab").await, StoreError::Url));
    assert!(matches!(error("lab.db").await, StoreError::Url));
    assert!(matches!(error("sqlite:///no/such/folder/lab.db").await, StoreError::Unavailable(_)));
    // Nothing listens on the discard port of this address.
    let refused = error("postgres://user:secret@127.0.0.1:9/lab").await;
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    assert!(!format!("{refused} {refused:?}").contains("secret"));
}

#[tokio::test]
async fn the_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let db = store::testing::sqlite().await;
    let file = db.url.trim_start_matches("sqlite://");
    for suffix in ["", "-wal", "-shm"] {
        let mode = std::fs::metadata(format!("{file}{suffix}")).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{suffix}");
    }
}

/// As after a restart of the server: every connection of ours is dead.
#[tokio::test]
async fn a_postgres_that_was_restarted_is_found_again() {
    use sqlx::Connection;
    let db = store::testing::postgres().await;
    // several connections in the pool
    let reads = [read(&db).await, read(&db).await, read(&db).await];
    drop(reads);
    let mut admin = sqlx::PgConnection::connect(&db.url).await.expect("open");
    let sql =
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
    let killed: i64 = sqlx::query_scalar(sql).fetch_one(&mut admin).await.expect("kill");
    assert!(killed >= 3, "{killed}");

    for _ in 0..killed {
        match db.store.ping().await {
            Ok(()) | Err(StoreError::Unavailable(_)) => {}
            Err(other) => panic!("{other:?}"),
        }
        // a connection found dead is thrown away by a task of its own
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    db.store.ping().await.expect("by now each dead connection was met once");
    let mut tx = tx(&db).await;
    users::insert(&mut tx, &a_user("anna")).await.expect("insert");
    tx.commit().await.expect("commit");
}
