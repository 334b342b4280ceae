//! API tokens.

use app::api::{CreatedToken, Me, Token, User};
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
