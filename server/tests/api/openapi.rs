//! The OpenAPI document: reviewed as it changes.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
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

fn document() -> Value {
    serde_json::to_value(server::http::api::v1::document()).unwrap()
}

/// `(address, method, operation)`
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, all)| all.as_object().unwrap().iter().map(|(method, one)| (path.as_str(), method.as_str(), one))).collect()
}

#[test]
fn every_operation_has_a_name_of_its_own_a_group_and_a_summary() {
    let document = document();
    let mut names = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no name"));
        assert!(name.contains('_') && names.insert(name), "{method} {path}: {name}");
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{method} {path}");
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{method} {path}");
    }
}

#[test]
fn every_answer_that_is_no_success_has_the_one_error_body() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        let answers = operation["responses"].as_object().unwrap();
        for (status, answer) in answers.iter().filter(|(status, _)| status.starts_with(['4', '5'])) {
            let shared = answer["$ref"].as_str().map(|reference| document.pointer(reference.trim_start_matches('#')).unwrap());
            let body = &shared.unwrap_or(answer)["content"]["application/json"];
            assert_eq!(body["schema"]["$ref"], "#/components/schemas/ApiError", "{method} {path} {status}");
            if let Some(shared) = shared {
                assert_eq!(body["example"]["status"].to_string(), *status, "{shared}");
            }
        }
    }
}

/// What an operation may answer whatever it does: by its method, its parameters and whether one must be known.
#[test]
fn every_operation_says_what_it_may_answer() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let (public, body) = (operation["security"].is_array(), operation["requestBody"].is_object());
        let expected = [
            ("400", body || parameters.iter().any(|parameter| parameter["in"] == "query")),
            ("401", !public),
            ("403", !public || method != "get"),
            ("404", path.contains('{')),
            ("413", body),
            ("500", true),
            ("503", true),
            ("507", method != "get"),
        ];
        for (status, _) in expected.iter().filter(|(_, expected)| *expected) {
            assert!(operation["responses"][status].is_object(), "{method} {path} does not document {status}");
        }
        assert!(operation["responses"].as_object().unwrap().keys().any(|status| status.starts_with(['1', '2'])), "{method} {path}");
    }
}

#[test]
fn every_json_body_that_is_sent_has_an_example() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        let Some(body) = operation["requestBody"]["content"].get("application/json") else { continue };
        let reference = body["schema"]["$ref"].as_str().unwrap_or_else(|| panic!("{method} {path}: {body}"));
        let schema = document.pointer(reference.trim_start_matches('#')).unwrap();
        assert!(schema["examples"][0].is_object(), "{method} {path}: {reference}");
    }
}

#[tokio::test]
async fn the_originals_address_leads_to_it() {
    let app = TestApp::start(Engine::Sqlite).await;
    let answer = app.anonymous().get("/swagger.yaml").await;
    assert_eq!(answer.status, StatusCode::PERMANENT_REDIRECT);
    assert_eq!(answer.header("location"), "/api/v1/openapi.json");
    app.anonymous().get("/openapi.json").await.ok::<Value>();
    assert_eq!(app.anonymous().send(Method::POST, "/swagger.yaml", &[], "").await.error(405).error_type, "MethodNotAllowed");
}

/// Without a browser build it says so; with one, it is a page under a policy of its own.
#[tokio::test]
async fn its_page_loads_from_this_server_only() {
    let app = TestApp::start(Engine::Sqlite).await;
    let answer = app.anonymous().get("/docs").await;
    if answer.status == StatusCode::NOT_FOUND {
        assert!(answer.error(404).errors[0].contains("built without"));
        return;
    }
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    for address in answer.text().split(['"']).filter(|text| text.starts_with("/assets/")) {
        assert_eq!(app.anonymous().get(&format!("/{address}")).await.status, StatusCode::OK, "{address}");
    }
}
