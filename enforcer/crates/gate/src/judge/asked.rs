//! What was asked, kept for as long as its answer takes.

use std::sync::Arc;

use enforcer_flow::{Destination, Protocol};
use enforcer_policy::{self as policy, Estimate, Request};
use http::HeaderMap;

use crate::{Ask, Reading};

/// A question that was answered with a grant.
pub(super) struct Asked {
    protocol: Protocol,
    destination: Destination,
    method: String,
    path: String,
    query: Option<String>,
    headers: HeaderMap,
    length: Option<u64>,
    estimate: Estimate,
    /// What was judged of its body; none when no rule read it.
    pub(super) body: Option<Arc<Reading>>,
}

// === impl Asked ===

impl Asked {
    /// Keeps all of it but the body; none when there is no request.
    pub(super) fn keep(ask: &Ask<'_>) -> Option<Self> {
        let request = ask.request?;
        Some(Self {
            protocol: ask.protocol,
            destination: ask.destination.clone(),
            method: request.method.to_owned(),
            path: request.path.to_owned(),
            query: request.query.map(str::to_owned),
            headers: request.headers.cloned().unwrap_or_default(),
            length: request.length,
            estimate: request.estimate,
            body: None,
        })
    }

    /// The question again.
    pub(super) fn ask(&self) -> Ask<'_> {
        let body = self.body.as_deref();
        let body = body.map_or(policy::Body::Unread, Reading::body);
        let request = Request {
            query: self.query.as_deref(),
            headers: Some(&self.headers),
            length: self.length,
            estimate: self.estimate,
            body,
            ..Request::new(&self.method, &self.path)
        };
        Ask {
            protocol: self.protocol,
            destination: &self.destination,
            request: Some(request),
            shown_path: None,
            estimate: None,
            credentials: &[],
        }
    }
}
