//! The lists in the OpenAPI document: found there, and told there what they understand.

use std::collections::{BTreeMap, BTreeSet};

use utoipa::{
    PartialSchema,
    openapi::{
        Content, ContentBuilder, HeaderBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder, Schema, Type,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn},
        schema::ArrayItems,
    },
};

use super::MOST;

/// Tells of each list what [`super`] understands. Logs say themselves what `limit` and `cursor` are.
pub fn describe(document: &mut OpenApi) {
    let members: BTreeMap<String, String> =
        lists(document).map(|list| (list.path.to_owned(), list.members.iter().cloned().collect::<Vec<_>>().join("|"))).collect();
    for (path, item) in &mut document.paths.paths {
        let (Some(members), Some(get)) = (members.get(path), item.get.as_mut()) else { continue };
        let log = is_log(get);
        let parameters = get.parameters.get_or_insert_default();
        if log {
            let text = "`-id`: the newest first, as unless said; `id`: the oldest.";
            parameters.push(parameter("sort", string().pattern(Some("^-?id$")), text));
        } else {
            let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(MOST));
            parameters.push(parameter("limit", number, "How many items at most. `Link` then has the address of the next page."));
            parameters.push(parameter("cursor", string(), "Where the page begins: from the `Link` of the page before."));
            let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
            parameters.push(parameter("offset", number, "How many items to leave out at the beginning, instead of `cursor`."));
            let text = "A member of the items, with `-` before it downwards.";
            parameters.push(parameter("sort", string().pattern(Some(format!("^-?({members})$"))), text));
        }
        let text = "A member of the items and a text: `arch=arm64`, `arch!=arm64` or `name~d05` (contains, in any case). \
                    May be there several times: all must fit.";
        parameters.push(parameter("filter", string().pattern(Some(format!("^({members})(=|!=|~)"))), text));
        get.responses.responses.entry("400".into()).or_insert_with(|| refusal("A parameter is wrong"));
        if let Some(RefOr::T(answer)) = get.responses.responses.get_mut("200") {
            header(answer, "Link", string(), "`rel=\"next\"`: the next page, when there is one");
            if !log {
                let number = ObjectBuilder::new().schema_type(Type::Integer);
                header(answer, "X-Total-Count", number, "How many items fit, on all pages; when something was asked of the list");
            }
        }
    }
}

pub(super) struct Described<'a> {
    pub path: &'a str,
    pub members: BTreeSet<String>,
    pub log: bool,
}

/// Each list, with the members of its items.
pub(super) fn lists(document: &OpenApi) -> impl Iterator<Item = Described<'_>> {
    document.paths.paths.iter().filter_map(|(path, item)| {
        let get = item.get.as_ref()?;
        let mut members = BTreeSet::new();
        collect(document, items(get)?, &mut members);
        Some(Described { path, members, log: is_log(get) })
    })
}

/// A log has `cursor` of itself: a number.
fn is_log(operation: &Operation) -> bool {
    let number = |parameter: &RefOr<Parameter>| match parameter {
        RefOr::T(Parameter { name, schema, .. }) => name == "cursor" && *schema != Some(String::schema()),
        RefOr::Ref(_) => false,
    };
    operation.parameters.as_ref().is_some_and(|parameters| parameters.iter().any(number))
}

/// What a list's items are; None when the answer is no list.
fn items(operation: &Operation) -> Option<&RefOr<Schema>> {
    let Some(RefOr::T(answer)) = operation.responses.responses.get("200") else { return None };
    let Some(RefOr::T(Content { schema: Some(RefOr::T(Schema::Array(array))), .. })) = answer.content.get("application/json") else {
        return None;
    };
    match &array.items {
        ArrayItems::RefOrSchema(items) => Some(items),
        ArrayItems::False => None,
    }
}

fn collect(document: &OpenApi, schema: &RefOr<Schema>, members: &mut BTreeSet<String>) {
    match schema {
        RefOr::Ref(reference) => {
            let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
            if let Some(schema) = document.components.as_ref().and_then(|components| components.schemas.get(name)) {
                collect(document, schema, members);
            }
        }
        RefOr::T(Schema::Object(object)) => members.extend(object.properties.keys().cloned()),
        RefOr::T(Schema::AllOf(all)) => all.items.iter().for_each(|schema| collect(document, schema, members)),
        RefOr::T(Schema::OneOf(one)) => one.items.iter().for_each(|schema| collect(document, schema, members)),
        RefOr::T(_) => {}
    }
}

fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn parameter(name: &str, schema: ObjectBuilder, text: &str) -> RefOr<Parameter> {
    let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query).required(Required::False);
    RefOr::T(parameter.description(Some(text)).schema(Some(schema)).build())
}

/// An answer with an error body.
pub(in crate::http) fn refusal(text: &str) -> RefOr<Response> {
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("ApiError"))).build();
    RefOr::T(ResponseBuilder::new().description(text).content("application/json", body).build())
}

/// Says of an answer that it has a header.
pub(in crate::http) fn header(answer: &mut Response, name: &str, schema: ObjectBuilder, text: &str) {
    let header = HeaderBuilder::new().schema(Some(schema)).description(Some(text)).build();
    answer.headers.insert(name.into(), RefOr::T(header));
}
