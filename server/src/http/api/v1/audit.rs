//! `/admin/audit`

use app::api::{ApiError, AuditEntry};
use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use jiff::Timestamp;
use serde::Deserialize;
use store::AuditFilter;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::extract::Query,
    lab::{Actor, Lab, LabError, audit},
};

/// Entries of one answer, unless it is said.
const LIMIT: u32 = 100;
const MOST: u32 = 1000;
/// Entries read at a time for an export: it is written as it is read, so its length costs no memory.
const CHUNK: u32 = 500;

const LINES: &str = "application/x-ndjson";

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Only changes by the user of this name.
    user: Option<String>,
    /// Only changes of this kind of thing, e.g. `machine`.
    kind: Option<String>,
    /// Only changes of the thing with this id; needs `kind`.
    subject_id: Option<i64>,
    /// Only this action, e.g. `machine.change`.
    action: Option<String>,
    /// Only changes at this time (RFC 3339) or later.
    since: Option<String>,
    /// Only changes before this time.
    until: Option<String>,
    /// Only entries before this one: the last id of the page before. The `Link` header has the whole address.
    cursor: Option<i64>,
    /// How many: 100 unless said, at most 1000. An export has no limit unless one is said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `jsonl`: every entry that fits, one per line, as with `Accept: application/x-ndjson`.
    format: Option<String>,
}

impl Wanted {
    fn filter(&self) -> Result<AuditFilter, LabError> {
        let micros = |name: &str, text: &Option<String>| match text {
            Some(text) => {
                let time: Timestamp =
                    text.parse().map_err(|_| LabError::invalid(format!("{name} must be a time such as 2027-01-31T12:00:00Z")))?;
                Ok::<_, LabError>(Some(time.as_microsecond()))
            }
            None => Ok(None),
        };
        if self.subject_id.is_some() && self.kind.is_none() {
            return Err(LabError::invalid("subject_id needs kind: ids are told apart by what they are of"));
        }
        let all = AuditFilter::default();
        Ok(AuditFilter {
            username: self.user.clone().unwrap_or_default(),
            action: self.action.clone().unwrap_or_default(),
            kind: self.kind.clone().unwrap_or_default(),
            subject_id: self.subject_id.unwrap_or_default(),
            since: micros("since", &self.since)?.unwrap_or(all.since),
            until: micros("until", &self.until)?.unwrap_or(all.until),
            before_id: self.cursor.unwrap_or(all.before_id),
        })
    }
}

/// Who changed what, newest first (admins)
///
/// Entries are only ever added, each in the transaction of the change it tells of.
#[utoipa::path(
    get, path = "/admin/audit", tag = "admin", params(Wanted),
    responses(
        (status = 200, description = "The entries", content(
            (Vec<AuditEntry> = "application/json"),
            (String = "application/x-ndjson"),
        ), headers(("Link" = String, description = "`rel=\"next\"`: the next page, when there is one"))),
        (status = 400, description = "A parameter is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
    )
)]
async fn list(State(lab): State<Lab>, actor: Actor, headers: HeaderMap, Query(wanted): Query<Wanted>) -> Result<Response, LabError> {
    let filter = wanted.filter()?;
    let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let lines = match wanted.format.as_deref() {
        Some("jsonl") => true,
        None | Some("json") => wanted.format.is_none() && accepts.contains(LINES),
        Some(other) => return Err(LabError::invalid(format!("format is json or jsonl, not {other}"))),
    };
    if lines {
        // the first piece now: a refusal is an answer, not a broken stream
        return export(lab, actor, filter, wanted.limit.unwrap_or(u32::MAX)).await;
    }
    let limit = wanted.limit.unwrap_or(LIMIT).clamp(1, MOST);
    let entries = audit::list(&lab, &actor, &filter, limit).await?;
    let full = u32::try_from(entries.len()).is_ok_and(|count| count == limit);
    let next = entries.last().filter(|_| full).map(|last| super::paging::next_link("/admin/audit", &wanted.pairs(), &last.id.to_string()));
    let mut response = Json(entries).into_response();
    if let Some(next) = next {
        response.headers_mut().insert(header::LINK, next);
    }
    Ok(response)
}

impl Wanted {
    /// As they were asked, but for the cursor.
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let number = |value: Option<i64>| value.map(|value| value.to_string());
        let all = [
            ("user", self.user.clone()),
            ("kind", self.kind.clone()),
            ("subject_id", number(self.subject_id)),
            ("action", self.action.clone()),
            ("since", self.since.clone()),
            ("until", self.until.clone()),
            ("limit", number(self.limit.map(i64::from))),
        ];
        all.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))).collect()
    }
}

async fn export(lab: Lab, actor: Actor, filter: AuditFilter, limit: u32) -> Result<Response, LabError> {
    let first = piece(&lab, &actor, &filter, limit).await?;
    let rest = stream::unfold((lab, actor, filter, limit, Some(first)), async |(lab, actor, mut filter, limit, ready)| {
        let (bytes, last, count) = match ready {
            Some(piece) => piece,
            // cut off rather than ended: the reader sees that something is missing
            None => match piece(&lab, &actor, &filter, limit).await {
                Ok(piece) => piece,
                Err(error) => return Some((Err(std::io::Error::other(error)), (lab, actor, filter, 0, None))),
            },
        };
        filter.before_id = last?;
        Some((Ok(bytes), (lab, actor, filter, limit.saturating_sub(count), None)))
    });
    Ok(([(header::CONTENT_TYPE, LINES)], Body::from_stream(rest)).into_response())
}

/// Some lines, the id of the last entry, and how many.
async fn piece(lab: &Lab, actor: &Actor, filter: &AuditFilter, limit: u32) -> Result<(Bytes, Option<i64>, u32), LabError> {
    let entries = audit::list(lab, actor, filter, limit.min(CHUNK)).await?;
    let mut lines = Vec::new();
    for entry in &entries {
        // plain data: writing it cannot fail
        lines.extend(serde_json::to_vec(entry).unwrap_or_default());
        lines.push(b'\n');
    }
    Ok((lines.into(), entries.last().map(|entry| entry.id), u32::try_from(entries.len()).unwrap_or(u32::MAX)))
}
