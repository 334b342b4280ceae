//! Users, as admins and others see and change them.

use app::api::{CreatedUser, Me, User};
use axum::http::Method;
use serde_json::json;

use crate::support::TestApp;

async fn id_of(app: &TestApp, name: &str) -> i64 {
    let users: Vec<User> = app.admin().await.get("/user").await.ok();
    users.into_iter().find(|user| user.username == name).unwrap().id
}

#[tokio::test]
async fn an_admin_makes_changes_and_deletes_users() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let made: CreatedUser = admin.post("/user", &json!({ "username": "ann", "email": "ann@example.org" })).await.created();
        assert_eq!(made.user.admin, Some(false));
        assert_eq!(made.password.len(), 20);
        let ann = app.log_in("ann", &made.password).await;

        let path = format!("/user/{}", made.user.id);
        let changed: User = admin.put(&path, &json!({ "username": "anna", "admin": true })).await.ok();
        assert_eq!((changed.username.as_str(), changed.email.as_deref(), changed.admin), ("anna", Some("ann@example.org"), Some(true)));
        // the session is the user's, not the name's; and one logs in with the new name
        assert_eq!(ann.get("/self").await.ok::<Me>().username, "anna");
        app.log_in("anna", &made.password).await;
        app.anonymous().post("/session", &json!({ "username": "ann", "password": made.password })).await.error(403);

        admin.delete(&path).await.no_content();
        ann.get("/self").await.error(401);
        assert_eq!(admin.put(&path, &json!({ "admin": true })).await.error(404).errors, ["user not found"]);
        admin.delete(&path).await.error(404);
    }
}

#[tokio::test]
async fn a_name_is_taken_once() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        app.make_user("ann", false).await;
        let again = admin.post("/user", &json!({ "username": "ann" })).await.error(409);
        assert_eq!(again.error_type, "IntegrityError");
        assert_eq!(again.errors, ["a user with this name exists already"]);
        app.make_user("bob", false).await;
        let path = format!("/user/{}", id_of(&app, "bob").await);
        assert_eq!(admin.put(&path, &json!({ "username": "ann" })).await.error(409).error_type, "IntegrityError");
        // nothing of the refused change was kept
        assert_eq!(id_of(&app, "bob").await.to_string(), path.trim_start_matches("/user/"));
    }
}

#[tokio::test]
async fn others_see_users_but_no_addresses_and_change_nobody() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        admin.put("/self", &json!({ "email": "root@example.org" })).await.ok::<Me>();
        let ann = app.user("ann").await;
        ann.put("/self", &json!({ "email": "ann@example.org" })).await.ok::<Me>();
        for client in [ann.clone(), ann.token().await] {
            let users: Vec<User> = client.get("/user").await.ok();
            let seen: Vec<_> = users.iter().map(|user| (user.username.as_str(), user.email.as_deref())).collect();
            assert_eq!(seen, [("admin", None), ("ann", Some("ann@example.org"))]);
            let path = format!("/user/{}", users[0].id);
            assert_eq!(client.post("/user", &json!({ "username": "eve" })).await.error(403).error_type, "Forbidden");
            client.put(&path, &json!({ "password": "a new password" })).await.error(403);
            client.put(&format!("/user/{}", users[1].id), &json!({ "admin": true })).await.error(403);
            client.delete(&path).await.error(403);
        }
        let anonymous = app.anonymous();
        for (method, path) in [(Method::GET, "/user"), (Method::POST, "/user"), (Method::PUT, "/user/1"), (Method::DELETE, "/user/1")] {
            anonymous.send(method, path, &[], "{}").await.error(401);
        }
    }
}

#[tokio::test]
async fn a_password_set_by_an_admin_ends_the_users_sessions() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let ann = app.user("ann").await;
        let path = format!("/user/{}", id_of(&app, "ann").await);
        admin.put(&path, &json!({ "password": "a new password" })).await.ok::<User>();
        ann.get("/self").await.error(401);
        app.log_in("ann", "a new password").await.get("/self").await.ok::<Me>();
        admin.get("/self").await.ok::<Me>();
    }
}

#[tokio::test]
async fn the_last_admin_stays() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let path = format!("/user/{}", id_of(&app, "admin").await);
        assert_eq!(admin.put(&path, &json!({ "admin": false })).await.error(409).errors, ["the last admin must stay one"]);
        assert_eq!(admin.delete(&path).await.error(409).errors, ["you cannot delete yourself"]);

        let password = app.make_user("second", true).await;
        let second = app.log_in("second", &password).await;
        second.put(&path, &json!({ "admin": false })).await.ok::<User>();
        // from the very next request on
        admin.post("/user", &json!({ "username": "eve" })).await.error(403);
        second.delete(&path).await.no_content();
        let own = format!("/user/{}", second.get("/self").await.ok::<Me>().id);
        second.put(&own, &json!({ "admin": false })).await.error(409);
    }
}

#[tokio::test]
async fn two_admins_cannot_demote_each_other_at_the_same_time() {
    for app in TestApp::each().await {
        let password = app.make_user("second", true).await;
        let (first, second) = (app.admin().await, app.log_in("second", &password).await);
        let (a, b) = (format!("/user/{}", id_of(&app, "second").await), format!("/user/{}", id_of(&app, "admin").await));
        let none = json!({ "admin": false });
        let (one, other) = tokio::join!(first.put(&a, &none), second.put(&b, &none));
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert!(statuses == [200, 403] || statuses == [200, 409], "{statuses:?}");
    }
}

#[tokio::test]
async fn who_still_has_something_is_not_deleted() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let ann = app.user("ann").await;
        let preseed = json!({ "name": "answers", "type": "preseed", "content": "" });
        ann.post("/preseed", &preseed).await.created::<serde_json::Value>();
        let refused = admin.delete(&format!("/user/{}", id_of(&app, "ann").await)).await.error(409);
        assert_eq!(refused.error_type, "InUse");
        assert_eq!(refused.errors, ["user ann is in use by preseed answers"]);
        ann.get("/self").await.ok::<Me>();
    }
}
