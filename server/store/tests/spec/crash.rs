//! `kill -9` at any moment: everything acknowledged is there, nothing by halves.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::fixtures::*;
use sqlx::Connection;
use store::*;

/// Where the writer below finds its database.
const URL: &str = "STORE_TEST_CRASH_URL";

/// Not a test of its own: the process that gets killed. For every user it says has been written, there are two, in one transaction.
#[tokio::test]
async fn writer_that_is_killed() {
    let Ok(url) = std::env::var(URL) else { return };
    let store = Store::open(&url).await.expect("open");
    for n in 0.. {
        let mut tx = store.begin().await.expect("begin");
        users::insert(&mut tx, &a_user(&format!("{n}-left"))).await.expect("insert");
        users::insert(&mut tx, &a_user(&format!("{n}-right"))).await.expect("insert");
        tx.commit().await.expect("commit");
        println!("\nwritten {n}");
    }
}

store_test!(
    async fn a_killed_writer_loses_nothing_it_acknowledged(db) {
        let mut acknowledged: Option<u32> = None;
        // Each round ends a little later, so that the signal finds the writer at different places.
        for round in 1..=5 {
            let first = acknowledged;
            let mut child = Command::new(std::env::current_exe().expect("this test"))
                .args(["--exact", "crash::writer_that_is_killed", "--nocapture", "--test-threads=1"])
                .env(URL, &db.url)
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("the writer starts");
            let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines().map(|l| l.expect("text"));
            let said = |line: &str| line.strip_prefix("written ").map(|n| n.parse::<u32>().expect("a number"));
            for n in lines.by_ref().filter_map(|line| said(&line)).take(50 * round) {
                acknowledged = Some(n);
            }
            child.kill().expect("SIGKILL");
            child.wait().expect("it has ended");
            // What it still said before it died counts too.
            for n in lines.filter_map(|line| said(&line)) {
                acknowledged = Some(n);
            }
            assert_ne!(acknowledged, first, "the writer wrote");

            let store = Store::open(&db.url).await.expect("open after the crash");
            let mut read = store.read().await.expect("read");
            let names: Vec<String> = users::list(&mut read).await.expect("list").into_iter().map(|u| u.username).collect();
            for n in 0..=acknowledged.expect("some") {
                assert!(names.contains(&format!("{n}-left")), "{n} was acknowledged");
            }
            for left in names.iter().filter_map(|name| name.strip_suffix("-left")) {
                assert!(names.contains(&format!("{left}-right")), "{left} is there by half");
            }
            drop(read);

            // The next round starts afresh.
            let mut tx = store.begin().await.expect("the dead writer's lock is gone");
            for user in users::list(&mut tx).await.expect("list") {
                users::delete(&mut tx, user.id).await.expect("delete");
            }
            tx.commit().await.expect("commit");
            store.close().await;
            acknowledged = None;
        }
        if db.name == "sqlite" {
            let mut conn = sqlx::SqliteConnection::connect(&db.url).await.expect("open");
            let verdict: String = sqlx::query_scalar("pragma integrity_check").fetch_one(&mut conn).await.expect("check");
            assert_eq!(verdict, "ok");
        }
    }
);
