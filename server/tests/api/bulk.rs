//! The same for many machines: each with its own outcome.

use app::api::{BulkOutcome, CreatedToken, Machine, MachineState};
use bmc_sim::machine::Firmware;
use serde_json::json;

use crate::{
    fixtures::{arch, assign, machine},
    simulated::Simulated,
    support::{Auth, Engine, TestApp},
};

#[tokio::test]
async fn many_machines_are_given_and_taken_each_with_its_own_outcome() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let ann = app.user("ann").await;
        let mut ids = Vec::new();
        for name in ["m1", "m2", "m3"] {
            ids.push(machine(&admin, name).await.id);
        }
        let second: Machine = admin.get(&format!("/machine/{}", ids[1])).await.ok();
        assign(&admin, &second, "ann").await;
        let wanted = json!({ "machines": [ids[0], ids[1], 999, ids[2].to_string(), ids[0]], "user": "ann", "reason": "CI" });
        let told: Vec<BulkOutcome> = admin.post("/bulk/assignee", &wanted).await.ok();
        let statuses: Vec<_> = told.iter().map(|outcome| (outcome.machine, outcome.status)).collect();
        assert_eq!(statuses, [(ids[0], 201), (ids[1], 409), (999, 404), (ids[2], 201)]);
        assert_eq!(told[0].assignee.as_ref().unwrap().reason, "CI");
        assert_eq!(told[1].error.as_ref().unwrap().errors, ["this user has the machine already"]);
        assert_eq!(ann.get("/machine").await.ok::<Vec<Machine>>().len(), 3);

        // one's own may be given back, others' not
        let eve = app.user("eve").await;
        let wanted = json!({ "machines": [ids[0], ids[1]], "user": "ann" });
        let told: Vec<BulkOutcome> = eve.post("/bulk/release", &wanted).await.ok();
        assert!(told.iter().all(|outcome| outcome.status == 403));
        let told: Vec<BulkOutcome> = ann.post("/bulk/release", &wanted).await.ok();
        assert!(told.iter().all(|outcome| outcome.status == 204 && outcome.error.is_none()));
        let told: Vec<BulkOutcome> = ann.post("/bulk/release", &wanted).await.ok();
        assert!(told.iter().all(|outcome| outcome.status == 404));
        let told: Vec<BulkOutcome> = eve.post("/bulk/assignee", &json!({ "machines": ids, "user": "eve" })).await.ok();
        assert!(told.iter().all(|outcome| outcome.status == 403));
        assert_eq!(ann.get("/machine").await.ok::<Vec<Machine>>().len(), 1);
    }
}

#[tokio::test]
async fn a_power_command_to_many_says_of_each_why_not() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let without_bmc = machine(&admin, "m1").await;
        let told: Vec<BulkOutcome> = admin.post("/bulk/power", &json!({ "machines": [without_bmc.id, 999], "state": "on" })).await.ok();
        assert_eq!((told[0].status, told[1].status), (400, 404));
        assert_eq!(told[0].error.as_ref().unwrap().errors, ["power state changes require a BMC"]);
        let eve = app.user("eve").await;
        let told: Vec<BulkOutcome> = eve.post("/bulk/power", &json!({ "machines": [without_bmc.id], "state": "on" })).await.ok();
        assert_eq!(told[0].status, 403);
        for (wrong, sentence) in [
            (json!({ "machines": [], "state": "on" }), "1 to 500 ids"),
            (json!({ "machines": (1..=501).collect::<Vec<_>>(), "state": "on" }), "1 to 500 ids"),
            (json!({ "machines": vec![without_bmc.id; 501], "state": "on" }), "1 to 500 ids"),
            (json!({ "machines": [1], "state": "explode" }), "explode"),
        ] {
            assert!(admin.post("/bulk/power", &wrong).await.error(400).detail.contains(sentence));
        }
        app.anonymous().post("/bulk/power", &json!({ "machines": [1], "state": "on" })).await.error(401);
    }
}

#[tokio::test]
async fn labels_are_added_and_removed_and_the_others_stay() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let (one, other) = (machine(&admin, "m1").await, machine(&admin, "m2").await);
        admin.put(&format!("/machine/{}", one.id), &json!({ "tags": ["10g", "old"] })).await.ok::<Machine>();
        let wanted = json!({ "machines": [one.id, 999, other.id], "add": ["rack 4"], "remove": ["old", "never there"] });
        let told: Vec<BulkOutcome> = admin.post("/bulk/tag", &wanted).await.ok();
        let statuses: Vec<_> = told.iter().map(|outcome| (outcome.machine, outcome.status)).collect();
        assert_eq!(statuses, [(one.id, 200), (999, 404), (other.id, 200)]);
        assert_eq!(told[0].tags.as_deref().unwrap(), ["10g", "rack 4"]);
        assert_eq!(told[2].tags.as_deref().unwrap(), ["rack 4"]);
        assert_eq!(admin.get(&format!("/machine/{}", one.id)).await.ok::<Machine>().tags, ["10g", "rack 4"]);

        // who labels at the same time loses nothing
        let labels: Vec<String> = (0..20).map(|number| format!("at once {number}")).collect();
        let all = labels.iter().map(|label| {
            let wanted = json!({ "machines": [one.id], "add": [label] });
            let admin = admin.clone();
            async move { admin.post("/bulk/tag", &wanted).await.ok::<Vec<BulkOutcome>>() }
        });
        let told = futures_util::future::join_all(all).await.concat();
        assert!(told.iter().all(|outcome| outcome.status == 200), "{told:?}");
        let tags = admin.get(&format!("/machine/{}", one.id)).await.ok::<Machine>().tags;
        assert!(labels.iter().all(|label| tags.contains(label)), "{tags:?}");
        let told: Vec<BulkOutcome> = admin.post("/bulk/tag", &json!({ "machines": [one.id], "remove": labels })).await.ok();
        assert_eq!(told[0].tags.as_deref().unwrap(), ["10g", "rack 4"]);

        // a machine that would have too many keeps what it has
        let many: Vec<String> = (1..=31).map(|number| format!("t{number}")).collect();
        let told: Vec<BulkOutcome> = admin.post("/bulk/tag", &json!({ "machines": [one.id, other.id], "add": many })).await.ok();
        assert_eq!((told[0].status, told[1].status), (400, 200));
        assert_eq!(told[0].error.as_ref().unwrap().errors, ["a machine has at most 32 tags"]);
        for (wrong, sentence) in
            [(json!({ "machines": [], "add": ["a"] }), "1 to 500 ids"), (json!({ "machines": [one.id], "add": [" "] }), "tag")]
        {
            assert!(admin.post("/bulk/tag", &wrong).await.error(400).detail.contains(sentence));
        }
        app.anonymous().post("/bulk/tag", &json!({ "machines": [1], "add": ["a"] })).await.error(401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn provisioning_many_says_of_each_what_is_missing() {
    for engine in Engine::BOTH {
        let lab = Simulated::start(engine, Firmware::UefiX64).await;
        lab.admin.post("/machine", &json!({ "name": "bare", "arch": "x86_64" })).await.created::<Machine>();
        let machines: Vec<Machine> = lab.admin.get("/machine?show_all=true").await.ok();
        let bare = machines.iter().find(|machine| machine.name == "bare").unwrap().id;
        let whole = lab.machine().await.id;
        let told: Vec<BulkOutcome> = lab.admin.post("/bulk/provision", &json!({ "machines": [bare, 999, whole] })).await.ok();
        assert_eq!(told[0].error.as_ref().unwrap().errors, ["provisioning requires a BMC"]);
        assert_eq!((told[0].status, told[1].status), (400, 404));
        assert_eq!((told[2].status, told[2].state), (202, Some(MachineState::Provisioning)));
        assert_eq!(lab.machine().await.state, MachineState::Provisioning);
    }
}

/// Each machine of a bulk operation is decided by the row of the table that decides the same operation on it alone.
#[tokio::test]
async fn for_each_machine_the_same_rights_decide_as_for_it_alone() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        app.make_user("zoe", false).await;
        let (ann, eve) = (app.user("ann").await, app.user("eve").await);
        let root = app.log_in("root", &app.make_user("root", true).await).await;
        let limited = async |scope: &str| {
            let made: CreatedToken = root.post("/self/token", &json!({ "name": scope, "scopes": [scope] })).await.created();
            app.anonymous().with(Auth::Token(made.secret))
        };
        let actors = [
            ("any user", eve, "ann"),
            ("assignee", ann, "ann"),
            ("admin", admin.clone(), "ann"),
            ("token: read", limited("read").await, "root"),
            ("token: machines", limited("machines").await, "root"),
            ("token: images", limited("images").await, "root"),
            ("token: admin", limited("admin").await, "root"),
        ];
        let mut number = 0;
        let mut assigned = async |assignee: &str| {
            number += 1;
            let made = machine(&admin, &format!("m{number}")).await;
            assign(&admin, &made, assignee).await;
            made.id
        };
        let mut table = Vec::new();
        for (name, who, assignee) in &actors {
            let (one, other) = (assigned(assignee).await, assigned(assignee).await);
            let of_bulk = async |path: &str, body: serde_json::Value| {
                let told: Vec<BulkOutcome> = who.post(path, &body).await.ok();
                assert_eq!((told.len(), told[0].machine), (1, other), "{name}");
                told[0].status
            };
            // a machine without BMC is told so to those who may
            let alone = who.post(&format!("/machine/{one}/power"), &json!({ "state": "on" })).await.status.as_u16();
            let power = of_bulk("/bulk/power", json!({ "machines": [other], "state": "on" })).await;
            assert_eq!(alone, power, "{name}");
            let alone = who.post(&format!("/machine/{one}/assignee"), &json!({ "user": "zoe" })).await.status.as_u16();
            let assign = of_bulk("/bulk/assignee", json!({ "machines": [other], "user": "zoe" })).await;
            assert_eq!(alone, assign, "{name}");
            let assignee_id = &admin.get(&format!("/machine/{one}/assignee")).await.ok::<serde_json::Value>()[0]["id"];
            let alone = who.delete(&format!("/machine/{one}/assignee/{assignee_id}")).await.status.as_u16();
            let release = of_bulk("/bulk/release", json!({ "machines": [other], "user": assignee })).await;
            assert_eq!(alone, release, "{name}");
            let (one, other) = (assigned(assignee).await, assigned(assignee).await);
            let of_bulk = async |path: &str, body: serde_json::Value| {
                let told: Vec<BulkOutcome> = who.post(path, &body).await.ok();
                assert_eq!((told.len(), told[0].machine), (1, other), "{name}");
                told[0].status
            };
            let alone = who.post(&format!("/machine/{one}/state"), &json!({ "state": "provision" })).await.status.as_u16();
            let provision = of_bulk("/bulk/provision", json!({ "machines": [other] })).await;
            assert_eq!(alone, provision, "{name}");
            let alone = who.put(&format!("/machine/{one}"), &json!({ "tags": ["a"] })).await.status.as_u16();
            let tag = of_bulk("/bulk/tag", json!({ "machines": [other], "add": ["a"] })).await;
            assert_eq!(alone, tag, "{name}");
            table.push((*name, power, assign, release, provision, tag));
        }
        assert_eq!(
            table,
            [
                ("any user", 403, 403, 403, 403, 403),
                ("assignee", 400, 403, 204, 400, 200),
                ("admin", 400, 201, 204, 400, 200),
                ("token: read", 403, 403, 403, 403, 403),
                ("token: machines", 400, 403, 204, 400, 200),
                ("token: images", 403, 403, 403, 403, 403),
                ("token: admin", 403, 201, 403, 403, 403),
            ]
        );
    }
}
