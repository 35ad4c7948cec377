//! Findings that overlap become one, and what is settled goes out.

use enforcer_recognize::Confidence;

use zeroize::Zeroizing;

use super::{Around, HOLD, Out, replace};
use crate::{Action, Finding, Stop};

/// A value that was found and is not settled yet.
#[derive(Clone)]
pub(super) struct Hit {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) what: Taken,
    /// What was found, where that is not what stands there.
    pub(super) value: Option<Zeroizing<Vec<u8>>>,
}

/// What it was taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// A value of ours behind its token.
    Token,
    /// A value of some kind.
    Value {
        kind: usize,
        confidence: Confidence,
        action: Action,
    },
}

/// The part of a text that did not go out.
pub(super) struct Stretch<'a> {
    pub(super) text: &'a [u8],
    pub(super) base: u64,
    pub(super) sent: usize,
    /// Nothing that is found from now on begins before this.
    pub(super) free: usize,
}

impl Hit {
    /// What is found from `start` to `end`, if a rule cares and it is no placeholder of ours.
    pub(super) fn judge(
        around: Around<'_>,
        text: &[u8],
        (start, end): (usize, usize),
        (kind, confidence): (usize, Confidence),
    ) -> Option<Self> {
        let value = text.get(start..end).filter(|value| !value.is_empty())?;
        if around.spare.is_some() && around.lane.kinds.get(kind)?.family == around.spare {
            return None;
        }
        let action = around.lane.choice(kind, confidence, value)?.action;
        let own = value.strip_prefix(b"[").unwrap_or(value);
        let own = own.strip_suffix(b"]").unwrap_or(own);
        if around.session.remembers() && around.session.knows(own) {
            return None;
        }
        let what = Taken::Value {
            kind,
            confidence,
            action,
        };
        Some(Self {
            start,
            end,
            what,
            value: None,
        })
    }

    /// Which of two that overlap names both.
    pub(super) fn rank(&self) -> impl Ord + use<> {
        let length = self.end - self.start;
        let first = std::cmp::Reverse(self.start);
        match &self.what {
            Taken::Token => (None, Confidence::Low, length, first, std::cmp::Reverse(0)),
            Taken::Value {
                kind,
                confidence,
                action,
            } => (
                Some(*action),
                *confidence,
                length,
                first,
                std::cmp::Reverse(*kind),
            ),
        }
    }
}

/// Gives out what is settled, and answers how far that is.
pub(super) fn settle(
    around: Around<'_>,
    stretch: Stretch<'_>,
    hits: &mut Vec<Hit>,
    out: &mut Out<'_>,
) -> Result<usize, Stop> {
    let Stretch {
        text,
        sent,
        mut free,
        ..
    } = stretch;
    let mut sent = sent;
    // What began in what had waited too long ends in what did not.
    hits.retain_mut(|hit| {
        hit.start = hit.start.max(sent);
        hit.start < hit.end
    });
    if !hits.is_empty() {
        hits.sort_by_key(|hit| (hit.start, hit.end));
        let mut done = 0;
        while let Some(first) = hits.get(done) {
            let (start, mut end, mut next) = (first.start, first.end, done + 1);
            while let Some(hit) = hits.get(next).filter(|hit| hit.start < end) {
                end = end.max(hit.end);
                next += 1;
            }
            if end > free {
                free = free.min(start);
                break;
            }
            out.sink.keep(&text[sent..start]);
            sent = end;
            let cluster = &hits[done..next];
            if let Some(best) = cluster.iter().max_by_key(|hit| hit.rank()) {
                put(around, &stretch, (best, start, end), out)?;
            }
            done = next;
        }
        hits.drain(..done);
    }
    if free > sent {
        out.sink.keep(&text[sent..free]);
        sent = free;
    }
    Ok(sent)
}

fn put(
    around: Around<'_>,
    stretch: &Stretch<'_>,
    (hit, start, end): (&Hit, usize, usize),
    out: &mut Out<'_>,
) -> Result<(), Stop> {
    let whole = &stretch.text[start..end];
    let Taken::Value {
        kind, confidence, ..
    } = &hit.what
    else {
        let token = &whole[1..whole.len().saturating_sub(1).max(1)];
        match around.session.value(token) {
            Some(value) => out.sink.replace(whole.len(), &value),
            None => out.sink.keep(whole),
        }
        return Ok(());
    };
    if whole.len() > HOLD {
        return Err(Stop::TooLong {
            path: around.path.to_owned(),
            limit: HOLD,
        });
    }
    let plain = &stretch.text[hit.start..hit.end];
    let value = hit.value.as_ref().map_or(plain, |value| value.as_slice());
    let kind = *kind;
    let Some(choice) = around.lane.choice(kind, *confidence, b"") else {
        return Ok(());
    };
    let own = &around.lane.kinds[kind];
    let finding = Finding {
        detector: own.name.clone(),
        rule: choice.rule.clone(),
        direction: around.direction,
        path: around.path.into(),
        offset: stretch.base + start as u64,
        length: whole.len() as u64,
        action: choice.action,
        confidence: *confidence,
        fingerprint: around.session.fingerprint(&own.name, value),
    };
    if around.lane.watch {
        out.sink.keep(whole);
    } else if let Some(stop) = stop(&finding) {
        return Err(stop);
    } else {
        let with = replace::replacement(around.session, &own.label, choice.action, whole);
        out.sink.replace(whole.len(), with.as_bytes());
    }
    out.findings.push(finding);
    Ok(())
}

/// The end of the text, where the action is one.
pub(super) fn stop(finding: &Finding) -> Option<Stop> {
    let finding = || Box::new(finding.clone());
    match finding().action {
        Action::Partial | Action::Tokenize | Action::Hash | Action::Redact => None,
        Action::RequireApproval => Some(Stop::Approval(finding())),
        Action::Block => Some(Stop::Block(finding())),
        Action::Terminate => Some(Stop::Terminate(finding())),
    }
}
