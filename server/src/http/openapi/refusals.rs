//! What any operation may answer that is no success. A handler documents those that mean something particular there; the
//! others are the same everywhere and are written once, among the document's components.

use app::api::ApiError;
use axum::http::StatusCode;
use utoipa::openapi::{
    Components, ContentBuilder, HeaderBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder, Type,
    path::{Operation, ParameterIn},
};

use super::names::operations;

struct Refusal {
    status: StatusCode,
    /// Its name among the components, and the word for programs in the body.
    name: &'static str,
    text: &'static str,
    example: &'static str,
}

const INVALID: Refusal = Refusal {
    status: StatusCode::BAD_REQUEST,
    name: "InvalidUsage",
    text: "A parameter or the body is wrong",
    example: "admin: invalid type: string \"yes\", expected a boolean",
};
const UNAUTHORIZED: Refusal = Refusal {
    status: StatusCode::UNAUTHORIZED,
    name: "Unauthorized",
    text: "Not logged in, or the token is not known",
    example: "not logged in",
};
const FORBIDDEN: Refusal = Refusal {
    status: StatusCode::FORBIDDEN,
    name: "Forbidden",
    text: "One may not, or the token's scopes do not allow it, or a browser says that another site asks",
    example: "the request comes from another site",
};
const NOT_FOUND: Refusal = Refusal {
    status: StatusCode::NOT_FOUND,
    name: "NotFound",
    text: "There is no such thing",
    example: "there is nothing at this address",
};
const TOO_LARGE: Refusal = Refusal {
    status: StatusCode::PAYLOAD_TOO_LARGE,
    name: "TooLarge",
    text: "The body is too large",
    example: "the body is larger than the limit of 4194304 bytes",
};
const INTERNAL: Refusal = Refusal {
    status: StatusCode::INTERNAL_SERVER_ERROR,
    name: "InternalError",
    text: "The server failed",
    example: "the server failed; its log says why",
};
const UNAVAILABLE: Refusal = Refusal {
    status: StatusCode::SERVICE_UNAVAILABLE,
    name: "Unavailable",
    text: "The database does not answer at the moment",
    example: "the database does not answer; try again",
};
const NO_SPACE: Refusal = Refusal {
    status: StatusCode::INSUFFICIENT_STORAGE,
    name: "NoSpace",
    text: "No space is left on the disk",
    example: "the database has no space left",
};
const ALL: [Refusal; 8] = [INVALID, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_LARGE, INTERNAL, UNAVAILABLE, NO_SPACE];

/// Adds to every operation what it may answer and does not say itself.
pub fn complete(document: &mut OpenApi) {
    let components = document.components.get_or_insert_with(Components::new);
    for refusal in &ALL {
        components.responses.insert(refusal.name.into(), RefOr::T(refusal.described()));
    }
    for item in document.paths.paths.values_mut() {
        for (method, operation) in operations(item) {
            for refusal in possible(method, operation) {
                let reference = Ref::from_response_name(refusal.name);
                let status = refusal.status.as_str().to_owned();
                operation.responses.responses.entry(status).or_insert(RefOr::Ref(reference));
            }
        }
    }
}

fn possible(method: &str, operation: &Operation) -> Vec<Refusal> {
    let changes = method != "get";
    // `security(())`: nobody needs to be known
    let public = operation.security.is_some();
    let has = |place: ParameterIn| {
        let parameters = operation.parameters.as_deref().unwrap_or_default();
        parameters.iter().any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == place))
    };
    let mut all = vec![INTERNAL, UNAVAILABLE];
    all.extend((!public).then_some(UNAUTHORIZED));
    all.extend((!public || changes).then_some(FORBIDDEN));
    all.extend(has(ParameterIn::Path).then_some(NOT_FOUND));
    all.extend((has(ParameterIn::Query) || operation.request_body.is_some()).then_some(INVALID));
    all.extend(operation.request_body.is_some().then_some(TOO_LARGE));
    all.extend(changes.then_some(NO_SPACE));
    all
}

impl Refusal {
    fn described(&self) -> Response {
        let title = self.status.canonical_reason().unwrap_or_default();
        let body = ApiError::new(self.status.as_u16(), title, self.name, vec![self.example.into()]);
        // plain data: it always has a JSON form
        let example = serde_json::to_value(body).ok();
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("ApiError"))).example(example).build();
        let mut response = ResponseBuilder::new().description(self.text).content("application/json", content).build();
        if self.status == StatusCode::UNAUTHORIZED {
            let header = HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String))).build();
            response.headers.insert("WWW-Authenticate".into(), RefOr::T(header));
        }
        response
    }
}
