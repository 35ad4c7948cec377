//! From HTTP to an [`Action`], and from what came of it to HTTP.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{Action, Code, Controller, Peer, Problem, Target};

pub(crate) const STATUS: &str = "/v1/status";
pub(crate) const LABEL: &str = "/v1/workloads/label";
pub(crate) const UNLABEL: &str = "/v1/workloads/unlabel";
pub(crate) const QUARANTINE: &str = "/v1/workloads/quarantine";
pub(crate) const LIFT: &str = "/v1/workloads/lift";
pub(crate) const RESCAN: &str = "/v1/workloads/rescan";
pub(crate) const ADMIT: &str = "/v1/containers/admit";
pub(crate) const CHOOSE: &str = "/v1/containers/choose";
pub(crate) const ROTATE_CA: &str = "/v1/ca/rotate";

/// Longest request body: a path of 4096 bytes, escaped, and a name.
const MAX_BODY: usize = 32 * 1024;
/// Longest time for one action.
pub(crate) const PERFORM: Duration = Duration::from_secs(30);

/// The body of `POST /v1/workloads/label`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelRequest {
    cgroup: String,
    #[serde(default)]
    policy: Option<String>,
    #[serde(default)]
    observe: bool,
    #[serde(default)]
    principal: Option<String>,
    #[serde(default)]
    groups: Vec<String>,
}

/// The body of `POST /v1/workloads/quarantine` and `POST /v1/workloads/lift`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetRequest {
    target: Target,
}

/// The body of `POST /v1/containers/choose`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChooseRequest {
    id: String,
}

/// The body of `POST /v1/workloads/unlabel`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnlabelRequest {
    cgroup: String,
}

/// The body of `POST /v1/workloads/rescan`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RescanRequest {}

/// The whole API. The connection adds its [`Peer`] as an extension.
pub(crate) fn router(controller: Arc<Controller>) -> Router {
    Router::new()
        .route(STATUS, get(status))
        .route(LABEL, post(label))
        .route(UNLABEL, post(unlabel))
        .route(QUARANTINE, post(quarantine))
        .route(LIFT, post(lift))
        .route(RESCAN, post(rescan))
        .route(ADMIT, post(admit))
        .route(CHOOSE, post(choose))
        .route(ROTATE_CA, post(rotate_ca))
        .fallback(async || Problem::new(Code::Unknown, "there is nothing at this path"))
        .method_not_allowed_fallback(async || Problem::new(Code::Malformed, "not with this method"))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(controller)
}

type Performer = (State<Arc<Controller>>, Extension<Peer>);
type Body = Result<Bytes, BytesRejection>;

async fn status(performer: Performer) -> Result<Response, Problem> {
    perform(performer, Action::Status).await
}

async fn label(performer: Performer, body: Body) -> Result<Response, Problem> {
    let LabelRequest {
        cgroup,
        policy,
        observe,
        principal,
        groups,
    } = read(body)?;
    let action = Action::Label {
        cgroup,
        policy,
        observe,
        principal,
        groups,
    };
    perform(performer, action).await
}

async fn quarantine(performer: Performer, body: Body) -> Result<Response, Problem> {
    let TargetRequest { target } = read(body)?;
    perform(performer, Action::Quarantine { target }).await
}

async fn lift(performer: Performer, body: Body) -> Result<Response, Problem> {
    let TargetRequest { target } = read(body)?;
    perform(performer, Action::Lift { target }).await
}

async fn unlabel(performer: Performer, body: Body) -> Result<Response, Problem> {
    let UnlabelRequest { cgroup } = read(body)?;
    perform(performer, Action::Unlabel { cgroup }).await
}

async fn admit(performer: Performer, body: Body) -> Result<Response, Problem> {
    perform(performer, Action::Admit(read(body)?)).await
}

async fn choose(performer: Performer, body: Body) -> Result<Response, Problem> {
    let ChooseRequest { id } = read(body)?;
    perform(performer, Action::Choose { id }).await
}

async fn rotate_ca(performer: Performer, body: Body) -> Result<Response, Problem> {
    let RescanRequest {} = read(body)?;
    perform(performer, Action::RotateCa).await
}

async fn rescan(performer: Performer, body: Body) -> Result<Response, Problem> {
    let RescanRequest {} = read(body)?;
    perform(performer, Action::Rescan).await
}

fn read<T: DeserializeOwned>(body: Body) -> Result<T, Problem> {
    let body = body.map_err(|error| Problem::new(Code::Malformed, error.body_text()))?;
    serde_json::from_slice(&body).map_err(|error| Problem::new(Code::Malformed, error))
}

/// Actions block, so each has a thread of its own; one that is late goes on there, and only its answer is lost.
async fn perform(performer: Performer, action: Action) -> Result<Response, Problem> {
    let (State(controller), Extension(peer)) = performer;
    let performed = tokio::task::spawn_blocking(move || controller.perform(&action, peer));
    let ended = tokio::time::timeout(PERFORM, performed).await;
    let late = || {
        Problem::new(
            Code::Late,
            format!("not done after {PERFORM:?}, and still at it"),
        )
    };
    let fault = |_| Problem::new(Code::Fault, "the enforcer failed while performing this");
    let view = ended.map_err(|_| late())?.map_err(fault)??;
    Ok(Json(view).into_response())
}

// === impl Problem ===

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.code.status(), Json(self)).into_response()
    }
}

// === impl Code ===

impl Code {
    fn status(self) -> StatusCode {
        match self {
            Self::Conflict => StatusCode::CONFLICT,
            Self::Fault => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Late => StatusCode::GATEWAY_TIMEOUT,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unknown => StatusCode::NOT_FOUND,
        }
    }
}
