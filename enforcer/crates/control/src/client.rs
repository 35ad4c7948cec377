//! The other end, for the CLI.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use enforcer_flow::{Principal, Stance};
use enforcer_identity::Label;
use http::{Method, Request};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::net::UnixStream;

use crate::{
    AuthorityView, Chosen, Code, Newcomer, Problem, Quarantined, Rescanned, Status, Target,
    Unlabelled, WorkloadView, request,
};

/// Longest answer: a status with more workloads than can be configured by mistake.
const MAX_ANSWER: usize = 32 * 1024 * 1024;
/// Longest wait for an answer; the server gives up before.
const PATIENCE: Duration = request::PERFORM.saturating_add(Duration::from_secs(10));

/// Asks the enforcer that answers at a socket; one connection for each question.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
}

/// There is no good answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The connection broke, or what came is no answer.
    #[error("the enforcer at `{}` gave no answer that can be understood: {reason}", socket.display())]
    Garbled {
        /// The socket.
        socket: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No answer in time.
    #[error("the enforcer at `{}` did not answer within {PATIENCE:?}", socket.display())]
    Late {
        /// The socket.
        socket: PathBuf,
    },
    /// Nobody listens there.
    #[error("no enforcer answers at `{}`", socket.display())]
    NotRunning {
        /// The socket.
        socket: PathBuf,
    },
    /// The enforcer, or the system before it, does not answer this user.
    #[error("the enforcer at `{}` does not answer this user: {reason}", socket.display())]
    Forbidden {
        /// The socket.
        socket: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The enforcer said no.
    #[error(transparent)]
    Refused(#[from] Problem),
}

// === impl Client ===

impl Client {
    /// A client of the enforcer that answers at `socket`. Nothing is opened yet.
    #[must_use]
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
        }
    }

    /// Where it asks.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// How things are.
    ///
    /// # Errors
    /// When there is no good answer.
    pub async fn status(&self) -> Result<Status, ClientError> {
        self.ask(Method::GET, request::STATUS, Bytes::new()).await
    }

    /// Has a cgroup labelled and waits until it is enforced.
    ///
    /// # Errors
    /// When there is no good answer.
    pub async fn label(&self, cgroup: &str, label: &Label) -> Result<WorkloadView, ClientError> {
        let principal = label.principal();
        let groups = principal.map(Principal::groups).unwrap_or_default();
        let body = json!({
            "cgroup": cgroup,
            "policy": label.policy(),
            "observe": label.stance() == Stance::Observe,
            "principal": principal.map(Principal::name),
            "groups": groups,
        });
        self.ask(Method::POST, request::LABEL, body.to_string())
            .await
    }

    /// Has a cgroup's label taken off and waits until it is not enforced any more.
    ///
    /// # Errors
    /// When there is no good answer.
    pub async fn unlabel(&self, cgroup: &str) -> Result<Unlabelled, ClientError> {
        let body = json!({"cgroup": cgroup});
        self.ask(Method::POST, request::UNLABEL, body.to_string())
            .await
    }

    /// Has every flow of the target ended, and new ones refused until that is lifted.
    ///
    /// # Errors
    /// When there is no good answer.
    pub async fn quarantine(&self, target: &Target) -> Result<Quarantined, ClientError> {
        let body = json!({"target": target});
        self.ask(Method::POST, request::QUARANTINE, body.to_string())
            .await
    }

    /// Has a quarantine lifted.
    ///
    /// # Errors
    /// When there is no good answer.
    pub async fn lift(&self, target: &Target) -> Result<Quarantined, ClientError> {
        let body = json!({"target": target});
        self.ask(Method::POST, request::LIFT, body.to_string())
            .await
    }

    /// Has all labels looked at anew and waits until all that may be enforced is.
    ///
    /// # Errors
    /// When there is no good answer.
    pub async fn rescan(&self) -> Result<Rescanned, ClientError> {
        self.ask(Method::POST, request::RESCAN, "{}").await
    }

    /// Has another CA put in the place of the one that signs.
    ///
    /// # Errors
    /// When there is no good answer.
    pub async fn rotate_ca(&self) -> Result<AuthorityView, ClientError> {
        self.ask(Method::POST, request::ROTATE_CA, "{}").await
    }

    /// Has a container that is about to start enforced, and waits until it is.
    ///
    /// # Errors
    /// When there is no good answer; then it must not start.
    pub async fn admit(&self, newcomer: &Newcomer) -> Result<WorkloadView, ClientError> {
        let body = json!(newcomer).to_string();
        self.ask(Method::POST, request::ADMIT, body).await
    }

    /// Asks for the policy of a container that is about to be made.
    ///
    /// # Errors
    /// When there is no good answer.
    pub async fn choose(&self, id: &str) -> Result<Chosen, ClientError> {
        let body = json!({"id": id}).to_string();
        self.ask(Method::POST, request::CHOOSE, body).await
    }

    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Result<T, ClientError> {
        let exchange = self.exchange(method, path, body.into());
        let late = |_| ClientError::Late {
            socket: self.socket.clone(),
        };
        let (succeeded, body) = tokio::time::timeout(PATIENCE, exchange)
            .await
            .map_err(late)??;
        if succeeded {
            return serde_json::from_slice(&body).map_err(|error| self.garbled(&error));
        }
        let problem: Problem =
            serde_json::from_slice(&body).map_err(|error| self.garbled(&error))?;
        match problem.code {
            Code::Forbidden => Err(self.forbidden(problem)),
            Code::Conflict
            | Code::Fault
            | Code::Late
            | Code::Malformed
            | Code::Unavailable
            | Code::Unknown => Err(problem.into()),
        }
    }

    /// One request and its answer: whether that is a success, and its body.
    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(bool, Bytes), ClientError> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|error| self.unreachable(&error))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.garbled(&error))?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::HOST, "enforcer")
            .body(Full::new(body))
            .map_err(|error| self.garbled(&error))?;
        let answer = async move {
            let response = sender.send_request(request).await?;
            let succeeded = response.status().is_success();
            let body = Limited::new(response.into_body(), MAX_ANSWER);
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>((
                succeeded,
                body.collect().await?.to_bytes(),
            ))
        };
        // The connection moves the bytes; it ends by itself once the answer is whole.
        let (answer, _closed) = tokio::join!(answer, connection);
        answer.map_err(|error| self.garbled(&*error))
    }

    fn unreachable(&self, error: &io::Error) -> ClientError {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => ClientError::NotRunning {
                socket: self.socket.clone(),
            },
            io::ErrorKind::PermissionDenied => self.forbidden(error),
            _ => self.garbled(error),
        }
    }

    fn forbidden(&self, reason: impl std::fmt::Display) -> ClientError {
        ClientError::Forbidden {
            socket: self.socket.clone(),
            reason: reason.to_string(),
        }
    }

    fn garbled<E: std::error::Error + ?Sized>(&self, error: &E) -> ClientError {
        ClientError::Garbled {
            socket: self.socket.clone(),
            reason: error.to_string(),
        }
    }
}
