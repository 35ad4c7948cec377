//! Asks detectors that were woken, and keeps those that wait for more.

use enforcer_recognize::{Confidence, Look, Sight};

use super::Around;
use super::merge::Hit;
use crate::scan::{self, Woken};

/// So much of what stood before is shown to detectors.
pub(super) const BEHIND: usize = 128;
/// A detector that waits for more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) woken: Woken,
    /// Nothing from here on may go.
    pub(super) start: usize,
    /// How much was known when it was last asked.
    pub(super) known: usize,
}

/// Asks detectors.
pub(super) struct Looker<'a> {
    pub(super) around: Around<'a>,
    pub(super) text: &'a [u8],
    pub(super) last: bool,
    pub(super) sent: usize,
    pub(super) open: &'a mut Vec<Open>,
    pub(super) hits: &'a mut Vec<Hit>,
    /// Behind the run of words that was gone through last.
    pub(super) behind: &'a mut usize,
}

impl Looker<'_> {
    pub(super) fn ask(&mut self, woken: Woken) {
        if woken.words {
            self.words(woken);
            return;
        }
        match self.sight(woken) {
            Sight::Found { span, confidence } => {
                self.found(woken, (span.start, span.end), confidence);
            }
            Sight::Nothing => {}
            Sight::Open { start } => self.wait(woken, start),
        }
    }

    /// Through a run of words, of which a phrase may begin with any.
    fn words(&mut self, mut woken: Woken) {
        loop {
            let rest = self.text.get(woken.at..).unwrap_or_default();
            let run = scan::word_run(rest, !self.last);
            let growing = run.bytes == rest.len() && !self.last;
            *self.behind = (*self.behind).max(woken.at + run.bytes);
            let sight = if run.words == 0 {
                Sight::Nothing
            } else {
                self.sight(woken)
            };
            match sight {
                Sight::Found { span, .. } if growing && run.words < 12 => {
                    return self.wait(woken, span.start);
                }
                Sight::Found { span, confidence } if span.end > woken.at => {
                    self.found(woken, (span.start, span.end), confidence);
                    let blank = self.text.get(span.end) == Some(&b' ');
                    woken.at = span.end + usize::from(blank);
                }
                Sight::Found { .. } | Sight::Nothing => {
                    woken.at += run.last;
                    if growing {
                        let known = self.text.len();
                        let start = known;
                        self.open.push(Open {
                            woken,
                            start,
                            known,
                        });
                    }
                    return;
                }
                // What would begin with what follows goes on with the word that stands last.
                Sight::Open { start } if start >= self.text.len() => {
                    woken.at += run.last;
                    return self.wait(woken, start);
                }
                Sight::Open { start } => {
                    woken.at = start.max(woken.at);
                    return self.wait(woken, start);
                }
            }
        }
    }

    fn sight(&self, woken: Woken) -> Sight {
        let before = woken.at.saturating_sub(BEHIND);
        let sight = (woken.armed.detector.recognise)(&Look {
            text: &self.text[before..],
            at: woken.at - before,
            last: self.last,
            field: self.around.field,
        });
        match sight {
            Sight::Found { span, confidence } => Sight::Found {
                span: span.start + before..span.end + before,
                confidence,
            },
            Sight::Nothing => Sight::Nothing,
            Sight::Open { start } => Sight::Open {
                start: start + before,
            },
        }
    }

    fn found(&mut self, woken: Woken, (start, end): (usize, usize), confidence: Confidence) {
        let start = start.max(self.floor(woken)).max(self.sent);
        let end = end.min(self.text.len());
        let kind = woken.armed.kind;
        self.hits.extend(Hit::judge(
            self.around,
            self.text,
            (start, end),
            (kind, confidence),
        ));
    }

    fn wait(&mut self, woken: Woken, start: usize) {
        let known = self.text.len();
        let start = start.max(self.floor(woken)).min(known);
        self.open.push(Open {
            woken,
            start,
            known,
        });
    }

    /// What stands before this was not held back for the detector.
    fn floor(&self, woken: Woken) -> usize {
        scan::local(&self.text[..woken.at.min(self.text.len())], 0)
    }
}
