//! What is the same for every address: the one error shape, safety, health.

use axum::http::{Method, StatusCode};
use server::http::extract::BODY_LIMIT;

use crate::support::{Engine, TestApp};

#[tokio::test]
async fn unknown_addresses_have_the_one_error_shape() {
    let app = TestApp::start(Engine::Sqlite).await;
    let admin = app.admin().await;
    for path in ["/nope", "/machine/1/nope", "/", "//api", "//api/", "//api/nope", "//api/v2/machine", "/machine/abc", "/user/9/"] {
        for client in [&admin, &app.anonymous()] {
            let answer = client.get(path).await;
            if answer.status != StatusCode::UNAUTHORIZED {
                assert_eq!(answer.error(404).error_type, "NotFound", "{path}");
            }
        }
        assert_eq!(admin.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn wrong_methods_have_the_one_error_shape() {
    let app = TestApp::start(Engine::Sqlite).await;
    let admin = app.admin().await;
    for (method, path) in [(Method::DELETE, "/user"), (Method::POST, "/self"), (Method::PATCH, "/session"), (Method::PUT, "/openapi.json")]
    {
        let answer = admin.send(method, path, &[], "").await;
        assert_eq!(answer.error(405).error_type, "MethodNotAllowed", "{path}");
        assert!(!answer.header("allow").is_empty(), "{path}");
    }
}

#[tokio::test]
async fn bodies_that_make_no_sense_have_the_one_error_shape() {
    let app = TestApp::start(Engine::Sqlite).await;
    let admin = app.admin().await;
    let bodies: [(&[u8], &str); 8] = [
        (b"", "needs a JSON body"),
        (b"{", "not valid JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"{\"username\": \"\xc3\x28\"}", "not UTF-8"),
        (b"[]", "invalid"),
        (b"{\"username\": 7}", "invalid type: integer `7`, expected a string"),
        (b"{\"username\": \"a\"}", "username must be between 2 and 128 characters long"),
        (b"{}", "missing field `username`"),
    ];
    for (body, sentence) in bodies {
        let error = admin.send(Method::POST, "/user", &[], body.to_vec()).await.error(400);
        assert_eq!(error.error_type, "InvalidUsage");
        assert!(error.errors[0].contains(sentence), "{sentence}: {error:?}");
    }
    // whatever the content type says
    let answer = admin.send(Method::POST, "/user", &[("content-type", "text/plain")], r#"{"username":"ann"}"#).await;
    assert_eq!(answer.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_nesting_without_end_is_refused() {
    let app = TestApp::start(Engine::Sqlite).await;
    let deep = "[".repeat(1_000_000);
    app.admin().await.send(Method::POST, "/user", &[], deep).await.error(400);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let app = TestApp::start(Engine::Sqlite).await;
    let body = format!("{{\"username\": \"{}\"}}", "a".repeat(BODY_LIMIT));
    assert_eq!(app.admin().await.send(Method::POST, "/user", &[], body).await.error(413).error_type, "TooLarge");
}

#[tokio::test]
async fn changes_from_another_site_are_refused() {
    let app = TestApp::start_with(Engine::Sqlite, |config| config.public_url = Some("https://lab.example.org".into())).await;
    let admin = app.admin().await;
    let body = r#"{"email":"eve@example.org"}"#;
    let foreign: [&[(&str, &str)]; 5] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example.org")],
        &[("origin", "null")],
        &[("origin", "http://lab.test:8081")],
    ];
    for headers in foreign {
        let error = admin.send(Method::PUT, "/self", headers, body).await.error(403);
        assert_eq!(error.errors, ["the request comes from another site"], "{headers:?}");
        admin.send(Method::POST, "/session", headers, "{}").await.error(403);
        // looking changes nothing
        assert_eq!(admin.send(Method::GET, "/self", headers, "").await.status, StatusCode::OK);
    }
    assert!(!admin.get("/self").await.text().contains("eve"));
    let own: [&[(&str, &str)]; 5] = [
        &[],
        &[("sec-fetch-site", "same-origin"), ("origin", "http://lab.test")],
        &[("sec-fetch-site", "none")],
        &[("origin", "http://lab.test")],
        // behind a proxy that gives us another `Host`
        &[("origin", "https://lab.example.org")],
    ];
    for headers in own {
        assert_eq!(admin.send(Method::PUT, "/self", headers, body).await.status, StatusCode::OK, "{headers:?}");
    }
    // a program with a token sends neither header
    assert_eq!(admin.token().await.send(Method::PUT, "/self", &[], body).await.status, StatusCode::OK);
}

#[tokio::test]
async fn every_answer_carries_the_headers_of_safety() {
    let app = TestApp::start(Engine::Sqlite).await;
    for path in ["/self", "/nope", "//healthz", "//login", "//assets/none.js", "//boot/none", "/openapi.json"] {
        let answer = app.anonymous().get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
        assert!(answer.headers.get("access-control-allow-origin").is_none(), "{path}");
    }
    let (one, other) = (app.anonymous().get("//healthz").await, app.anonymous().get("//healthz").await);
    assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
}

#[tokio::test]
async fn health_needs_no_login_and_says_whether_the_database_answers() {
    for app in TestApp::each().await {
        assert_eq!(app.anonymous().get("//healthz").await.status, StatusCode::OK);
        assert_eq!(app.anonymous().get("//readyz").await.status, StatusCode::OK);
        app.lab.store.close().await;
        assert_eq!(app.anonymous().get("//healthz").await.status, StatusCode::OK);
        assert_eq!(app.anonymous().get("//readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
        // and everybody else is told the same, in the one shape, with nothing of the cause
        let token = app.anonymous().with(crate::support::Auth::Token("mrp_any".into()));
        let error = token.get("/self").await.error(503);
        assert_eq!(error.error_type, "Unavailable");
    }
}

#[tokio::test]
async fn who_is_behind_a_trusted_proxy_is_limited_by_the_own_address() {
    let app = TestApp::start_with(Engine::Sqlite, |config| config.http.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await;
    // what the client itself claims before the proxy's word does not help
    let from = |n| Some(if n % 2 == 0 { "192.0.2.1" } else { "10.9.9.9, 192.0.2.1" });
    let same = app.guess_at_once((0..60).map(|n| (format!("user{n}"), from(n)))).await;
    let tried = same.iter().filter(|status| **status == 403).count();
    assert!((30..35).contains(&tried), "{same:?}");
    assert_eq!(app.guess_at_once([("user".into(), Some("192.0.2.2"))]).await, [403]);
}

#[tokio::test]
async fn without_a_trusted_proxy_nobodys_word_counts() {
    let app = TestApp::start(Engine::Sqlite).await;
    let claims = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
    let all = app.guess_at_once((0..60).map(|n| (format!("user{n}"), Some(claims[n % 3])))).await;
    let tried = all.iter().filter(|status| **status == 403).count();
    assert!((30..35).contains(&tried), "{all:?}");
}
