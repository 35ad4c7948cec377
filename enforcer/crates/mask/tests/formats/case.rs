//! One case of a table, and what comes of it.

use std::sync::Arc;

use enforcer_mask::body::{Kind, Rewriter};
use enforcer_mask::{Direction, Finding, Ruleset, Session, Stop};
use serde::Deserialize;

/// One line of a table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) media_type: Option<String>,
    #[serde(default)]
    pub(crate) answer: bool,
    pub(crate) body: String,
    /// None: it stays as it is.
    pub(crate) out: Option<String>,
    /// `detector path`, in order.
    #[serde(default)]
    pub(crate) found: Vec<String>,
    pub(crate) stop: Option<String>,
}

/// What came of a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) out: Vec<u8>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) stop: Option<Stop>,
}

pub(crate) struct Run {
    pub(crate) rules: Arc<Ruleset>,
    pub(crate) session: Arc<Session>,
    pub(crate) kind: Kind,
    pub(crate) direction: Direction,
}

impl Run {
    pub(crate) fn over<'b>(&self, pieces: impl IntoIterator<Item = &'b [u8]>) -> Outcome {
        let mut rewriter = Rewriter::new(
            self.kind.clone(),
            &self.rules,
            &self.session,
            self.direction,
        );
        let mut out = Vec::new();
        let mut done = Ok(());
        for piece in pieces {
            let before = out.len();
            done = rewriter.push(piece, &mut out);
            if done.is_err() {
                out.truncate(before);
                break;
            }
        }
        if done.is_ok() {
            let before = out.len();
            done = rewriter.finish(&mut out);
            if done.is_err() {
                out.truncate(before);
            }
        }
        if done.is_ok() {
            assert_eq!(
                rewriter.held(),
                0,
                "something that came in was never told of"
            );
        }
        Outcome {
            out,
            findings: rewriter.take_findings(),
            stop: done.err(),
        }
    }

    /// In two pieces, for every place to cut, and byte by byte: always the same.
    pub(crate) fn everywhere(&self, name: &str, body: &[u8]) -> Outcome {
        let whole = self.over([body]);
        for cut in 0..=body.len() {
            let (one, other) = body.split_at(cut);
            same(
                &format!("{name}, cut at {cut}"),
                &whole,
                &self.over([one, other]),
            );
        }
        same(
            &format!("{name}, byte by byte"),
            &whole,
            &self.over(body.chunks(1)),
        );
        same(
            &format!("{name}, by threes"),
            &whole,
            &self.over(body.chunks(3)),
        );
        whole
    }
}

fn same(name: &str, whole: &Outcome, cut: &Outcome) {
    let kind = |outcome: &Outcome| outcome.stop.as_ref().map(stop);
    assert_eq!(kind(whole), kind(cut), "{name}");
    if whole.stop.is_none() {
        let text = |outcome: &Outcome| String::from_utf8_lossy(&outcome.out).into_owned();
        assert_eq!(text(whole), text(cut), "{name}");
        assert_eq!(whole, cut, "{name}");
    }
}

pub(crate) fn stop(stop: &Stop) -> &'static str {
    match stop {
        Stop::Approval(_) => "approval",
        Stop::Block(_) => "block",
        Stop::Terminate(_) => "terminate",
        Stop::TooLong { .. } => "too_long",
        Stop::Undecidable { .. } => "undecidable",
    }
}

pub(crate) fn told(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|finding| format!("{} {}", finding.detector, finding.path))
        .collect()
}
