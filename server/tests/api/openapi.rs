//! The OpenAPI document: reviewed as it changes.

use axum::http::StatusCode;
use serde_json::Value;

use crate::support::{Engine, TestApp};

/// After a change of the API: `INSTA_UPDATE=always cargo test -p server --test api openapi`, then read the difference.
#[test]
fn the_document_is_the_reviewed_one() {
    let document = serde_json::to_string_pretty(&server::http::api::v1::document()).unwrap();
    insta::assert_snapshot!("openapi", document);
}

#[tokio::test]
async fn it_is_served_to_everybody() {
    let app = TestApp::start(Engine::Sqlite).await;
    let answer = app.anonymous().get("/openapi.json").await;
    let served: Value = answer.ok();
    assert_eq!(served, serde_json::to_value(server::http::api::v1::document()).unwrap());
}

/// Every operation of the document is asked for by somebody who is not logged in: it must exist, and refuse.
#[tokio::test]
async fn every_operation_exists_and_needs_a_login() {
    let app = TestApp::start(Engine::Sqlite).await;
    let document = serde_json::to_value(server::http::api::v1::document()).unwrap();
    let mut asked = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let public =
                operation["security"].as_array().is_some_and(|schemes| schemes.iter().any(|scheme| scheme == &serde_json::json!({})));
            let concrete = path.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect::<Vec<_>>().join("/");
            let answer = app.anonymous().send(method.to_uppercase().parse().unwrap(), &concrete, &[], "{}").await;
            if path.ends_with("/socket") {
                // a WebSocket is told first that it is one; who may open it is tested over a real connection
                assert_eq!(answer.error(400).error_type, "InvalidUsage", "{method} {path}");
            } else if public {
                assert!(answer.status != StatusCode::NOT_FOUND && answer.status != StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            } else {
                assert_eq!(answer.error(401).error_type, "Unauthorized", "{method} {path}");
                assert!(operation["responses"]["401"].is_object(), "{method} {path} does not document 401");
            }
            asked += 1;
        }
    }
    assert!(asked >= 13, "{asked}");
}
