//! `/image`

use app::api::{ApiError, Image, ImageChange, NewImage};
use axum::{
    Json,
    body::Body as HttpBody,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use tower::ServiceExt;
use tower_http::services::ServeFile;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Deletion, Listing};
use crate::{
    http::{
        error::problem,
        extract::{Body, Path, Query, parse},
        multipart::Form,
        tagged::Tagged,
    },
    images::Incoming,
    lab::{Actor, Lab, LabError, images},
};

/// Most bytes of an upload's part `q`.
const Q_LIMIT: usize = 64 * 1024;
/// What an upload's request may be longer than its file: part heads, `q`, and parts nobody reads.
const AROUND: u64 = 1024 * 1024;

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new().routes(routes!(list, upload)).routes(routes!(get, change, delete)).routes(routes!(content))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Once {
    /// `true`: a file one uploaded before, with the same content (SHA-256), name, type and architecture, stays one image, and is answered with
    /// 200. Without it every upload is an image of its own, as scripts expect that delete what they uploaded.
    once: Option<String>,
}

/// The form of an upload, for the document.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "read as a stream")]
struct UploadForm {
    /// What the file is, as JSON. May come before or after the file.
    q: NewImage,
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Images, by path
///
/// One's own, or with `show_all=true` all one may see.
#[utoipa::path(
    get, path = "/image", tag = "image", params(Listing),
    responses(
        (status = 200, description = "The images", body = Vec<Image>),
        (status = 400, description = "A parameter is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
    )
)]
async fn list(State(lab): State<Lab>, actor: Actor, Query(listing): Query<Listing>) -> Result<Json<Vec<Image>>, LabError> {
    images::list(&lab, &actor, listing.all()).await.map(Json)
}

/// Upload an image
#[utoipa::path(
    post, path = "/image", tag = "image", params(Once), request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "With `once`: the image that was there", body = Image),
        (status = 201, description = "The image", body = Image),
        (status = 400, description = "A part is missing or wrong, or the upload ended early", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 413, description = "The file is larger than the server allows", body = ApiError),
        (status = 507, description = "The disk is full", body = ApiError),
    )
)]
async fn upload(
    State(lab): State<Lab>,
    actor: Actor,
    Query(wanted): Query<Once>,
    request: Request,
) -> Result<(StatusCode, Json<Image>), LabError> {
    let (parts, body) = request.into_parts();
    let limit = lab.images.limit();
    let too_long = content_length(&parts.headers).is_some_and(|length| length > limit.saturating_add(AROUND));
    if too_long && parts.headers.contains_key(header::EXPECT) {
        // it asks before it sends: nothing needs to be read
        return Err(LabError::TooLarge { limit });
    }
    let mut form = Form::new(&parts.headers, body).ok_or_else(file_missing)?;
    let received = if too_long { Err(LabError::TooLarge { limit }) } else { receive(&lab, &actor, &mut form).await };
    let (new, name, file) = match received {
        Ok(received) => received,
        Err(error) => {
            form.drain().await;
            return Err(error);
        }
    };
    let once = super::is_true(wanted.once.as_deref());
    let (image, made) = images::create(&lab, &actor, new, name, file.finish().await?, once).await?;
    Ok((if made { StatusCode::CREATED } else { StatusCode::OK }, Json(image)))
}

/// One image
#[utoipa::path(
    get, path = "/image/{id}", tag = "image", params(("id" = i64, Path, description = "The image's id")),
    responses(
        (status = 200, description = "The image", body = Image),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Another's, and not public", body = ApiError),
        (status = 404, description = "No such image", body = ApiError),
    )
)]
async fn get(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>) -> Result<Tagged<Image>, LabError> {
    images::get(&lab, &actor, id).await.map(Tagged)
}

/// Change what is said of an image
#[utoipa::path(
    put, path = "/image/{id}", tag = "image", params(("id" = i64, Path, description = "The image's id")), request_body = ImageChange,
    responses(
        (status = 200, description = "The image as changed", body = Image),
        (status = 400, description = "A value is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Neither admin nor owner", body = ApiError),
        (status = 404, description = "No such image", body = ApiError),
        (status = 409, description = "In use as what it would no longer be; the text lists by whom", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn change(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    Body(change): Body<ImageChange>,
) -> Result<Tagged<Image>, LabError> {
    images::change(&lab, &actor, id, change).await.map(Tagged)
}

/// Delete an image that nothing uses
#[utoipa::path(
    delete, path = "/image/{id}", tag = "image", params(("id" = i64, Path, description = "The image's id"), Deletion),
    responses(
        (status = 204, description = "Deleted"),
        (status = 400, description = "A parameter is wrong, or what is to take its place does not fit", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Neither admin nor owner", body = ApiError),
        (status = 404, description = "No such image", body = ApiError),
        (status = 409, description = "In use; the text lists by whom", body = ApiError),
    )
)]
async fn delete(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    Query(deletion): Query<Deletion>,
) -> Result<StatusCode, LabError> {
    images::delete(&lab, &actor, id, deletion.instead()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An image's content
///
/// `Range` gives a part of it, `If-None-Match` with the SHA-256 in quotes nothing when it is known already.
#[utoipa::path(
    get, path = "/image/{id}/content", tag = "image", params(("id" = i64, Path, description = "The image's id")),
    responses(
        (status = 200, description = "All of it", body = String, content_type = "application/octet-stream"),
        (status = 206, description = "The part that was asked for", body = String, content_type = "application/octet-stream"),
        (status = 304, description = "The client has it already"),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Another's, and not public", body = ApiError),
        (status = 404, description = "No such image", body = ApiError),
        (status = 416, description = "The part is not within the file", body = ApiError),
    )
)]
async fn content(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>, request: Request) -> Result<Response, LabError> {
    let (image, path) = images::content(&lab, &actor, id).await?;
    let etag = format!("\"{}\"", image.sha256);
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == etag)) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
    }
    let Ok(response) = ServeFile::new(path).oneshot(request).await;
    if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
        let text = format!("the file has {} bytes", image.size);
        let told = problem(StatusCode::RANGE_NOT_SATISFIABLE, "RangeNotSatisfiable", vec![text]);
        return Ok(([(header::CONTENT_RANGE, format!("bytes */{}", image.size))], told).into_response());
    }
    if response.status() == StatusCode::NOT_FOUND {
        return Err(LabError::Internal(format!("the file of image {id} is missing")));
    }
    let fixed = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, disposition(&image.filename)),
        (header::ETAG, etag),
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
    ];
    Ok((fixed, response.map(HttpBody::new)).into_response())
}

/// RFC 6266: the name in ASCII for old clients, in UTF-8 for the others.
pub(super) fn disposition(name: &str) -> String {
    let ascii: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || "._- ".contains(c) { c } else { '_' }).collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn file_missing() -> LabError {
    LabError::invalid("multipart `file` is required")
}

fn twice(name: &str) -> LabError {
    LabError::invalid(format!("multipart `{name}` must be there only once"))
}

/// Reads the form to its end: what the file is, what it is called, and the file.
async fn receive(lab: &Lab, actor: &Actor, form: &mut Form) -> Result<(NewImage, String, Incoming), LabError> {
    let mut q = None;
    let mut file = None;
    while let Some(mut part) = form.next().await? {
        // as the original reads forms: a part without a file name is no file
        let file_name = part.file_name.take().filter(|name| !name.is_empty());
        match (part.name.as_str(), file_name) {
            ("q", _) if q.is_some() => return Err(twice("q")),
            ("q", _) => {
                let text = part.bytes(Q_LIMIT).await?;
                let new: NewImage = parse(&text).map_err(|sentence| LabError::invalid(format!("multipart `q`: {sentence}")))?;
                // before gigabytes come for nothing
                images::check(lab, actor, &new).await?;
                q = Some(new);
            }
            ("file", Some(_)) if file.is_some() => return Err(twice("file")),
            ("file", Some(name)) => {
                let mut incoming = lab.images.receive().await?;
                while let Some(chunk) = part.chunk().await? {
                    incoming.write(&chunk).await?;
                }
                file = Some((name, incoming));
            }
            _ => {}
        }
    }
    let (name, incoming) = file.ok_or_else(file_missing)?;
    let q = q.ok_or_else(|| LabError::invalid("multipart `q` is required"))?;
    Ok((q, name, incoming))
}
