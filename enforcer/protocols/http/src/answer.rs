//! Answers that rules judge: whole where they come whole, event by event where they stream.
//!
//! Judging narrows: a part passes, is left out, or ends the answer. An answer that is judged whole is refused like a request;
//! one that has begun to stream ends with an error in its own shape, which SDKs raise. Coded answers are not asked for.

use enforcer_flow::{ExchangeId, Side};
use enforcer_gate::{Exchange, Fault, Judge, Masking, Refusal};
use enforcer_mask::Direction;
use enforcer_policy::{Action, Part};
use enforcer_prompt::{self as prompt, AnswerEditor, Events, Media, Shape};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::response::Parts as Head;
use http::{Response, StatusCode};
use hyper::body::Incoming;

use crate::aside::LARGE;
use crate::body::UpstreamBody;
use crate::forward::received;
use crate::gather::{Bounds, Ungathered, gather};
use crate::judged::bounds;
use crate::masking::{Rewriter, SHORT, Texts, Waits, stopped};
use crate::pool::Lease;
use crate::serve::Connection;
use crate::{ResponseBody, coding, recording, shape};

mod edited;
pub(crate) mod text;
mod watched;
mod weighing;
mod whole;

pub(crate) use edited::EditedBody;
pub(crate) use watched::WatchedBody;
pub(crate) use weighing::rule;
use weighing::{Weighed, Weighing};
pub(crate) use whole::Whole;

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
    let (mut head, body) = received(answer, &mut exchange);
    let needs = judge.needs();
    let content_type = shape::content_type(&head.headers);
    let status = head.status.as_u16();
    judge.head(status, content_type.map(media_type).as_deref());
    let shape = shape.answer(&prompt::AnswerHead {
        status,
        content_type,
    });
    if needs.head && judge.rule(Part::Head) != Action::Keep {
        return Err(blocked(&mut exchange, &mut judge));
    }
    if hyper::body::Body::is_end_stream(&body) {
        recording::answer(&connection.agent.fingerprinter, &exchange, &head);
        let body = UpstreamBody::new(body, Some(lease), exchange, limit);
        return Ok(Response::from_parts(
            head,
            ResponseBody::Upstream(Box::new(body)),
        ));
    }
    if needs.bytes
        && let Some(length) = length
        && judge.rule(Part::Bytes(length)) != Action::Keep
    {
        return Err(blocked(&mut exchange, &mut judge));
    }
    let limits = &connection.agent.judging.structure;
    let masking = exchange.masking().filter(|masking| masking.edits_answers());
    let masking = masking.cloned();
    let waits = Waits::default();
    let plan = plan(&head, &shape, &mut judge, limits);
    let plan = match &masking {
        None => plan,
        Some(masking) => {
            let counted = exchange.is_billed() && AnswerEditor::new(&shape, limits).is_some();
            let whom = (masking, counted, &waits);
            masked(plan, (&head, &shape, length), whom, limits)
        }
    };
    if let Plan::Stream(..) = &plan {
        remove_digests(&mut head.headers);
        recording::answer(&connection.agent.fingerprinter, &exchange, &head);
    }
    let mut body = UpstreamBody::kept(body, lease, exchange, limit);
    match plan {
        Plan::Refuse => match body.take_exchange() {
            Some(mut exchange) => Err(blocked(&mut exchange, &mut judge)),
            None => Err(judge.refusal("answer_blocked", REFUSED)),
        },
        Plan::Stream(editor, events) => {
            // What has an editor has its texts edited by it.
            let unread = masking.as_ref().filter(|_| editor.is_none());
            let rewriter = unread.map(|masking| {
                let content_type = shape::content_type(&head.headers);
                Rewriter::new(masking, content_type, Direction::Answer).waiting(&waits)
            });
            let alarm = waits.at_most(connection.agent.judging.held_text_timeout);
            let body = EditedBody::new(body, (editor, events, rewriter), judge, alarm);
            Ok(Response::from_parts(
                head,
                ResponseBody::Edited(Box::new(body)),
            ))
        }
        Plan::Whole(editor) => whole(connection, head, body, (judge, &shape), editor).await,
    }
}

/// The same, with the answer's texts masked.
fn masked(
    plan: Plan,
    (head, shape, length): (&Head, &Shape, Option<u64>),
    (masking, counted, waits): (&Masking, bool, &Waits),
    limits: &prompt::Limits,
) -> Plan {
    let texts = || Texts::waiting(masking, Direction::Answer, waits);
    let coded = coding::is_coded(&head.headers);
    let streams = shape.media == Media::EventStream;
    match plan {
        Plan::Refuse => Plan::Refuse,
        Plan::Stream(Some(mut editor), events) => {
            editor.mask(texts());
            Plan::Stream(Some(editor), events)
        }
        // It was asked for without.
        Plan::Stream(None, _) if coded && streams => Plan::Refuse,
        Plan::Stream(None, _) if coded => Plan::Whole(None),
        // Where its cost is counted the interface's own editor reads it.
        Plan::Stream(None, events) if streams || counted => {
            let editor = AnswerEditor::unjudged(shape, limits, texts());
            Plan::Stream(Some(editor), events)
        }
        // Then it can be refused like a request.
        Plan::Stream(None, None) if length.is_some_and(|length| length <= SHORT) => {
            Plan::Whole(None)
        }
        Plan::Stream(None, events) => Plan::Stream(None, events),
        Plan::Whole(editor) => Plan::Whole(editor.map(|mut editor| {
            editor.mask(texts());
            editor
        })),
    }
}

/// How an answer is judged.
enum Plan {
    /// It cannot be, and a rule says that it must.
    Refuse,
    /// As it comes; without any reader only its bytes are counted.
    Stream(Option<AnswerEditor>, Option<Events>),
    /// When all of it is here.
    Whole(Option<AnswerEditor>),
}

fn plan(head: &Head, shape: &Shape, judge: &mut Judge, limits: &prompt::Limits) -> Plan {
    let needs = judge.needs();
    if !needs.content() {
        return Plan::Stream(None, None);
    }
    let mut cannot = |cause| judge.rule(Part::Undecidable(cause)) != Action::Keep;
    if head.status == StatusCode::PARTIAL_CONTENT && cannot(prompt::Cause::Truncated) {
        return Plan::Refuse;
    }
    let mut editor = AnswerEditor::new(shape, limits);
    if needs.text
        && let Some(editor) = &mut editor
    {
        editor.hear();
    }
    let is_read = match shape.media {
        Media::EventStream => !coding::is_coded(&head.headers),
        Media::Json | Media::JsonLines => true,
        Media::Text => !needs.rows,
        Media::Form | Media::Multipart(_) | Media::None | Media::Other(_) | Media::Unreadable => {
            false
        }
    };
    let streams = shape.media == Media::EventStream;
    // What a stored file is shows when it is here.
    let may_be_results = shape.results(b"{").is_some();
    if (needs.rows || needs.text) && !(is_read || may_be_results) && cannot(UNKNOWN) {
        return Plan::Refuse;
    }
    // The interface's own reader hears texts, and counts no rows.
    let counts = streams && is_read && (needs.rows || (needs.text && editor.is_none()));
    let events = counts.then(|| Events::new(limits));
    match editor {
        Some(_) if streams && !is_read => {
            if cannot(prompt::Cause::UnknownEncoding) {
                return Plan::Refuse;
            }
            Plan::Stream(None, None)
        }
        Some(editor) if streams => Plan::Stream(Some(editor), events),
        // Whatever the content type says: clients read it as what they asked for.
        Some(editor) => Plan::Whole(Some(editor)),
        None if may_be_results => Plan::Whole(None),
        None if !streams && is_read && (needs.rows || needs.text) => Plan::Whole(None),
        None => Plan::Stream(None, events),
    }
}

/// Judges an answer of which all must be here.
async fn whole(
    connection: &Connection,
    mut head: Head,
    body: UpstreamBody,
    judging: Judging<'_>,
    editor: Option<AnswerEditor>,
) -> Result<Response<ResponseBody>, Refusal> {
    let Weighed {
        gathered,
        mut judge,
        mut exchange,
        passed,
    } = weighed(connection, &head.headers, body, (judging, editor)).await?;
    let bytes = match passed {
        Ok(passed) => {
            remove_digests(&mut head.headers);
            head.headers.remove(header::CONTENT_ENCODING);
            let length = HeaderValue::from(passed.len());
            head.headers.insert(header::CONTENT_LENGTH, length);
            passed
        }
        // Blocked already, or unreadable, which is for rules to judge; if none minds, it passes as it came.
        Err(cause) if judge.rule(Part::Undecidable(cause)) != Action::Keep => {
            return Err(blocked(&mut exchange, &mut judge));
        }
        Err(cause) if exchange.masking().is_some_and(Masking::edits_answers) => {
            return Err(unmasked(&mut exchange, cause));
        }
        Err(_) => gathered.bytes,
    };
    let agent = &connection.agent;
    recording::answer(&agent.fingerprinter, &exchange, &head);
    recording::whole(&agent.judging.aside, &mut exchange, &bytes).await?;
    let whole = Whole::new(bytes, gathered.room, exchange);
    Ok(Response::from_parts(
        head,
        ResponseBody::Whole(Box::new(whole)),
    ))
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
    // Kept is what goes on.
    drop(body.take_track());
    let mut body = ResponseBody::Upstream(Box::new(body));
    let gathered = gather(headers, &mut body, &bounds).await;
    let ResponseBody::Upstream(mut body) = body else {
        return Err(judge.refusal("answer_incomplete", INCOMPLETE));
    };
    // Without an exchange the body has broken it, and its ending says how.
    let Some(mut exchange) = body.take_exchange() else {
        return Err(broken(&mut judge));
    };
    let gathered = match gathered {
        Ok(gathered) => gathered,
        Err(ungathered) => return Err(unread(&mut exchange, &mut judge, ungathered)),
    };
    let id = exchange.id();
    let takes = if coding::is_coded(headers) {
        LARGE
    } else {
        gathered.bytes.len()
    };
    let weighing = Weighing {
        headers: headers.clone(),
        gathered,
        shape: shape.clone(),
        judge,
        editor,
        exchange,
        limit: bounds.limit,
        structure: agent.judging.structure,
    };
    let weighed = agent.judging.aside.weigh(takes, || weighing.weigh());
    weighed.await.ok_or_else(|| forgotten(id))
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

fn unread(exchange: &mut Exchange, judge: &mut Judge, ungathered: Ungathered) -> Refusal {
    exchange.fault(Side::Own, ungathered.cause());
    judge.rule(Part::Undecidable(prompt::Cause::TooLarge));
    judge.refusal(ungathered.cause(), UNREAD)
}

fn broken(judge: &mut Judge) -> Refusal {
    let refusal = judge.refusal("answer_incomplete", INCOMPLETE);
    Refusal {
        fault: Fault::Upstream,
        ..refusal
    }
}

/// Why what is in an answer is not known.
const UNKNOWN: prompt::Cause = prompt::Cause::UnknownType;

const INCOMPLETE: &str = "the answer broke off";
const REFUSED: &str = "the answer is not what rules allow";
const UNREAD: &str = "the answer is longer than rules read, or did not come in time";

fn media_type(content_type: &str) -> String {
    let media = content_type.split(';').next().unwrap_or_default();
    media.trim().to_ascii_lowercase()
}

fn declared(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(header::CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}
