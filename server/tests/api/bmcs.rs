//! BMCs: their passwords go in and never come out.

use app::api::{Bmc, BmcBackend, BmcPrivilege, BmcQuirk, BmcType, Machine, Suite};
use axum::http::Method;
use serde_json::{Value, json};

use crate::{
    fixtures::{arch, statuses},
    support::TestApp,
};

async fn stored(app: &TestApp, id: i64) -> store::BmcRow {
    store::bmcs::get(&mut app.lab.store.read().await.unwrap(), id).await.unwrap().unwrap()
}

#[tokio::test]
async fn w3_w14_a_password_is_sealed_and_never_answered() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let new = json!({ "name": "bmc1", "ip": "127.0.0.1", "type": "plain", "username": "root", "password": "calvin-7" });
        let made = admin.post("/bmc", &new).await;
        let bmc: Bmc = made.created();
        assert!(bmc.has_password && bmc.port == 623 && bmc.username == "root");
        let path = format!("/bmc/{}", bmc.id);
        for answer in [made, admin.get("/bmc").await, admin.get(&path).await, admin.put(&path, &new).await] {
            assert!(answer.status.is_success() && !answer.text().contains("calvin"), "{}", answer.text());
        }
        let sealed = stored(&app, bmc.id).await.password_sealed.unwrap();
        assert!(!sealed.contains("calvin"));
        assert_eq!(app.lab.secrets.open_sealed("bmc", &sealed).unwrap().as_str(), "calvin-7");
        // a password that is refused is not repeated either
        let long = json!({ "name": "bmc2", "ip": "127.0.0.2", "type": "plain", "password": "s3cret".repeat(50) });
        assert!(!admin.post("/bmc", &long).await.error(400).detail.contains("s3cret"));
    }
}

#[tokio::test]
async fn a_password_that_is_not_sent_stays() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let new = json!({ "name": "bmc1", "ip": "127.0.0.1", "port": 6230, "type": "plain", "username": "root", "password": "calvin" });
        let bmc: Bmc = admin.post("/bmc", &new).await.created();
        let path = format!("/bmc/{}", bmc.id);
        let before = stored(&app, bmc.id).await;
        let now: Bmc = admin.put(&path, &json!({ "name": "renamed", "ip": "127.0.0.1", "type": "plain" })).await.ok();
        assert_eq!((now.name.as_str(), now.port, now.username.as_str(), now.has_password), ("renamed", 6230, "root", true));
        assert_eq!(stored(&app, bmc.id).await.password_sealed, before.password_sealed);
        // an empty one is none
        let none = json!({ "name": "renamed", "ip": "127.0.0.1", "type": "plain", "password": "", "username": "" });
        let now: Bmc = admin.put(&path, &none).await.ok();
        assert_eq!((now.has_password, now.username.as_str()), (false, ""));
    }
}

#[tokio::test]
async fn w17_users_see_that_there_is_a_bmc_but_not_where_or_whose() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let ann = app.user("ann").await;
        let new = json!({ "name": "bmc1", "ip": "127.0.0.1", "type": "plain", "username": "root" });
        let made: Bmc = admin.post("/bmc", &new).await.created();
        let path = format!("/bmc/{}", made.id);
        for answer in [ann.get("/bmc").await, ann.get(&path).await] {
            assert!(answer.status.is_success() && !answer.text().contains("root") && !answer.text().contains("127.0.0.1"));
        }
        let requests = [
            (Method::GET, path.clone(), json!(null)),
            (Method::POST, "/bmc".into(), json!({ "name": "bmc2", "ip": "127.0.0.2", "type": "plain" })),
            (Method::PUT, path.clone(), new),
            (Method::DELETE, path, json!(null)),
        ];
        assert_eq!(statuses(&app.anonymous(), &requests).await, [401; 4]);
        assert_eq!(statuses(&ann, &requests).await, [200, 403, 403, 403]);
        assert_eq!(statuses(&admin, &requests).await, [200, 201, 200, 204]);
    }
}

#[tokio::test]
async fn b22_b23_what_is_wrong_is_told() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        admin.post("/bmc", &json!({ "name": "bmc1", "ip": "127.0.0.1", "type": "plain" })).await.created::<Bmc>();
        for (new, status, sentence) in [
            (json!({ "name": "b", "ip": "127.0.0.2", "type": "plain" }), 400, "BMC name must be between 2 and 256 characters long"),
            (json!({ "name": "bmc2", "ip": "", "type": "plain" }), 400, "IP must not be empty"),
            (json!({ "name": "bmc2", "ip": "dead", "type": "plain" }), 400, "IP must be a valid IP address"),
            (json!({ "name": "bmc2", "ip": "127.0.0.2", "type": "ilo" }), 400, "ilo"),
            (json!({ "name": "bmc2", "ip": "127.0.0.2", "backend": "freeipmi" }), 400, "freeipmi"),
            (json!({ "name": "bmc2", "ip": "127.0.0.2", "cipher_suite": 2 }), 400, "cipher suite 2 is neither 3 nor 17"),
            (json!({ "name": "bmc2", "ip": "127.0.0.2", "quirks": ["supermicro"] }), 400, "supermicro"),
            (json!({ "name": "bmc2", "ip": "127.0.0.2", "privilege_level": "root" }), 400, "root"),
            (json!({ "name": "bmc2", "ip": "127.0.0.2", "key": "0xno" }), 400, "A BMC's key is at most 20"),
            (json!({ "name": "bmc2", "ip": "127.0.0.2", "type": "plain", "port": 0 }), 400, "port must be between 1 and 65535"),
            (json!({ "name": "bmc2", "ip": "127.0.0.2", "type": "plain", "port": 65536 }), 400, "65536"),
            (json!({ "name": "bmc1", "ip": "127.0.0.2", "type": "plain" }), 409, "a BMC with this name exists already"),
            (json!({ "name": "bmc2", "ip": "127.0.0.1", "type": "plain" }), 409, "a BMC with this address exists already"),
        ] {
            let detail = admin.post("/bmc", &new).await.error(status).detail;
            assert!(detail.contains(sentence), "{new}: {detail}");
        }
        // one address, two ports: two BMCs
        admin.post("/bmc", &json!({ "name": "bmc2", "ip": "127.0.0.1", "port": 624, "type": "plain" })).await.created::<Bmc>();
        admin.post("/bmc", &json!({ "name": "bmc3", "ip": "fe80:0:0::1", "type": "plain" })).await.created::<Bmc>();
        assert_eq!(admin.get("/bmc").await.ok::<Vec<Bmc>>()[2].ip, "fe80::1");
    }
}

#[tokio::test]
async fn bm6_a_type_its_machines_do_not_fit_is_refused() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let new = json!({ "name": "chassis", "ip": "127.0.0.1", "type": "plain" });
        let bmc: Bmc = admin.post("/bmc", &new).await.created();
        let new = json!({ "name": "m1", "arch": "x86_64", "bmc_id": bmc.id });
        let made: Machine = admin.post("/machine", &new).await.created();
        let path = format!("/bmc/{}", bmc.id);
        let moonshot = json!({ "name": "chassis", "ip": "127.0.0.1", "type": "moonshot" });
        assert!(admin.put(&path, &moonshot).await.error(409).detail.contains("m1"));
        admin.put(&format!("/machine/{}", made.id), &json!({ "bmc_info": "12" })).await.ok::<Value>();
        assert_eq!(admin.put(&path, &moonshot).await.ok::<Bmc>().machines, ["m1"]);
        admin.put(&format!("/machine/{}", made.id), &json!({ "bmc_info": "0" })).await.error(400);
    }
}

#[tokio::test]
async fn clients_of_the_original_need_not_say_a_type() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let made: Bmc = admin.post("/bmc", &json!({ "name": "bmc1", "ip": "127.0.0.1" })).await.created();
        assert_eq!((made.bmc_type, made.backend, made.cipher_suite), (BmcType::Plain, BmcBackend::Native, None));
        let new = json!({ "name": "bmc2", "ip": "127.0.0.2", "type": "moonshot", "backend": "ipmitool", "cipher_suite": 17 });
        let made: Bmc = admin.post("/bmc", &new).await.created();
        let path = format!("/bmc/{}", made.id);
        // what is not sent stays
        let now: Bmc = admin.put(&path, &json!({ "name": "renamed", "ip": "127.0.0.2" })).await.ok();
        assert_eq!((now.name.as_str(), now.bmc_type, now.backend), ("renamed", BmcType::Moonshot, BmcBackend::Ipmitool));
        assert_eq!(now.cipher_suite.map(Suite::number), Some(17));
        let special = json!({
            "name": "renamed", "ip": "127.0.0.2", "quirks": ["userpriv", "nolist", "nolist"], "privilege_level": "operator", "key": "0x00ff",
        });
        admin.put(&path, &special).await.ok::<Bmc>();
        let now: Bmc = admin.put(&path, &json!({ "name": "renamed", "ip": "127.0.0.2" })).await.ok();
        assert_eq!(now.quirks, [BmcQuirk::NoList, BmcQuirk::UserPriv]);
        assert_eq!((now.privilege_level, now.has_key), (BmcPrivilege::Operator, true));
        let now: Bmc = admin.put(&path, &json!({ "name": "renamed", "ip": "127.0.0.2", "quirks": [], "key": "" })).await.ok();
        assert_eq!((now.quirks, now.has_key), (Vec::new(), false));
        let now: Bmc = admin.put(&path, &json!({ "name": "renamed", "ip": "127.0.0.2", "cipher_suite": null })).await.ok();
        assert_eq!(now.cipher_suite, None);
        // what was agreed on with another address is not this one's
        admin.put(&path, &json!({ "name": "renamed", "ip": "127.0.0.2", "cipher_suite": 17 })).await.ok::<Bmc>();
        let now: Bmc = admin.put(&path, &json!({ "name": "renamed", "ip": "127.0.0.3", "backend": "native" })).await.ok();
        assert_eq!((now.backend, now.cipher_suite), (BmcBackend::Native, None));
    }
}

#[tokio::test]
async fn b14_a_bmc_with_machines_cannot_go() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let bmc: Bmc = admin.post("/bmc", &json!({ "name": "bmc1", "ip": "127.0.0.1", "type": "plain" })).await.created();
        let made: Machine = admin.post("/machine", &json!({ "name": "m1", "arch": "x86_64", "bmc_id": bmc.id })).await.created();
        let listed = admin.get("/bmc").await.ok::<Vec<Bmc>>().remove(0);
        assert_eq!((listed.machines, listed.machine_ids), (vec!["m1".to_owned()], vec![made.id]));
        let path = format!("/bmc/{}", bmc.id);
        assert_eq!(admin.delete(&path).await.error(409).detail, "BMC bmc1 is in use by machine m1");
        admin.put(&format!("/machine/{}", made.id), &json!({ "bmc_id": null })).await.ok::<Value>();
        admin.delete(&path).await.no_content();
        admin.delete(&path).await.error(404);
    }
}
