//! Logging in and out, sessions, one's own record and password.

use app::api::{Credentials, Me, Session};
use axum::http::Method;
use serde_json::json;

use crate::support::{Auth, Engine, TestApp};

fn credentials(username: &str, password: &str) -> Credentials {
    Credentials { username: username.into(), password: password.into() }
}

#[tokio::test]
async fn who_logs_in_is_known_until_logging_out() {
    for app in TestApp::each().await {
        let anonymous = app.anonymous();
        assert_eq!(anonymous.get("/self").await.error(401).error_type, "Unauthorized");

        let answer = anonymous.post("/session", &credentials("admin", &app.admin_password)).await;
        let me: Me = answer.ok();
        assert!(me.admin);
        let cookie = answer.header("set-cookie");
        assert!(cookie.starts_with("session="), "{cookie}");
        for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=604800"] {
            assert!(cookie.contains(part), "{part} in {cookie}");
        }

        let admin = anonymous.with(Auth::Cookie(answer.session_cookie()));
        assert_eq!(admin.get("/self").await.ok::<Me>(), me);
        assert_eq!(admin.get("/session").await.ok::<Me>(), me);

        let logout = admin.delete("/session").await;
        logout.no_content();
        assert!(logout.header("set-cookie").contains("Max-Age=0"), "{}", logout.header("set-cookie"));
        // the server forgot it, too: a copy of the cookie is worth nothing
        admin.get("/self").await.error(401);
    }
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_get_the_same_answer() {
    for app in TestApp::each().await {
        let wrong = app.anonymous().post("/session", &credentials("admin", "guess")).await;
        let unknown = app.anonymous().post("/session", &credentials("nobody", "guess")).await;
        assert_eq!(wrong.error(403), unknown.error(403));
        assert_eq!(wrong.error(403).errors, ["Invalid username or password"]);
        assert!(wrong.headers.get("set-cookie").is_none());
    }
}

#[tokio::test]
async fn passwords_cannot_be_guessed_quickly() {
    for app in TestApp::each().await {
        let other = app.make_user("other", false).await;
        let statuses = app.guess_at_once((0..10).map(|_| ("admin".into(), None))).await;
        assert_eq!(statuses, [403; 10]);
        // now even the right one has to wait
        let refused = app.anonymous().post("/session", &credentials("admin", &app.admin_password)).await;
        assert_eq!(refused.error(429).error_type, "TooManyRequests");
        let seconds: u64 = refused.header("retry-after").parse().unwrap();
        assert!((1..=11).contains(&seconds), "{seconds}");
        app.log_in("other", &other).await;
    }
}

#[tokio::test]
async fn one_address_cannot_try_many_accounts() {
    let app = TestApp::start(Engine::Sqlite).await;
    let statuses = app.guess_at_once((0..60).map(|n| (format!("user{n}"), None))).await;
    let tried = statuses.iter().filter(|status| **status == 403).count();
    // one more is allowed every three seconds
    assert!((30..35).contains(&tried), "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 60 - tried);
}

#[tokio::test]
async fn guesses_made_at_the_same_time_are_counted_too() {
    let app = TestApp::start(Engine::Sqlite).await;
    let statuses = app.guess_at_once((0..25).map(|_| ("admin".into(), None))).await;
    let tried = statuses.iter().filter(|status| **status == 403).count();
    assert!((10..13).contains(&tried), "{statuses:?}");
}

#[tokio::test]
async fn a_session_survives_a_restart() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let app = app.restarted().await;
        assert_eq!(app.anonymous().with(admin.auth).get("/self").await.ok::<Me>().username, "admin");
    }
}

#[tokio::test]
async fn the_database_holds_no_id_of_a_session() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let Auth::Cookie(cookie) = &admin.auth else { unreachable!() };
        let id = cookie.strip_prefix("session=").unwrap();
        let mut read = app.lab.store.read().await.unwrap();
        assert!(store::sessions::get(&mut read, id, 0).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn logging_in_again_makes_a_new_session_of_the_old() {
    for app in TestApp::each().await {
        let first = app.admin().await;
        let again = first.post("/session", &credentials("admin", &app.admin_password)).await;
        let second = first.with(Auth::Cookie(again.session_cookie()));
        second.get("/self").await.ok::<Me>();
        // an id planted before the login would otherwise be logged in, too
        first.get("/self").await.error(401);
    }
}

#[tokio::test]
async fn over_tls_the_cookie_is_bound_to_host_and_tls() {
    let app = TestApp::start_with(Engine::Sqlite, |config| config.http.secure_cookies = true).await;
    let answer = app.anonymous().post("/session", &credentials("admin", &app.admin_password)).await;
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-session=") && cookie.contains("Secure") && !cookie.contains("Domain"), "{cookie}");
    app.anonymous().with(Auth::Cookie(answer.session_cookie())).get("/self").await.ok::<Me>();
}

#[tokio::test]
async fn a_cookie_that_is_none_of_ours_is_nobodys() {
    let app = TestApp::start(Engine::Sqlite).await;
    for cookie in ["session=", "session=AAAAAAAAAAAAAAAAAAAAAA", "session=../../etc/passwd", "other=1"] {
        app.anonymous().with(Auth::Cookie(cookie.into())).get("/self").await.error(401);
    }
}

#[tokio::test]
async fn a_new_password_needs_the_old_one_and_ends_the_other_sessions() {
    for app in TestApp::each().await {
        let password = app.make_user("ann", false).await;
        let here = app.log_in("ann", &password).await;
        let elsewhere = app.log_in("ann", &password).await;
        let change = |old: &str, new: &str| json!({ "old_password": old, "password": new });

        let wrong = here.put("/self/password", &change("guess", "a new password")).await;
        assert_eq!(wrong.error(403).errors, ["the old password is not right"]);
        let short = here.put("/self/password", &change(&password, "short")).await;
        assert_eq!(short.error(400).errors, ["password must be between 8 and 128 characters long"]);
        elsewhere.get("/self").await.ok::<Me>();

        here.put("/self/password", &change(&password, "a new password")).await.no_content();
        here.get("/self").await.ok::<Me>();
        elsewhere.get("/self").await.error(401);
        app.anonymous().post("/session", &credentials("ann", &password)).await.error(403);
        app.log_in("ann", "a new password").await;
    }
}

#[tokio::test]
async fn a_stolen_session_is_no_way_to_guess_the_password() {
    let app = TestApp::start(Engine::Sqlite).await;
    let admin = app.admin().await;
    let guess = json!({ "old_password": "guess", "password": "a new password" });
    let guesses = (0..20).map(|_| {
        let (admin, guess) = (admin.clone(), guess.clone());
        tokio::spawn(async move { admin.put("/self/password", &guess).await.status.as_u16() })
    });
    let mut statuses = Vec::new();
    for guess in guesses.collect::<Vec<_>>() {
        statuses.push(guess.await.unwrap());
    }
    let tried = statuses.iter().filter(|status| **status == 403).count();
    assert!((10..13).contains(&tried) && statuses.iter().all(|status| [403, 429].contains(status)), "{statuses:?}");
}

#[tokio::test]
async fn users_change_their_own_address_and_keys() {
    for app in TestApp::each().await {
        let ann = app.user("ann").await;
        let changed: Me = ann.put("/self", &json!({ "email": "ann@example.org", "ssh_key": "ssh-ed25519 AAAA ann\n" })).await.ok();
        assert_eq!((changed.email.as_str(), changed.ssh_key.as_str()), ("ann@example.org", "ssh-ed25519 AAAA ann\n"));
        // what is absent stays
        let changed: Me = ann.put("/self", &json!({ "email": "" })).await.ok();
        assert_eq!((changed.email.as_str(), changed.ssh_key.as_str()), ("", "ssh-ed25519 AAAA ann\n"));
        assert_eq!(ann.put("/self", &json!({ "email": "ann" })).await.error(400).errors, ["email must be a valid email address"]);
        let keys = "k".repeat(512 * 1024 + 1);
        assert_eq!(ann.put("/self", &json!({ "ssh_key": keys })).await.error(400).errors, ["ssh_key must be smaller than 512kB"]);
    }
}

#[tokio::test]
async fn a_login_that_is_no_login_is_refused_with_a_sentence() {
    let app = TestApp::start(Engine::Sqlite).await;
    let answer = app.anonymous().send(Method::POST, "/session", &[], r#"{"username":"admin"}"#).await;
    assert_eq!(answer.error(400).errors, ["missing field `password`"]);
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one() {
    for app in TestApp::each().await {
        let password = app.make_user("ann", false).await;
        let elsewhere = {
            let login = json!({ "username": "ann", "password": password }).to_string();
            let answer = app.anonymous().send(Method::POST, "/session", &[("user-agent", "Laptop/1.0")], login).await;
            app.anonymous().with(Auth::Cookie(answer.session_cookie()))
        };
        let here = app.log_in("ann", &password).await;
        let sessions: Vec<Session> = here.get("/self/session").await.ok();
        assert_eq!(sessions.iter().map(|session| session.current).collect::<Vec<_>>(), [false, true]);
        assert_eq!((sessions[0].user_agent.as_deref(), sessions[0].address.is_some()), (Some("Laptop/1.0"), true));
        assert!(sessions.iter().all(|session| session.created <= session.last_seen && session.last_seen < session.expires));

        // somebody else's is not there
        let eve = app.user("eve").await;
        eve.delete(&format!("/self/session/{}", sessions[0].id)).await.error(404);
        let of_ann = format!("/user/{}/session", here.get("/self").await.ok::<Me>().id);
        eve.get(&of_ann).await.error(403);
        eve.delete(&format!("{of_ann}/{}", sessions[0].id)).await.error(403);
        elsewhere.get("/self").await.ok::<Me>();

        here.delete(&format!("/self/session/{}", sessions[0].id)).await.no_content();
        elsewhere.get("/self").await.error(401);
        here.get("/self").await.ok::<Me>();
        let admin = app.admin().await;
        assert_eq!(admin.get(&of_ann).await.ok::<Vec<Session>>().len(), 1);
        admin.delete(&format!("{of_ann}/{}", sessions[1].id)).await.no_content();
        here.get("/self").await.error(401);
    }
}

#[tokio::test]
async fn the_id_of_a_listed_session_lets_nobody_in() {
    let app = TestApp::start(Engine::Sqlite).await;
    let admin = app.admin().await;
    let Auth::Cookie(cookie) = &admin.auth else { unreachable!() };
    let sessions: Vec<Session> = admin.get("/self/session").await.ok();
    assert!(!cookie.contains(&sessions[0].id));
    app.anonymous().with(Auth::Cookie(format!("session={}", sessions[0].id))).get("/self").await.error(401);
}

#[tokio::test]
async fn x7_a_password_hash_of_the_original_is_taken_and_upgraded_at_the_first_login() {
    for app in TestApp::each().await {
        app.make_user("ann", false).await;
        // `linaro`, made with passlib 1.7.4
        let original = "$pbkdf2-sha256$29000$.//.MDEyMzQ1Njc4OWFiYw$APDwlamlKxTy46.Y30joI.0UVJh.dT1NDV6ssLRltjM";
        let mut tx = app.lab.store.begin().await.unwrap();
        let mut identity = store::identities::get(&mut tx, "local", "ann").await.unwrap().unwrap();
        identity.password_hash = Some(original.into());
        store::identities::update(&mut tx, &identity).await.unwrap();
        tx.commit().await.unwrap();

        let stored = async || {
            let mut read = app.lab.store.read().await.unwrap();
            store::identities::get(&mut read, "local", "ann").await.unwrap().unwrap().password_hash.unwrap()
        };
        app.anonymous().post("/session", &credentials("ann", "linar0")).await.error(403);
        assert_eq!(stored().await, original, "a wrong password changes nothing");
        app.log_in("ann", "linaro").await;
        assert!(stored().await.starts_with("$argon2id$"), "{}", stored().await);
        app.log_in("ann", "linaro").await;
    }
}
