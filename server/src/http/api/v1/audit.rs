//! `/admin/audit`

use app::api::{ApiError, AuditEntry};
use axum::{
    body::{Body, Bytes},
    extract::{OriginalUri, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use store::AuditFilter;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::{extract::Query, lists::log},
    lab::{Actor, Lab, LabError, audit},
};

/// Entries of one answer, unless it is said.
const LIMIT: usize = 100;
const MOST: usize = 1000;
/// Entries read at a time for an export: it is written as it is read, so its length costs no memory.
const CHUNK: usize = 500;

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
    /// `jsonl`: every entry that fits, one per line, as with `Accept: application/x-ndjson`.
    format: Option<String>,
}

impl Wanted {
    fn filter(&self) -> Result<AuditFilter, LabError> {
        if self.subject_id.is_some() && self.kind.is_none() {
            return Err(LabError::invalid("subject_id needs kind: ids are told apart by what they are of"));
        }
        let all = AuditFilter::default();
        Ok(AuditFilter {
            username: self.user.clone().unwrap_or_default(),
            action: self.action.clone().unwrap_or_default(),
            kind: self.kind.clone().unwrap_or_default(),
            subject_id: self.subject_id.unwrap_or_default(),
            since: log::instant("since", self.since.as_deref())?.unwrap_or(all.since),
            until: log::instant("until", self.until.as_deref())?.unwrap_or(all.until),
            ..all
        })
    }
}

/// Who changed what, newest first (admins)
///
/// Entries are only ever added, each in the transaction of the change it tells of.
#[utoipa::path(
    get, path = "/admin/audit", tag = "admin",
    params(
        Wanted,
        ("cursor" = Option<i64>, Query, description = "Only entries beyond this one: the last id of the page before. \
            The `Link` header has the whole address."),
        ("limit" = Option<i32>, Query, description = "How many: 100 unless said. An export has no limit unless one is said",
            minimum = 1, maximum = 1000),
    ),
    responses(
        (status = 200, description = "The entries", content(
            (Vec<AuditEntry> = "application/json"),
            (String = "application/x-ndjson"),
        )),
        (status = 400, description = "A parameter is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "No admin", body = ApiError),
    )
)]
async fn list(
    State(lab): State<Lab>,
    actor: Actor,
    headers: HeaderMap,
    OriginalUri(address): OriginalUri,
    Query(wanted): Query<Wanted>,
) -> Result<Response, LabError> {
    let filter = wanted.filter()?;
    let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let lines = match wanted.format.as_deref() {
        Some("jsonl") => true,
        None | Some("json") => wanted.format.is_none() && accepts.contains(LINES),
        Some(other) => return Err(LabError::invalid(format!("format is json or jsonl, not {other}"))),
    };
    if lines {
        let asked = log::Asked::of(&address, &log::AUDIT, usize::MAX, usize::MAX)?;
        return export(lab, actor, filter, asked).await;
    }
    let asked = log::Asked::of(&address, &log::AUDIT, LIMIT, MOST)?;
    let part = asked.part(|beyond, limit| audit::list(&lab, &actor, &filter, beyond, asked.upwards, limit)).await?;
    Ok(part.answer(&address))
}

async fn export(lab: Lab, actor: Actor, filter: AuditFilter, mut asked: log::Asked) -> Result<Response, LabError> {
    // the first piece now: a refusal is an answer, not a broken stream
    let first = piece(&lab, &actor, &filter, &mut asked).await?;
    let rest = stream::unfold((lab, actor, filter, asked, Some(first)), async |(lab, actor, filter, mut asked, ready)| {
        let piece = match ready {
            Some(piece) => piece,
            // cut off rather than ended: the reader sees that something is missing
            None => match piece(&lab, &actor, &filter, &mut asked).await {
                Ok(piece) => piece,
                Err(error) => {
                    asked.limit = 0;
                    return Some((Err(std::io::Error::other(error)), (lab, actor, filter, asked, None)));
                }
            },
        };
        piece.map(|lines| (Ok(lines), (lab, actor, filter, asked, None)))
    });
    // compression asks once more after the end
    Ok(([(header::CONTENT_TYPE, LINES)], Body::from_stream(rest.fuse())).into_response())
}

/// Some lines, after which `asked` is about the rest; None when there are no more.
async fn piece(lab: &Lab, actor: &Actor, filter: &AuditFilter, asked: &mut log::Asked) -> Result<Option<Bytes>, LabError> {
    if asked.limit == 0 {
        return Ok(None);
    }
    let entries = audit::list(lab, actor, filter, asked.cursor, asked.upwards, CHUNK).await?;
    let mut lines = Vec::new();
    for entry in &entries {
        asked.cursor = Some(entry.id);
        // plain data: it always has a JSON form, and writing it cannot fail
        let value = serde_json::to_value(entry).unwrap_or_default();
        if asked.limit > 0 && asked.fits(&value) {
            asked.limit -= 1;
            lines.extend(serde_json::to_vec(entry).unwrap_or_default());
            lines.push(b'\n');
        }
    }
    Ok((!entries.is_empty()).then(|| lines.into()))
}
