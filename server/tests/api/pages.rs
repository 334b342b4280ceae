//! The pages as the server renders them.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    fixtures::{arch, network, upload},
    support::TestApp,
};

#[tokio::test]
async fn who_is_not_logged_in_is_led_to_the_login_page() {
    for app in TestApp::each().await {
        let answer = app.anonymous().get("//machines?q=1").await;
        assert_eq!(answer.status, StatusCode::FOUND);
        assert!(answer.header("location").starts_with("/login"), "{}", answer.header("location"));
        assert_eq!(app.anonymous().get("//login").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn who_is_logged_in_is_led_on_from_the_login_page() {
    let app = TestApp::start(crate::support::Engine::Sqlite).await;
    let ann = app.user("ann").await;
    for (query, place) in [
        ("", "/machines"),
        ("?next=/images%3Fx%3D1", "/images?x=1"),
        ("?next=https://evil.example", "/machines"),
        ("?next=//evil.example", "/machines"),
        ("?next=/login", "/machines"),
        ("?next=%ff", "/machines"),
    ] {
        let answer = ann.get(&format!("//login{query}")).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, place), "{query}");
    }
    ann.delete("/session").await.no_content();
    assert_eq!(ann.get("//login").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_page_is_rendered_with_its_data_as_its_user() {
    for app in TestApp::each().await {
        let ann = app.user("ann").await;
        let answer = ann.get("//machines").await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.text().contains("ann"), "the header names who is logged in");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn scripts_run_only_with_the_nonce_of_this_very_page() {
    let app = TestApp::start(crate::support::Engine::Sqlite).await;
    let mut nonces = Vec::new();
    for _ in 0..2 {
        let answer = app.anonymous().get("//login").await;
        let policy = answer.header("content-security-policy");
        let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap().to_owned();
        assert!(nonce.len() >= 16, "{nonce}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
        let html = answer.text();
        assert!(html.contains(&format!("nonce=\"{nonce}\"")), "no script of the page has the nonce");
        for script in html.split("<script").skip(1) {
            assert!(script.split('>').next().unwrap().contains(&nonce), "<script{}", script.split('>').next().unwrap());
        }
        assert!(!html.contains(" style=\""), "an attribute the policy refuses");
        nonces.push(nonce);
    }
    assert_ne!(nonces[0], nonces[1]);
}

#[tokio::test]
async fn an_unknown_page_is_404_and_a_machine_that_is_not_there_too() {
    let app = TestApp::start(crate::support::Engine::Sqlite).await;
    let admin = app.admin().await;
    for path in ["//nope", "//machines/999", "//machines/abc"] {
        let answer = admin.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.header("content-type").starts_with("text/html"), "{path}");
    }
}

#[tokio::test]
async fn a_page_has_one_address_and_redirects_stay_here() {
    let app = TestApp::start(crate::support::Engine::Sqlite).await;
    let admin = app.admin().await;
    let answer = admin.get("//machines/").await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::PERMANENT_REDIRECT, "/machines"));
    for path in ["///evil.example.org/", "//\\evil.example.org/", "///"] {
        let answer = admin.send(Method::GET, path, &[], "").await;
        let location = answer.header("location");
        assert!(
            location.is_empty() || (location.starts_with('/') && !location.starts_with("//") && !location.contains('\\')),
            "{path}: {location}"
        );
    }
}

#[tokio::test]
async fn a_missing_asset_is_no_page() {
    let app = TestApp::start(crate::support::Engine::Sqlite).await;
    let answer = app.admin().await.get("//assets/none.js").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(!answer.text().contains("<html"));
}

/// The rows of the page's table, without the comments that hydration goes by.
fn rows(html: &str) -> String {
    let (_, rest) = html.split_once("<tbody").expect("a table");
    let (rows, _) = rest.split_once("</tbody>").expect("its end");
    rows.replace("<!>", "")
}

#[tokio::test]
async fn lists_are_drawn_as_their_address_says_with_what_a_telephone_has_no_column_for() {
    let app = TestApp::start(crate::support::Engine::Sqlite).await;
    let admin = app.admin().await;
    for (name, subnet) in [("net-a", "10.7.1.0/24"), ("net-b", "10.7.2.0/24")] {
        let new = json!({ "name": name, "subnet": subnet, "reserved_net": subnet.replace("/24", "/26") });
        admin.post("/network", &new).await.created::<Value>();
    }
    admin.post("/bmc", &json!({ "name": "bmc-a", "ip": "10.7.1.2", "type": "moonshot" })).await.created::<Value>();
    admin.post("/user", &json!({ "username": "olga", "email": "olga@lab" })).await.created::<Value>();
    admin.post("/arch", &json!({ "name": "sparc64" })).await.created::<Value>();
    let networks = admin.get("//networks?q=net-b").await;
    let shown = rows(networks.text());
    assert!(shown.contains("net-b") && !shown.contains("net-a"), "{shown}");
    assert_eq!(shown.matches("10.7.2.0/26").count(), 2, "in a column, and for telephones");
    assert!(networks.text().contains("aria-sort=\"ascending\""), "no column is sorted by");
    let bmcs = admin.get("//bmcs?q=bmc-a").await;
    let shown = rows(bmcs.text());
    assert_eq!(shown.matches("moonshot").count(), 2, "{shown}");
    assert!(shown.contains("What uses BMC bmc-a") && shown.contains("Edit BMC bmc-a"), "{shown}");
    assert_eq!(rows(admin.get("//users?q=olga").await.text()).matches("olga@lab").count(), 2);
    let archs = admin.get("//archs?q=sparc").await;
    assert!(archs.text().contains("data-arch=\"sparc64\""));
    assert!(admin.get("//archs?q=none").await.text().contains("No architecture matches"));
}

#[tokio::test]
async fn a_page_that_is_refused_keeps_its_heading() {
    let app = TestApp::start(crate::support::Engine::Sqlite).await;
    let answer = app.user("ann").await.get("//discovery").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let heading = answer.text().split_once("<h1").and_then(|(_, rest)| rest.split_once("</h1>")).map_or("", |(heading, _)| heading);
    assert!(heading.contains("Discovered MACs"), "{heading}");
}

#[tokio::test]
async fn addresses_of_the_originals_pages_lead_to_what_they_showed() {
    let app = TestApp::start(crate::support::Engine::Sqlite).await;
    let admin = app.admin().await;
    let x86 = arch(&admin, "x86_64").await;
    let lab = network(&admin).await;
    let image = upload(&admin, "Kernel", "x86_64", "vmlinuz", b"kernel").await;
    let bmc: Value = admin.post("/bmc", &json!({ "name": "bmc a", "ip": "10.7.1.2", "type": "plain" })).await.created();
    let olga: Value = admin.post("/user", &json!({ "username": "olga", "email": "olga@lab" })).await.created();
    let at_image = format!("/images?q={}", image.name.replace('/', "%2F"));
    for (path, place) in [
        (format!("/images/{}", image.id), at_image.as_str()),
        (format!("/networks/{}", lab.id), "/networks?q=lab"),
        (format!("/archs/{}", x86.id), "/archs?q=x86_64"),
        (format!("/bmcs/{}", bmc["id"]), "/bmcs?q=bmc%20a"),
        (format!("/users/{}", olga["id"]), "/users?q=olga"),
        ("/self".into(), "/account"),
        ("/self/tokens".into(), "/account#tokens"),
    ] {
        let answer = admin.get(&format!("/{path}")).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, place), "{path}");
        assert_eq!(admin.get(&format!("/{place}")).await.status, StatusCode::OK, "{place}");
        let answer = app.anonymous().get(&format!("/{path}")).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, format!("/login?next={path}").as_str()), "{path}");
    }
    // what is not there, or is not one's own
    for path in ["/images/999", "/networks/999", "/archs/999", "/bmcs/999", "/users/999", "/images/x", "/archs/1/2", "/self/keys"] {
        assert_eq!(admin.get(&format!("/{path}")).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let ann = app.user("ann").await;
    let hers = upload(&ann, "Kernel", "x86_64", "secret", b"secret").await;
    let bob = app.user("bob").await;
    let expected = if hers.public { StatusCode::SEE_OTHER } else { StatusCode::NOT_FOUND };
    assert_eq!(bob.get(&format!("//images/{}", hers.id)).await.status, expected);
}
