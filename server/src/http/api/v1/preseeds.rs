//! `/preseed`

use app::api::{ApiError, Diagnostic, Draft, NewPreseed, Preseed, PreseedChange, PreseedPreview, PreviewRequest};
use axum::{Json, extract::State, http::StatusCode};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Deletion, Listing};
use crate::{
    http::{
        extract::{Body, Path, Query},
        tagged::Tagged,
    },
    lab::{Actor, Lab, LabError, preseeds},
};

pub fn router() -> OpenApiRouter<Lab> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, change, delete)).routes(routes!(preview)).routes(routes!(check))
}

/// Preseeds with their content, by name
///
/// One's own, or with `show_all=true` all one may see.
#[utoipa::path(
    get, path = "/preseed", tag = "preseed", params(Listing),
    responses(
        (status = 200, description = "The preseeds", body = Vec<Preseed>),
        (status = 400, description = "A parameter is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
    )
)]
async fn list(State(lab): State<Lab>, actor: Actor, Query(listing): Query<Listing>) -> Result<Json<Vec<Preseed>>, LabError> {
    preseeds::list(&lab, &actor, listing.all()).await.map(Json)
}

/// Make a preseed
#[utoipa::path(
    post, path = "/preseed", tag = "preseed", request_body = NewPreseed,
    responses(
        (status = 201, description = "The preseed", body = Preseed),
        (status = 400, description = "A value is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 409, description = "The name is taken, by whomever", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn create(State(lab): State<Lab>, actor: Actor, Body(new): Body<NewPreseed>) -> Result<(StatusCode, Json<Preseed>), LabError> {
    let preseed = preseeds::create(&lab, &actor, new).await?;
    Ok((StatusCode::CREATED, Json(preseed)))
}

/// One preseed
#[utoipa::path(
    get, path = "/preseed/{id}", tag = "preseed", params(("id" = i64, Path, description = "The preseed's id")),
    responses(
        (status = 200, description = "The preseed", body = Preseed),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Another's, and not public", body = ApiError),
        (status = 404, description = "No such preseed", body = ApiError),
    )
)]
async fn get(State(lab): State<Lab>, actor: Actor, Path(id): Path<i64>) -> Result<Tagged<Preseed>, LabError> {
    preseeds::get(&lab, &actor, id).await.map(Tagged)
}

/// Change a preseed
#[utoipa::path(
    put, path = "/preseed/{id}", tag = "preseed", params(("id" = i64, Path, description = "The preseed's id")), request_body = PreseedChange,
    responses(
        (status = 200, description = "The preseed as changed", body = Preseed),
        (status = 400, description = "A value is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Neither admin nor owner", body = ApiError),
        (status = 404, description = "No such preseed", body = ApiError),
        (status = 409, description = "The name is taken", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn change(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    Body(change): Body<PreseedChange>,
) -> Result<Tagged<Preseed>, LabError> {
    preseeds::change(&lab, &actor, id, change).await.map(Tagged)
}

/// Delete a preseed that no machine uses
#[utoipa::path(
    delete, path = "/preseed/{id}", tag = "preseed", params(("id" = i64, Path, description = "The preseed's id"), Deletion),
    responses(
        (status = 204, description = "Deleted"),
        (status = 400, description = "A parameter is wrong, or what is to take its place does not fit", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Neither admin nor owner", body = ApiError),
        (status = 404, description = "No such preseed", body = ApiError),
        (status = 409, description = "In use; the text lists by which machines", body = ApiError),
    )
)]
async fn delete(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    Query(deletion): Query<Deletion>,
) -> Result<StatusCode, LabError> {
    preseeds::delete(&lab, &actor, id, deletion.instead()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a machine would be sent
///
/// Renders the machine's preseed, the one that is named, or a draft. What is wrong with the template is told with its lines;
/// the machine's log says nothing of it.
#[utoipa::path(
    post, path = "/machine/{id}/preseed-preview", tag = "preseed",
    params(("id" = i64, Path, description = "The machine's id")), request_body = PreviewRequest,
    responses(
        (status = 200, description = "The text, or why there is none", body = PreseedPreview),
        (status = 400, description = "No preseed, or a value is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 403, description = "Neither admin nor assignee, or another's private preseed", body = ApiError),
        (status = 404, description = "No such machine", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn preview(
    State(lab): State<Lab>,
    actor: Actor,
    Path(id): Path<i64>,
    Body(wanted): Body<PreviewRequest>,
) -> Result<Json<PreseedPreview>, LabError> {
    preseeds::preview(&lab, &actor, id, wanted).await.map(Json)
}

/// What is wrong with a draft
///
/// Whatever machine asks for it: its syntax. Such a preseed may be saved, but nothing could be rendered from it.
#[utoipa::path(
    post, path = "/preseed/check", tag = "preseed", request_body = Draft,
    responses(
        (status = 200, description = "What is wrong; nothing when it is empty", body = Vec<Diagnostic>),
        (status = 400, description = "A value is wrong", body = ApiError),
        (status = 401, description = "Not logged in", body = ApiError),
        (status = 413, description = "The body is too large", body = ApiError),
    )
)]
async fn check(State(lab): State<Lab>, actor: Actor, Body(draft): Body<Draft>) -> Result<Json<Vec<Diagnostic>>, LabError> {
    preseeds::check(&lab, &actor, draft.content).await.map(Json)
}
