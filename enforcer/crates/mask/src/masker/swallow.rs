//! A text of which all is one finding, whatever it is: by the name of its field, its header, its place in JSON.

use aws_lc_rs::hmac;
use enforcer_recognize::Confidence;
use zeroize::Zeroizing;

use super::{Around, HOLD, Out, merge, replace};
use crate::rules::Lane;
use crate::{Action, Finding, Place, Session, Stop};

/// A text that becomes one placeholder.
pub(super) struct Swallowed {
    kind: usize,
    action: Action,
    rule: std::sync::Arc<str>,
    print: hmac::Context,
    bytes: usize,
    /// The value, where its replacement depends on it.
    value: Zeroizing<Vec<u8>>,
}

impl Swallowed {
    /// If all that stands at `place` is a finding.
    pub(super) fn at(lane: &Lane, session: &Session, place: &Place<'_>) -> Option<Self> {
        let (kind, choice) = lane.whole(place)?;
        Some(Self {
            kind,
            action: choice.action,
            rule: choice.rule.clone(),
            print: session.print(&lane.kinds[kind].name),
            bytes: 0,
            value: Zeroizing::default(),
        })
    }

    pub(super) fn held(&self) -> usize {
        self.bytes
    }

    pub(super) fn take(
        &mut self,
        around: Around<'_>,
        (chunk, last): (&[u8], bool),
        out: &mut Out<'_>,
    ) -> Result<(), Stop> {
        self.bytes += chunk.len();
        self.print.update(chunk);
        let kept = match self.action {
            Action::Partial | Action::Tokenize | Action::Hash => true,
            Action::Redact | Action::RequireApproval | Action::Block | Action::Terminate => false,
        };
        if around.lane.watch {
            out.sink.keep(chunk);
        } else if kept {
            if self.value.len() + chunk.len() > HOLD {
                return Err(Stop::TooLong {
                    path: around.path.to_owned(),
                    limit: HOLD,
                });
            }
            self.value.extend_from_slice(chunk);
        }
        if last && self.bytes > 0 {
            self.give(around, out)?;
        }
        Ok(())
    }

    fn give(&mut self, around: Around<'_>, out: &mut Out<'_>) -> Result<(), Stop> {
        let kind = &around.lane.kinds[self.kind];
        let own = self
            .value
            .strip_prefix(b"[")
            .and_then(|own| own.strip_suffix(b"]"));
        if own.is_some_and(|own| around.session.knows(own)) {
            // A token of ours came back; what it stands for is hidden already.
            out.sink.keep(&self.value);
            self.bytes = 0;
            return Ok(());
        }
        let finding = Finding {
            detector: kind.name.clone(),
            rule: self.rule.clone(),
            direction: around.direction,
            path: around.path.into(),
            offset: 0,
            length: self.bytes as u64,
            action: self.action,
            confidence: Confidence::High,
            fingerprint: Session::printed(self.print.clone()),
        };
        if !around.lane.watch {
            if let Some(stop) = merge::stop(&finding) {
                return Err(stop);
            }
            let with = replace::replacement(around.session, &kind.label, self.action, &self.value);
            out.sink.replace(self.bytes, with.as_bytes());
        }
        self.bytes = 0;
        out.findings.push(finding);
        Ok(())
    }
}
