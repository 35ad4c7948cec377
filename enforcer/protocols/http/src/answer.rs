//! Answers that rules judge: whole where they come whole, event by event where they stream.
//!
//! Judging narrows: a part passes, is left out, or ends the answer. An answer that is judged whole is refused like a request;
//! one that has begun to stream ends with an error in its own shape, which SDKs raise. Coded answers are not asked for.

use enforcer_flow::{ExchangeId, Side};
use enforcer_gate::{Exchange, Fault, Judge, Masking, Refusal};
use enforcer_mask::Direction;
use enforcer_policy::{Action, Part};
use enforcer_prompt::{self as prompt, AnswerEditor, Events, Shape};
use http::Response;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::response::Parts as Head;
use hyper::body::Incoming;

use crate::body::UpstreamBody;
use crate::forward::received;
use crate::gather::Ungathered;
use crate::masking::{Rewriter, Waits, stopped};
use crate::pool::Lease;
use crate::serve::Connection;
use crate::{ResponseBody, coding, recording, shape};

mod edited;
mod plan;
pub(crate) mod text;
mod watched;
mod weighing;
mod whole;

pub(crate) use edited::EditedBody;
use plan::{Begun, Plan};
pub(crate) use watched::WatchedBody;
pub(crate) use weighing::rule;
pub(crate) use whole::Whole;
use whole::whole;

/// Headers that are true of the bytes as the upstream sent them only.
const DIGESTS: [HeaderName; 7] = [
    header::ACCEPT_RANGES,
    header::CONTENT_LENGTH,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    header::ETAG,
    HeaderName::from_static("repr-digest"),
];

/// What an answer is judged with: who rules, and what a request of that shape is answered.
pub(crate) type Judging<'a> = (Judge, &'a Shape);

/// Asks the upstream for an answer that can be read: all of it, and not coded.
pub(crate) fn prepare(headers: &mut HeaderMap) {
    let identity = HeaderValue::from_static("identity");
    headers.insert(header::ACCEPT_ENCODING, identity);
    headers.remove(header::RANGE);
    headers.remove(header::IF_RANGE);
}

/// Passes an answer on as it comes, and reads on the way what the exchange has taken.
pub(crate) fn watch(
    connection: &Connection,
    answer: Response<Incoming>,
    lease: Lease,
    mut exchange: Exchange,
    shape: &Shape,
) -> Response<ResponseBody> {
    let (head, body) = received(answer, &mut exchange);
    recording::answer(&connection.agent.fingerprinter, &exchange, &head);
    let shape = shape.answer(&prompt::AnswerHead {
        status: head.status.as_u16(),
        content_type: shape::content_type(&head.headers),
    });
    let agent = &connection.agent;
    let editor = AnswerEditor::new(&shape, &agent.judging.structure);
    let editor = editor.filter(|_| !coding::is_coded(&head.headers));
    let body = UpstreamBody::kept(body, lease, exchange, agent.limits.idle_timeout);
    let body = WatchedBody::new(body, editor);
    Response::from_parts(head, ResponseBody::Watched(Box::new(body)))
}

/// Passes an answer on as far as rules allow.
pub(crate) async fn judge(
    connection: &Connection,
    answer: Response<Incoming>,
    lease: Lease,
    mut exchange: Exchange,
    (mut judge, shape): Judging<'_>,
) -> Result<Response<ResponseBody>, Refusal> {
    let limit = connection.agent.limits.idle_timeout;
    let length = declared(answer.headers());
    let (head, body) = received(answer, &mut exchange);
    let ends = hyper::body::Body::is_end_stream(&body);
    if !begins(&mut judge, &head, length.filter(|_| !ends)) {
        return Err(blocked(&mut exchange, &mut judge));
    }
    if ends {
        recording::answer(&connection.agent.fingerprinter, &exchange, &head);
        let body = Box::new(UpstreamBody::new(body, Some(lease), exchange, limit));
        return Ok(Response::from_parts(head, ResponseBody::Upstream(body)));
    }
    let shape = shape.answer(&prompt::AnswerHead {
        status: head.status.as_u16(),
        content_type: shape::content_type(&head.headers),
    });
    let waits = Waits::default();
    let limits = &connection.agent.judging.structure;
    let begun = Begun {
        head: &head,
        shape: &shape,
        length,
    };
    match begun.plan((&mut judge, &exchange), &waits, limits) {
        Plan::Refuse => Err(blocked(&mut exchange, &mut judge)),
        Plan::Stream(editor, events) => {
            let streamed = (body, lease, exchange);
            let readers = (editor, events, judge);
            Ok(stream(connection, head, streamed, readers, &waits))
        }
        Plan::Whole(editor) => {
            let body = UpstreamBody::kept(body, lease, exchange, limit);
            whole(connection, head, body, (judge, &shape), editor).await
        }
    }
}

/// Asks about an answer's head, and about its length where one is stated.
fn begins(judge: &mut Judge, head: &Head, length: Option<u64>) -> bool {
    let content_type = shape::content_type(&head.headers).map(media_type);
    judge.head(head.status.as_u16(), content_type.as_deref());
    let needs = judge.needs();
    if needs.head && judge.rule(Part::Head) != Action::Keep {
        return false;
    }
    let length = length.filter(|_| needs.bytes);
    length.is_none_or(|length| judge.rule(Part::Bytes(length)) == Action::Keep)
}

/// Passes an answer on as it comes, through those who read it.
fn stream(
    connection: &Connection,
    mut head: Head,
    (body, lease, exchange): (Incoming, Lease, Exchange),
    (editor, events, judge): (Option<AnswerEditor>, Option<Events>, Judge),
    waits: &Waits,
) -> Response<ResponseBody> {
    let agent = &connection.agent;
    remove_digests(&mut head.headers);
    recording::answer(&agent.fingerprinter, &exchange, &head);
    let masking = exchange.masking().filter(|masking| masking.edits_answers());
    // What has an editor has its texts edited by it.
    let rewriter = masking.filter(|_| editor.is_none()).map(|masking| {
        let content_type = shape::content_type(&head.headers);
        Rewriter::new(masking, content_type, Direction::Answer).waiting(waits)
    });
    let body = UpstreamBody::kept(body, lease, exchange, agent.limits.idle_timeout);
    let alarm = waits.at_most(agent.judging.held_text_timeout);
    let body = EditedBody::new(body, (editor, events, rewriter), judge, alarm);
    Response::from_parts(head, ResponseBody::Edited(Box::new(body)))
}

fn remove_digests(headers: &mut HeaderMap) {
    for name in &DIGESTS {
        headers.remove(name);
    }
}

/// Ends an exchange whose answer a rule blocks before any of it went on.
fn blocked(exchange: &mut Exchange, judge: &mut Judge) -> Refusal {
    let found = exchange.masking().and_then(Masking::refusal).cloned();
    if let Some(refusal) = found {
        return stopped(exchange, refusal);
    }
    exchange.fault(Side::Own, "answer_blocked");
    judge.refusal("answer_blocked", REFUSED)
}

/// Ends an exchange whose answer cannot be masked, or holds what must not go on.
fn unmasked(exchange: &mut Exchange, cause: prompt::Cause) -> Refusal {
    let id = exchange.id();
    let refusal = match exchange.masking() {
        Some(masking) => masking.undecidable(cause, Direction::Answer),
        None => forgotten(id),
    };
    stopped(exchange, refusal)
}

/// The answer to an exchange whose judging was given up.
fn forgotten(exchange: ExchangeId) -> Refusal {
    Refusal {
        exchange,
        fault: Fault::Unavailable,
        cause: "answer_unread",
        public: format!("{UNREAD} (exchange {exchange})"),
    }
}

/// Ends an exchange whose answer did not come whole, or has no place to wait.
fn unread(exchange: &mut Exchange, judge: &mut Judge, ungathered: Ungathered) -> Refusal {
    exchange.fault(Side::Own, ungathered.cause());
    match ungathered {
        Ungathered::NoRoom | Ungathered::Unkept => Refusal {
            fault: Fault::Unavailable,
            ..judge.refusal(ungathered.cause(), UNKEPT)
        },
        Ungathered::Broken | Ungathered::Late | Ungathered::Length | Ungathered::TooLong => {
            judge.rule(Part::Undecidable(prompt::Cause::TooLarge));
            judge.refusal(ungathered.cause(), UNREAD)
        }
    }
}

fn broken(judge: &mut Judge) -> Refusal {
    let refusal = judge.refusal("answer_incomplete", INCOMPLETE);
    Refusal {
        fault: Fault::Upstream,
        ..refusal
    }
}

const INCOMPLETE: &str = "the answer broke off";
const REFUSED: &str = "the answer is not what rules allow";
const UNKEPT: &str = "the answer cannot be kept until it is judged";
const UNREAD: &str = "the answer is longer than rules read, or did not come in time";

fn media_type(content_type: &str) -> String {
    let media = content_type.split(';').next().unwrap_or_default();
    media.trim().to_ascii_lowercase()
}

fn declared(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(header::CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}
