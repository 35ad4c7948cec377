//! An answer of which all must be here before any of it goes on: in memory where it is short, else on disk while it comes and
//! while it is sent.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use enforcer_flow::Side;
use enforcer_gate::{Exchange, Refusal};
use enforcer_prompt::AnswerEditor;
use http::Response;
use http::header::{self, HeaderMap, HeaderValue};
use http::response::Parts as Head;
use http_body::{Frame, SizeHint};

use super::weighing::{Passed, Unpassed, Weighed, Weighing};
use super::{INCOMPLETE, Judging, blocked, broken, forgotten, remove_digests, unmasked, unread};
use crate::aside::LARGE;
use crate::body::{BodyError, Source, UpstreamBody};
use crate::gather::Bounds;
use crate::judged::{bounds, unable};
use crate::kept::{Kept, keep};
use crate::serve::Connection;
use crate::{ResponseBody, coding, recording};

/// What goes on of it, its place among all that is kept, and the exchange that ends when all of it was sent.
pub struct Whole {
    source: Source,
    exchange: Option<Exchange>,
}

// === impl Whole ===

impl Whole {
    fn new(body: Kept, exchange: Exchange) -> Self {
        let mut whole = Self {
            source: body.into(),
            exchange: Some(exchange),
        };
        if whole.is_over() {
            whole.finish();
        }
        whole
    }

    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = ready!(self.source.poll(cx));
        match &polled {
            Some(Err(error)) => {
                if let Some(mut exchange) = self.exchange.take() {
                    exchange.fault(Side::Own, error.cause());
                }
            }
            Some(Ok(_)) if !self.is_over() => {}
            Some(Ok(_)) | None => self.finish(),
        }
        Poll::Ready(polled)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.source.is_over()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        self.source.size_hint()
    }

    fn finish(&mut self) {
        if let Some(exchange) = self.exchange.take() {
            exchange.finish();
        }
    }
}

/// Judges an answer of which all must be here.
pub(super) async fn whole(
    connection: &Connection,
    mut head: Head,
    body: UpstreamBody,
    judging: Judging<'_>,
    editor: Option<AnswerEditor>,
) -> Result<Response<ResponseBody>, Refusal> {
    let Weighed {
        mut judge,
        mut exchange,
        passed,
    } = weighed(connection, &head.headers, body, (judging, editor)).await?;
    let Passed { body, read } = match passed {
        Ok(passed) => passed,
        Err(Unpassed::Blocked) => return Err(blocked(&mut exchange, &mut judge)),
        Err(Unpassed::Unkept(ungathered)) => {
            return Err(unread(&mut exchange, &mut judge, ungathered));
        }
        Err(Unpassed::Unmasked(cause)) => return Err(unmasked(&mut exchange, cause)),
        Err(Unpassed::Unrecorded) => return Err(unable(&mut exchange, recording::FAILED)),
    };
    if read {
        remove_digests(&mut head.headers);
        head.headers.remove(header::CONTENT_ENCODING);
        let length = HeaderValue::from(body.length());
        head.headers.insert(header::CONTENT_LENGTH, length);
    }
    recording::answer(&connection.agent.fingerprinter, &exchange, &head);
    let whole = Box::new(Whole::new(body, exchange));
    Ok(Response::from_parts(head, ResponseBody::Whole(whole)))
}

/// Gathers an answer and judges it, beside the worker if that takes long.
async fn weighed(
    connection: &Connection,
    headers: &HeaderMap,
    mut body: UpstreamBody,
    ((mut judge, shape), editor): (Judging<'_>, Option<AnswerEditor>),
) -> Result<Weighed, Refusal> {
    let agent = &connection.agent;
    let bounds = Bounds {
        time: agent.limits.response_timeout,
        ..bounds(connection)
    };
    let spilling = agent.judging.spilling.clone();
    // Kept is what goes on.
    drop(body.take_track());
    let mut body = ResponseBody::Upstream(Box::new(body));
    let kept = keep(headers, &mut body, &bounds, spilling.as_ref()).await;
    let ResponseBody::Upstream(mut body) = body else {
        return Err(judge.refusal("answer_incomplete", INCOMPLETE));
    };
    // Without an exchange the body has broken it, and its ending says how.
    let Some(mut exchange) = body.take_exchange() else {
        return Err(broken(&mut judge));
    };
    let kept = match kept {
        Ok(kept) => kept,
        Err(ungathered) => return Err(unread(&mut exchange, &mut judge, ungathered)),
    };
    let id = exchange.id();
    let takes = match kept {
        Kept::Here(_) if !coding::is_coded(headers) => kept.length(),
        Kept::Here(_) | Kept::Filed(_) => LARGE,
    };
    let weighing = Weighing {
        headers: headers.clone(),
        kept,
        shape: shape.clone(),
        judge,
        editor,
        exchange,
        bounds,
        spilling,
        structure: agent.judging.structure,
    };
    let weighed = agent.judging.aside.weigh(takes, || weighing.weigh());
    weighed.await.ok_or_else(|| forgotten(id))
}
