//! What can be asked of every list: a part of it (`limit`, `cursor`, `offset`), in an order (`sort`), of some items (`filter`).
//! Done with the answer, by what the OpenAPI document says of the items, so that it is the same for all of them;
//! who asks for none of it gets the list as it is. Logs, too long to be read whole, do it themselves: [`log`].
//!
//! A cursor names a place in the order, not a number of items: what comes and goes meanwhile makes no other item appear twice or
//! not at all.

mod asked;
mod describe;
pub mod log;

use std::{
    collections::{BTreeSet, HashMap},
    fmt::Write,
    sync::Arc,
};

use axum::{
    body::{Body, to_bytes},
    extract::{MatchedPath, OriginalUri, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::Value;
use utoipa::openapi::OpenApi;

pub use asked::{Asked, Place};
pub(super) use describe::{describe, header as describe_header, refusal as describe_refusal};

use crate::{http::error, lab::LabError};
use asked::Order;

/// Items of one answer at most, and when only `cursor` is given.
pub const MOST: usize = 1000;

/// How many items fit, on all pages.
static TOTAL: HeaderName = HeaderName::from_static("x-total-count");

/// Orders of lists that are neither by name nor by id, by their address.
const ORDERS: [(&str, &str); 6] = [
    ("/user", "username"),
    ("/lease", "-last_seen_date"),
    ("/discovered", "-last_seen"),
    ("/self/session", "created"),
    ("/user/{id}/session", "created"),
    ("/machine/{id}/sel", "-id"),
];

/// What can be asked of one list.
#[derive(Debug)]
pub struct List {
    /// Of its items.
    members: BTreeSet<String>,
    /// The member that tells items apart; None: only the whole of them does.
    key: Option<&'static str>,
    /// As it is sorted when nothing else is asked.
    usual: Order,
}

impl List {
    fn new(path: &str, members: BTreeSet<String>) -> Self {
        let has = |member: &str| members.contains(member);
        let key = ["id", "mac"].into_iter().find(|member| has(member));
        let named = ORDERS.iter().find(|(list, _)| *list == path).map(|(_, order)| *order);
        let usual = named.unwrap_or(if has("name") { "name" } else { key.unwrap_or_default() });
        Self { key, usual: Order::of(usual), members }
    }

    fn key(&self, item: &Value) -> Value {
        self.key.map_or_else(|| Value::String(item.to_string()), |member| item[member].clone())
    }
}

/// All lists of the API but its logs, by their addresses.
#[derive(Debug)]
pub struct Lists(HashMap<String, Arc<List>>);

impl Lists {
    fn at(&self, path: &MatchedPath) -> Option<&Arc<List>> {
        // a page calls the API without its prefix
        self.0.get(path.as_str().strip_prefix("/api/v1").unwrap_or(path.as_str()))
    }
}

/// The lists of a document.
#[must_use]
pub fn of(document: &OpenApi) -> Arc<Lists> {
    let lists = describe::lists(document).filter(|list| !list.log);
    Arc::new(Lists(lists.map(|list| (list.path.to_owned(), Arc::new(List::new(list.path, list.members)))).collect()))
}

/// Of a handler that gives the part that was asked for by itself: to be put on the answer.
#[derive(Clone, Debug)]
pub struct Paged {
    /// Of all pages.
    pub total: usize,
    /// Where the next page begins, when there is one.
    pub next: Option<Place>,
}

/// The middleware of the API.
pub async fn layer(State(lists): State<Arc<Lists>>, mut request: Request, next: Next) -> Response {
    let list = request.extensions().get::<MatchedPath>().and_then(|path| lists.at(path)).filter(|_| request.method() == Method::GET);
    let Some(asked) = list.and_then(|list| Asked::of(list, &pairs(request.uri()))) else { return next.run(request).await };
    let address = request.extensions().get::<OriginalUri>().map_or_else(|| request.uri().clone(), |uri| uri.0.clone());
    if let Ok(asked) = &asked {
        request.extensions_mut().insert(asked.clone());
    }
    let response = next.run(request).await;
    if response.status() != StatusCode::OK {
        return response;
    }
    // who may not read the list is told that first
    let asked = match asked {
        Ok(asked) => asked,
        Err(sentence) => return LabError::invalid(sentence).into_response(),
    };
    let (mut parts, body) = response.into_parts();
    let (body, paged) = match parts.extensions.remove::<Paged>() {
        Some(paged) => (body, paged),
        None => {
            // written a moment ago by ourselves: it is there whole
            let Ok(bytes) = to_bytes(body, usize::MAX).await else { return error::internal() };
            let Ok(items) = serde_json::from_slice::<Vec<Value>>(&bytes) else { return error::internal() };
            let (items, paged) = asked.part(items);
            // plain data: writing it cannot fail
            (Body::from(serde_json::to_vec(&items).unwrap_or_default()), paged)
        }
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(&TOTAL, HeaderValue::from(paged.total));
    if let Some(place) = paged.next {
        parts.headers.insert(header::LINK, link(&address, &asked.cursor(&place)));
    }
    Response::from_parts(parts, body)
}

/// `Link: <…>; rel="next"` (RFC 8288): the same list, from the cursor on.
pub fn link(address: &Uri, cursor: &str) -> HeaderValue {
    let mut link = format!("<{}?", address.path());
    // `before` is what events called it before there were other lists with cursors; a cursor says by itself where to begin
    for (name, value) in pairs(address).iter().filter(|(name, _)| !["cursor", "before", "offset"].contains(&name.as_str())) {
        encode(&mut link, name);
        link.push('=');
        encode(&mut link, value);
        link.push('&');
    }
    link.push_str("cursor=");
    encode(&mut link, cursor);
    link.push_str(">; rel=\"next\"");
    // nothing but what a header may have is left of it
    HeaderValue::from_str(&link).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The parameters of an address.
fn pairs(address: &Uri) -> Vec<(String, String)> {
    axum::extract::Query::try_from_uri(address).map(|axum::extract::Query(pairs)| pairs).unwrap_or_default()
}

/// Percent-encodes all but RFC 3986's unreserved characters.
fn encode(link: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            link.push(char::from(byte));
        } else {
            // writing to a text cannot fail
            let _ = write!(link, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_says_again_what_was_asked() {
        let address = "/api/v1/machine?q=(%3D%20a%20%22b%22)&cursor=old&limit=2".parse().unwrap();
        assert_eq!(link(&address, "7"), "</api/v1/machine?q=%28%3D%20a%20%22b%22%29&limit=2&cursor=7>; rel=\"next\"");
    }

    #[test]
    fn the_document_says_which_lists_there_are_and_what_their_items_have() {
        let document = crate::http::api::v1::document();
        let lists = of(&document);
        let machines = &lists.0["/machine"];
        assert!(machines.members.contains("kernel_opts") && !machines.members.contains("colour"));
        assert_eq!((machines.key, machines.usual.word().as_str()), (Some("id"), "name"));
        assert_eq!((lists.0["/lease"].key, lists.0["/lease"].usual.word().as_str()), (Some("mac"), "-last_seen_date"));
        // one that is not there any more would be sorted by nothing
        for (path, order) in ORDERS.iter().filter(|(path, _)| lists.0.contains_key(*path)) {
            assert!(lists.0[*path].members.contains(order.trim_start_matches('-')), "{path}");
        }
        for (path, list) in &lists.0 {
            assert!(list.members.contains(&list.usual.member), "{path}: {:?}", list.members);
        }
        let logs = describe::lists(&document).filter(|list| list.log);
        for (list, (path, members)) in
            logs.zip([("/admin/audit", log::AUDIT.as_slice()), ("/event", &log::EVENTS), ("/machine/{id}/event", &log::EVENTS)])
        {
            assert_eq!((list.path, list.members), (path, members.iter().map(|&member| member.to_owned()).collect()));
            assert!(!lists.0.contains_key(path));
        }
    }
}
