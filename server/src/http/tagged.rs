//! Answers with their version.

use axum::{
    Json,
    http::header,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::openapi::{
    Content, ObjectBuilder, OpenApi, RefOr, Required, Schema, Type,
    path::{Operation, ParameterBuilder, ParameterIn},
};

use crate::{http::lists, lab::version};

/// A JSON body with its `ETag`, which an update may send back as `If-Match`.
pub struct Tagged<T>(pub T);

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let tag = version::tag(&self.0);
        TaggedAs(self.0, tag).into_response()
    }
}

/// The same, when the version is known already.
pub struct TaggedAs<T>(pub T, pub String);

impl<T: Serialize> IntoResponse for TaggedAs<T> {
    fn into_response(self) -> Response {
        ([(header::ETAG, self.1)], Json(self.0)).into_response()
    }
}

/// Says of everything that can be read and changed that it has versions.
pub fn describe(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        // a machine's state is what somebody says of it, not a text that is edited
        if path.ends_with("/state") || item.put.is_none() || item.get.as_ref().is_none_or(is_list) {
            continue;
        }
        for operation in [&mut item.get, &mut item.put].into_iter().flatten() {
            if let Some(RefOr::T(answer)) = operation.responses.responses.get_mut("200") {
                lists::describe_header(answer, "ETag", string(), "The version, for `If-Match`");
            }
        }
        for operation in [&mut item.put, &mut item.delete].into_iter().flatten() {
            let parameter = ParameterBuilder::new().name("If-Match").parameter_in(ParameterIn::Header).required(Required::False);
            let text = "The `ETag` of the version that is meant; without it whatever is there.";
            let parameter = parameter.description(Some(text)).schema(Some(string())).build();
            operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
            operation.responses.responses.insert("412".into(), lists::describe_refusal("It was changed since that version"));
        }
    }
}

fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn is_list(operation: &Operation) -> bool {
    let Some(RefOr::T(answer)) = operation.responses.responses.get("200") else { return false };
    answer.content.values().any(|content| matches!(content, RefOr::T(Content { schema: Some(RefOr::T(Schema::Array(_))), .. })))
}
