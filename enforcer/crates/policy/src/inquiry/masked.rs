//! What the masks of what is allowed make of an inquiry's request, or of the text of its answer.

use std::sync::Arc;

use enforcer_mask::body::{Kind, Rewriter};
use enforcer_mask::head::Head;
use enforcer_mask::{Direction, Keys, Place, Ruleset, Session, Stop, VaultLimits};
use http::HeaderMap;

use crate::{Answer, Cause, Decision, Part, Question, Request};

/// What a text becomes, or why it goes nowhere.
pub(super) type Masked = Result<String, Stop>;

/// The request: its body, or its path and query where it has none.
pub(super) fn request(
    rules: &Arc<Ruleset>,
    question: &Question<'_>,
    (headers, body): (&HeaderMap, Option<&[u8]>),
) -> Option<Masked> {
    let request = question.request?;
    let session = session();
    let target = head(rules, &session, &request, headers);
    let Some(body) = body else {
        return Some(target);
    };
    let content_type = headers.get(http::header::CONTENT_TYPE);
    let kind = Kind::of(content_type.and_then(|value| value.to_str().ok()));
    let mut rewriter = Rewriter::new(kind, rules, &session, Direction::Request);
    let mut out = Vec::new();
    let rewritten = rewriter
        .push(body, &mut out)
        .and_then(|()| rewriter.finish(&mut out));
    Some(match (target, rewritten) {
        (Err(stop), _) | (Ok(_), Err(stop)) => Err(stop),
        (Ok(_), Ok(())) => Ok(String::from_utf8_lossy(&out).into_owned()),
    })
}

/// The text of an answer; none when something else of it is asked about.
pub(super) fn answer(rules: &Arc<Ruleset>, answer: &Answer<'_>) -> Option<Masked> {
    let Part::Text(text) = answer.part else {
        return None;
    };
    let place = Place {
        direction: Direction::Answer,
        field: None,
        path: "$",
    };
    let masked = rules.mask(&session(), place, text.as_bytes());
    Some(masked.map(|outcome| match outcome.text {
        Some(text) => String::from_utf8_lossy(&text).into_owned(),
        None => text.to_owned(),
    }))
}

/// What is answered where a text goes nowhere.
pub(super) fn refusal(stop: &Stop, decision: &Decision) -> Decision {
    let cause = match stop {
        Stop::Approval(_) => Cause::ApprovalRequired,
        Stop::Block(_) | Stop::Terminate(_) => Cause::Sensitive,
        Stop::TooLong { .. } => Cause::Undecidable(enforcer_prompt::Cause::TooLarge),
        Stop::Undecidable { .. } => Cause::Undecidable(enforcer_prompt::Cause::Malformed),
    };
    Decision::deny(cause, decision.rule.clone())
}

fn head(
    rules: &Arc<Ruleset>,
    session: &Arc<Session>,
    request: &Request<'_>,
    headers: &HeaderMap,
) -> Masked {
    let mut head = Head::new(rules, session, Direction::Request);
    let target = match request.query {
        Some(query) => format!("{}?{query}", request.path),
        None => request.path.to_owned(),
    };
    let masked = head.target(&target)?;
    for (name, value) in headers {
        head.header(name.as_str(), value.as_bytes())?;
    }
    Ok(masked.unwrap_or(target))
}

/// With a key that stands for no host's.
fn session() -> Arc<Session> {
    let keys = Keys::new(&[0; 32]);
    Arc::new(Session::new(&keys, "", VaultLimits::default()))
}
