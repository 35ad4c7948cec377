//! What was asked, kept for as long as its answer takes.

use bytes::Bytes;
use enforcer_flow::{Destination, Protocol};
use enforcer_policy::{self as policy, Estimate, Request};
use enforcer_prompt::{self as prompt, Limits, Shape};
use http::HeaderMap;

use crate::Ask;

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
    pub(super) body: Option<Kept>,
}

/// A body, and how it is read.
pub(super) struct Kept {
    pub(super) shape: Shape,
    pub(super) bytes: Bytes,
    pub(super) limits: Limits,
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

    /// Asks it again. The body is read anew: an answer has few parts that rules speak of, and may last for minutes.
    pub(super) fn with<T>(&self, judge: impl FnOnce(Ask<'_>) -> T) -> T {
        let Some(Kept {
            shape,
            bytes,
            limits,
        }) = &self.body
        else {
            return judge(self.ask(policy::Body::Unread));
        };
        let body = prompt::Body::parse(shape, bytes, limits);
        let content = match &body {
            Ok(body) => body.content(shape, limits),
            Err(undecidable) => Err(undecidable.clone()),
        };
        match (&body, &content) {
            (Ok(body), Ok(content)) => judge(self.ask(policy::Body::Read(policy::Read {
                bytes: bytes.len() as u64,
                shape,
                body,
                content,
            }))),
            (Err(undecidable), _) | (_, Err(undecidable)) => {
                judge(self.ask(policy::Body::Undecidable(undecidable.cause)))
            }
        }
    }

    fn ask<'a>(&'a self, body: policy::Body<'a>) -> Ask<'a> {
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
