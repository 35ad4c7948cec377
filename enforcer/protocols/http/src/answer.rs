//! Answers that rules judge: whole where they come whole, event by event where they stream.
//!
//! Judging narrows: a part passes, is left out, or ends the answer. An answer that is judged whole is refused like a request;
//! one that has begun to stream ends with an error in its own shape, which SDKs raise. Coded answers are not asked for.

use bytes::Bytes;
use enforcer_flow::Side;
use enforcer_gate::{Exchange, Judge, Refusal};
use enforcer_policy::{Action, Part};
use enforcer_prompt::{self as prompt, AnswerEditor, Item, Media, Ruling, Shape, Stop};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::response::Parts as Head;
use http::{Response, StatusCode};
use hyper::body::Incoming;

use crate::body::UpstreamBody;
use crate::forward::received;
use crate::gather::{Bounds, Ungathered, gather};
use crate::pool::Lease;
use crate::serve::Connection;
use crate::{ResponseBody, coding, shape};

mod edited;
mod text;
mod watched;
mod whole;

pub(crate) use edited::EditedBody;
pub(crate) use watched::WatchedBody;
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
    let plan = plan(
        &head,
        &shape,
        &mut judge,
        &connection.agent.judging.structure,
    );
    let mut body = UpstreamBody::kept(body, lease, exchange, limit);
    match plan {
        Plan::Refuse => match body.take_exchange() {
            Some(mut exchange) => Err(blocked(&mut exchange, &mut judge)),
            None => Err(judge.refusal("answer_blocked", REFUSED)),
        },
        Plan::Stream(editor) => {
            DIGESTS
                .iter()
                .for_each(|name| drop(head.headers.remove(name)));
            let body = EditedBody::new(body, editor, judge);
            Ok(Response::from_parts(
                head,
                ResponseBody::Edited(Box::new(body)),
            ))
        }
        Plan::Whole(editor) => whole(connection, head, body, (judge, &shape), editor).await,
    }
}

/// How an answer is judged.
enum Plan {
    /// It cannot be, and a rule says that it must.
    Refuse,
    /// As it comes. Without an editor only its bytes are counted.
    Stream(Option<AnswerEditor>),
    /// When all of it is here.
    Whole(Option<AnswerEditor>),
}

fn plan(head: &Head, shape: &Shape, judge: &mut Judge, limits: &prompt::Limits) -> Plan {
    let needs = judge.needs();
    if !needs.content() {
        return Plan::Stream(None);
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
    // Rows are not counted in a stream, nor texts looked for in one of no known interface.
    let is_seen = is_read && !(streams && (needs.rows || (needs.text && editor.is_none())));
    if (needs.rows || needs.text) && !is_seen && cannot(prompt::Cause::UnknownType) {
        return Plan::Refuse;
    }
    match editor {
        Some(_) if streams && !is_read => {
            if cannot(prompt::Cause::UnknownEncoding) {
                return Plan::Refuse;
            }
            Plan::Stream(None)
        }
        Some(editor) if streams => Plan::Stream(Some(editor)),
        // Whatever the content type says: clients read it as what they asked for.
        Some(editor) => Plan::Whole(Some(editor)),
        None if !streams && is_read && (needs.rows || needs.text) => Plan::Whole(None),
        None => Plan::Stream(None),
    }
}

/// Judges an answer of which all must be here.
async fn whole(
    connection: &Connection,
    mut head: Head,
    body: UpstreamBody,
    (mut judge, shape): Judging<'_>,
    editor: Option<AnswerEditor>,
) -> Result<Response<ResponseBody>, Refusal> {
    let agent = &connection.agent;
    let bounds = Bounds {
        limit: agent.judging.body_bytes,
        time: agent.limits.response_timeout,
        memory: std::sync::Arc::clone(&agent.judging.memory),
        workload: agent.flow.workload().cgroup,
    };
    let mut body = ResponseBody::Upstream(Box::new(body));
    let gathered = gather(&head.headers, &mut body, &bounds).await;
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
    let decoded = coding::decode(&head.headers, &gathered.bytes, bounds.limit);
    let passed = decoded.and_then(|bytes| {
        content(&bytes, shape, &mut judge, &agent.judging.structure)?;
        edit(bytes, editor, (&mut judge, &mut exchange))
    });
    let passed = match passed {
        Ok(passed) => passed,
        // Blocked already, or unreadable, which is for rules to judge; if none minds, it passes as it came.
        Err(cause) if judge.rule(Part::Undecidable(cause)) != Action::Keep => {
            return Err(blocked(&mut exchange, &mut judge));
        }
        Err(_) => {
            let whole = Whole::new(gathered.bytes, gathered.room, exchange);
            return Ok(Response::from_parts(
                head,
                ResponseBody::Whole(Box::new(whole)),
            ));
        }
    };
    DIGESTS
        .iter()
        .for_each(|name| drop(head.headers.remove(name)));
    head.headers.remove(header::CONTENT_ENCODING);
    let length = HeaderValue::from(passed.len());
    head.headers.insert(header::CONTENT_LENGTH, length);
    let whole = Whole::new(passed, gathered.room, exchange);
    Ok(Response::from_parts(
        head,
        ResponseBody::Whole(Box::new(whole)),
    ))
}

/// Asks about rows and texts, where rules read them.
fn content(
    bytes: &[u8],
    shape: &Shape,
    judge: &mut Judge,
    limits: &prompt::Limits,
) -> Result<(), prompt::Cause> {
    let needs = judge.needs();
    if !needs.rows && !needs.text {
        return Ok(());
    }
    let body = prompt::Body::parse(shape, bytes, limits).map_err(|error| error.cause)?;
    let answer = body.answer(shape, limits).map_err(|error| error.cause)?;
    let mut asked = |part| match judge.rule_on_all(part) {
        Action::Keep => Ok(()),
        // Nothing can be left out of it. The judge remembers; the cause is not looked at.
        Action::Block | Action::Strip => Err(prompt::Cause::Schema),
    };
    if needs.rows
        && let Some(rows) = answer.rows
    {
        asked(Part::Rows(rows))?;
    }
    if needs.text {
        asked(Part::Text(&text::of(&body)))?;
    }
    Ok(())
}

fn edit(
    bytes: Bytes,
    editor: Option<AnswerEditor>,
    (judge, exchange): (&mut Judge, &mut Exchange),
) -> Result<Bytes, prompt::Cause> {
    let Some(mut editor) = editor else {
        return Ok(bytes);
    };
    let mut out = Vec::with_capacity(bytes.len());
    let mut ruling = |item: &Item<'_>| rule(judge, item);
    let edited = editor
        .push(&bytes, &mut ruling, &mut out)
        .and_then(|()| editor.finish(&mut ruling, &mut out));
    let tally = editor.tally();
    exchange.used(tally.model.as_deref(), &tally.usage);
    match edited {
        Ok(()) => Ok(out.into()),
        Err(Stop::Undecidable(undecidable)) => Err(undecidable.cause),
        // The judge remembers; whatever it is asked now, it says no.
        Err(Stop::Blocked) => Err(prompt::Cause::Malformed),
    }
}

/// Rules on something that the editor found.
pub(crate) fn rule(judge: &mut Judge, item: &Item<'_>) -> Ruling {
    let needs = judge.needs();
    let part = match item {
        Item::Call(call) if needs.tool_calls => Part::ToolCall(call),
        Item::Listed(tool) if needs.listed => Part::Listed(tool),
        Item::Result(text) | Item::Said(text) if needs.text => Part::Text(text),
        Item::Call(_) | Item::Listed(_) | Item::Result(_) | Item::Said(_) => return Ruling::Keep,
    };
    match judge.rule(part) {
        Action::Block => Ruling::Block,
        Action::Keep => Ruling::Keep,
        Action::Strip => Ruling::Strip,
    }
}

/// Ends an exchange whose answer a rule blocks before any of it went on.
fn blocked(exchange: &mut Exchange, judge: &mut Judge) -> Refusal {
    exchange.fault(Side::Own, "answer_blocked");
    judge.refusal("answer_blocked", REFUSED)
}

fn unread(exchange: &mut Exchange, judge: &mut Judge, ungathered: Ungathered) -> Refusal {
    exchange.fault(Side::Own, ungathered.cause());
    judge.rule(Part::Undecidable(prompt::Cause::TooLarge));
    judge.refusal(ungathered.cause(), UNREAD)
}

fn broken(judge: &mut Judge) -> Refusal {
    let refusal = judge.refusal("answer_incomplete", INCOMPLETE);
    Refusal {
        fault: enforcer_gate::Fault::Upstream,
        ..refusal
    }
}

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
