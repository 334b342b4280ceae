//! API tokens.

use app::api::{CreatedToken, Me, Scope, Token, User};
use serde_json::json;

use crate::support::{Auth, TestApp};

#[tokio::test]
async fn a_token_stands_for_its_user_with_or_without_the_word_bearer() {
    for app in TestApp::each().await {
        let ann = app.user("ann").await;
        let made: CreatedToken = ann.post("/self/token", &json!({ "description": "CI" })).await.created();
        assert!(made.secret.starts_with("mrp_") && made.secret.len() == 47, "{}", made.secret);
        for value in [made.secret.clone(), format!("Bearer {}", made.secret), format!("bearer {}", made.secret)] {
            assert_eq!(app.anonymous().with(Auth::Token(value)).get("/self").await.ok::<Me>().username, "ann");
        }
        for value in ["", "Bearer", "Bearer mrp_", "mrp_unknown", "Basic YWRtaW46bGluYXJv"] {
            app.anonymous().with(Auth::Token(value.into())).get("/self").await.error(401);
        }
    }
}

#[tokio::test]
async fn the_secret_is_shown_once_and_stored_nowhere() {
    for app in TestApp::each().await {
        let ann = app.user("ann").await;
        let made: CreatedToken = ann.post("/self/token", &json!({ "description": "CI" })).await.created();
        let list = ann.get("/self/token").await;
        let tokens: Vec<Token> = list.ok();
        assert_eq!(tokens, [made.token]);
        assert!(made.secret.starts_with(&tokens[0].prefix) && tokens[0].prefix.len() == 10);
        assert!(!list.text().contains(&made.secret));
        let mut read = app.lab.store.read().await.unwrap();
        let row = store::tokens::get(&mut read, tokens[0].id).await.unwrap().unwrap();
        assert!(!row.token_hash.contains(&made.secret) && row.token_hash.len() == 64);
    }
}

#[tokio::test]
async fn its_use_is_noted() {
    for app in TestApp::each().await {
        let ann = app.user("ann").await;
        let token = ann.token().await;
        assert!(ann.get("/self/token").await.ok::<Vec<Token>>()[0].last_used.is_none());
        token.get("/self").await.ok::<Me>();
        assert!(ann.get("/self/token").await.ok::<Vec<Token>>()[0].last_used.is_some());
    }
}

#[tokio::test]
async fn a_withdrawn_token_is_worth_nothing_at_once() {
    for app in TestApp::each().await {
        let ann = app.user("ann").await;
        let token = ann.token().await;
        token.get("/self").await.ok::<Me>();
        let id = ann.get("/self/token").await.ok::<Vec<Token>>()[0].id;
        // somebody else's is not there at all
        app.user("bob").await.delete(&format!("/self/token/{id}")).await.error(404);
        token.get("/self").await.ok::<Me>();
        ann.delete(&format!("/self/token/{id}")).await.no_content();
        token.get("/self").await.error(401);
    }
}

#[tokio::test]
async fn a_token_has_its_users_rights_of_now() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let password = app.make_user("second", true).await;
        let second = app.log_in("second", &password).await.token().await;
        second.post("/user", &json!({ "username": "ann" })).await.created::<serde_json::Value>();
        let id = second.get("/self").await.ok::<Me>().id;
        admin.put(&format!("/user/{id}"), &json!({ "admin": false })).await.ok::<User>();
        second.post("/user", &json!({ "username": "bob" })).await.error(403);
        admin.delete(&format!("/user/{id}")).await.no_content();
        second.get("/self").await.error(401);
    }
}

#[tokio::test]
async fn a_wrong_token_is_not_rescued_by_a_cookie() {
    let app = TestApp::start(crate::support::Engine::Sqlite).await;
    let admin = app.admin().await;
    let answer = admin.send(axum::http::Method::GET, "/self", &[("authorization", "Bearer mrp_unknown")], "").await;
    answer.error(401);
}

#[tokio::test]
async fn a_token_from_before_limits_may_do_all_its_user_may() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        // as clients of the original ask for one
        let made: CreatedToken = admin.post("/self/token", &json!({ "description": "ansible" })).await.created();
        assert_eq!((made.token.scopes, made.token.expires), (None, None));
        let token = app.anonymous().with(Auth::Token(made.secret));
        token.post("/user", &json!({ "username": "ann" })).await.created::<serde_json::Value>();
        token.post("/self/token", &json!({ "description": "another" })).await.created::<CreatedToken>();
    }
}

#[tokio::test]
async fn name_limits_and_expiry_are_told_and_checked() {
    for app in TestApp::each().await {
        let ann = app.user("ann").await;
        let new = json!({ "name": "CI", "scopes": ["images", "read", "images"], "expires": "2999-12-31T23:59:59Z" });
        let made: CreatedToken = ann.post("/self/token", &new).await.created();
        assert_eq!(made.token.description, "CI");
        assert_eq!(made.token.scopes, Some(vec![Scope::Read, Scope::Images]));
        assert_eq!(made.token.expires.as_ref().unwrap().0, "2999-12-31T23:59:59.000000Z");
        assert_eq!(ann.get("/self/token").await.ok::<Vec<Token>>(), [made.token]);
        for (new, sentence) in [
            (json!({ "description": "x", "scopes": [] }), "at least one of"),
            (json!({ "description": "x", "scopes": ["root"] }), "unknown variant `root`"),
            (json!({ "description": "x", "expires": "tomorrow" }), "expires must be a time"),
            (json!({ "description": "x", "expires": "2001-01-01T00:00:00Z" }), "in the future"),
            (json!({ "description": "x".repeat(141) }), "between 0 and 140"),
        ] {
            let detail = ann.post("/self/token", &new).await.error(400).detail;
            assert!(detail.contains(sentence), "{new}: {detail}");
        }
    }
}

#[tokio::test]
async fn an_expired_token_is_worth_nothing_even_while_it_is_remembered() {
    for app in TestApp::each().await {
        let ann = app.user("ann").await;
        let expires = jiff::Timestamp::now() + std::time::Duration::from_secs(2);
        let made: CreatedToken =
            ann.post("/self/token", &json!({ "description": "short", "expires": expires.to_string() })).await.created();
        let token = app.anonymous().with(Auth::Token(made.secret));
        // a busy machine may take longer than the token lives to get here: then there is nothing to remember
        let first = token.get("/self").await.status;
        assert!(first == 200 || jiff::Timestamp::now() >= expires, "{first}");
        tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
        token.get("/self").await.error(401);
    }
}

#[tokio::test]
async fn a_limited_token_cannot_widen_itself() {
    for app in TestApp::each().await {
        let ann = app.user("ann").await;
        for scope in ["read", "machines", "images", "admin"] {
            let made: CreatedToken = ann.post("/self/token", &json!({ "description": scope, "scopes": [scope] })).await.created();
            let token = app.anonymous().with(Auth::Token(made.secret));
            let refused = token.post("/self/token", &json!({ "description": "wider" })).await.error(403);
            assert_eq!(refused.detail, "only a login or a token without limits may do this");
            token.put("/self", &json!({ "ssh_key": "ssh-ed25519 AAAA eve" })).await.error(403);
            token.put("/self/password", &json!({ "old_password": "x", "password": "a new password" })).await.error(403);
            if scope != "images" {
                let refused = token.post("/preseed", &json!({ "name": "answers", "type": "preseed" })).await.error(403);
                assert_eq!(refused.detail, "this token lacks the scope images");
            }
        }
    }
}

#[tokio::test]
async fn admins_see_and_withdraw_the_tokens_of_others() {
    for app in TestApp::each().await {
        let (admin, ann, eve) = (app.admin().await, app.user("ann").await, app.user("eve").await);
        let token = ann.token().await;
        let path = format!("/user/{}/token", ann.get("/self").await.ok::<Me>().id);
        eve.get(&path).await.error(403);
        let list = admin.get(&path).await;
        let tokens: Vec<Token> = list.ok();
        assert!(tokens.len() == 1 && !list.text().contains("secret") && !list.text().contains("hash"));
        eve.delete(&format!("/self/token/{}", tokens[0].id)).await.error(404);
        admin.delete(&format!("/self/token/{}", tokens[0].id)).await.no_content();
        token.get("/self").await.error(401);
        admin.get("/user/999/token").await.error(404);
    }
}
