//! What must not be lost when everything comes at once, or ends at once.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use crate::process::Running;

/// Acknowledged changes until the test is content.
const WRITES: usize = 1000;
/// Changes acknowledged between one `kill -9` and the next.
const ROUND: usize = 200;
/// Clients that write at the same time.
const WRITERS: usize = 8;

/// Writes with several clients until the server, killed after `ROUND` answers, answers no more. Names what was acknowledged.
fn write_until_killed(server: &Running, cookie: &str, round: usize, acknowledged: &Mutex<HashSet<String>>) {
    let (count, dead) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (count, dead) = (&count, &dead);
            scope.spawn(move || {
                for number in 0.. {
                    let name = format!("w{round}-{writer}-{number}");
                    let body = json!({ "name": name, "type": "preseed", "content": name }).to_string();
                    match server.try_ask("POST", "/api/v1/preseed", cookie, &body) {
                        Some(201) => {
                            acknowledged.lock().unwrap().insert(name);
                            // in the middle of what the others write
                            if count.fetch_add(1, Ordering::SeqCst) + 1 == ROUND {
                                server.signal("-KILL");
                                dead.store(true, Ordering::SeqCst);
                            }
                        }
                        Some(status) => panic!("{status}"),
                        None if dead.load(Ordering::SeqCst) => return,
                        // killed, and the killer has not come to say so
                        None => std::thread::sleep(Duration::from_millis(5)),
                    }
                }
            });
        }
    });
}

fn every_acknowledged_change_survives(database: Option<&str>) {
    let data = tempfile::tempdir().unwrap();
    let start = || {
        Running::start_with(data.path(), |command| {
            command.args(database.map(|url| format!("--database-url={url}")));
        })
    };
    let mut server = start();
    let password = server.password();
    let acknowledged = Arc::new(Mutex::new(HashSet::new()));
    let mut round = 0;
    while acknowledged.lock().unwrap().len() < WRITES {
        let cookie = server.log_in("admin", &password).unwrap();
        write_until_killed(&server, &cookie, round, &acknowledged);
        server.wait();
        server = start();
        round += 1;
    }
    let cookie = server.log_in("admin", &password).unwrap();
    let (status, _, body) = server.ask("GET", "/api/v1/preseed", &cookie, "");
    assert_eq!(status, 200);
    let there: Vec<Value> = serde_json::from_str(&body).unwrap();
    let there: HashSet<&str> = there.iter().map(|preseed| preseed["name"].as_str().unwrap()).collect();
    let acknowledged = acknowledged.lock().unwrap();
    let lost: Vec<_> = acknowledged.iter().filter(|name| !there.contains(name.as_str())).collect();
    assert!(lost.is_empty(), "{} of {} lost: {lost:?}", lost.len(), acknowledged.len());
    // each change with its entry of the audit log, and none without: they are one transaction
    let (_, _, lines) = server.ask("GET", "/api/v1/admin/audit?format=jsonl&action=preseed.create", &cookie, "");
    let told = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).filter(|entry| entry["subject"].is_string());
    let told: HashSet<String> = told.map(|entry| entry["subject"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, there.into_iter().map(str::to_owned).collect());
    server.signal("-TERM");
    assert!(server.wait().success());
    if database.is_none() {
        let verdict = tokio::runtime::Runtime::new().unwrap().block_on(store::testing::integrity(&data.path().join("mr-provisioner.db")));
        assert_eq!(verdict, "ok");
    }
}

#[test]
fn every_acknowledged_change_survives_kill_9_on_sqlite() {
    every_acknowledged_change_survives(None);
}

#[test]
fn every_acknowledged_change_survives_kill_9_on_postgres() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = runtime.block_on(store::testing::postgres());
    every_acknowledged_change_survives(Some(&store.url));
}
