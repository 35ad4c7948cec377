//! A text on its way: what of it was scanned, what is still open, what went.

use enforcer_recognize::{Confidence, Look, Sight};

use super::merge::{self, Hit};
use super::{Around, CHUNK, HOLD, Out, token};
use crate::custom::Part;
use crate::scan::{self, Span, Woken};
use crate::{Direction, Stop};

/// So much of what stood before is shown to detectors.
const BEHIND: usize = 128;
/// A run of digits is told so late at most, a long run 24 bytes: what is near them begins so much further back.
const LATE: usize = 32;
/// What is open for longer than this is looked at again only when it grew by an eighth.
const PATIENT: usize = 512;

/// How far a text came; places are counted from the beginning of what is kept of it.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// Where what is kept begins in the whole.
    base: u64,
    /// What stands before this went out.
    sent: usize,
    /// What stands before this was scanned.
    scanned: usize,
    /// For each detector of the operator's own: what begins before this is settled.
    settled: Vec<usize>,
    open: Vec<Open>,
    hits: Vec<Hit>,
    started: bool,
    tokens: usize,
}

/// A detector that waits for more.
#[derive(Clone, Copy, Debug)]
struct Open {
    woken: Woken,
    /// Nothing from here on may go.
    start: usize,
    /// How much was known when it was last asked.
    known: usize,
}

impl Flow {
    pub(super) fn restart(&mut self) {
        let Self {
            base,
            sent,
            scanned,
            settled,
            open,
            hits,
            started,
            tokens,
        } = self;
        (*base, *sent, *scanned, *started, *tokens) = (0, 0, 0, false, 0);
        settled.clear();
        open.clear();
        hits.clear();
    }

    pub(super) fn sent(&self) -> usize {
        self.sent
    }

    /// All of a text, a piece after the other, where it lies.
    pub(super) fn whole(
        &mut self,
        around: Around<'_>,
        text: &[u8],
        out: &mut Out<'_>,
    ) -> Result<(), Stop> {
        let mut end = 0;
        while text.len() - end > CHUNK {
            end += CHUNK;
            self.step(around, &text[..end], false, out)?;
        }
        self.step(around, text, true, out)
    }

    /// The text grew, or ended.
    pub(super) fn step(
        &mut self,
        around: Around<'_>,
        text: &[u8],
        last: bool,
        out: &mut Out<'_>,
    ) -> Result<(), Stop> {
        self.begin(around, text, last);
        self.reconsider(around, text, last);
        self.scan(around, text, last);
        let customs = self.customs(around, text, last);
        let tokens = self.tokens(around, text, last);
        let mut free = text.len();
        if !last {
            let open = self.open.iter().map(|open| open.start).min();
            free = free.min(customs).min(tokens).min(open.unwrap_or(free));
            if !around.lane.plan.is_empty() {
                free = free.min(scan::local(text, LATE));
            }
            free = character(text, free).max(self.sent);
        }
        self.sent = merge::settle(
            around,
            merge::Stretch {
                text,
                base: self.base,
                sent: self.sent,
                free,
            },
            &mut self.hits,
            out,
        )?;
        if text.len() - self.sent > HOLD {
            return Err(Stop::TooLong {
                path: around.path.to_owned(),
                limit: HOLD,
            });
        }
        Ok(())
    }

    /// Forgets what went and nobody looks back at, if it is at least so much; says how much.
    pub(super) fn trim(&mut self, least: usize) -> usize {
        let open = self
            .open
            .iter()
            .map(|open| open.woken.at)
            .min()
            .unwrap_or(self.sent);
        let settled = self.settled.iter().copied().min().unwrap_or(self.sent);
        let gone = self
            .sent
            .min(open)
            .min(settled)
            .min(self.tokens)
            .saturating_sub(BEHIND);
        if gone < least {
            return 0;
        }
        self.base += gone as u64;
        self.sent -= gone;
        self.scanned -= gone;
        self.tokens -= gone;
        self.settled.iter_mut().for_each(|place| *place -= gone);
        for open in &mut self.open {
            open.woken.at -= gone;
            open.start -= gone;
            open.known -= gone;
        }
        for hit in &mut self.hits {
            hit.start -= gone;
            hit.end -= gone;
        }
        gone
    }

    fn begin(&mut self, around: Around<'_>, text: &[u8], last: bool) {
        if self.started || text.is_empty() {
            return;
        }
        self.started = true;
        self.settled = vec![0; around.lane.customs.len()];
        if let Some(name) = around.field {
            let mut looker = self.looker(around, text, last);
            around.lane.plan.field(name, |armed| {
                looker.ask(Woken {
                    armed,
                    at: 0,
                    words: false,
                });
            });
        }
    }

    fn looker<'a>(&'a mut self, around: Around<'a>, text: &'a [u8], last: bool) -> Looker<'a> {
        Looker {
            around,
            text,
            last,
            sent: self.sent,
            open: &mut self.open,
            hits: &mut self.hits,
        }
    }

    fn reconsider(&mut self, around: Around<'_>, text: &[u8], last: bool) {
        if self.open.is_empty() {
            return;
        }
        let mut all = std::mem::take(&mut self.open);
        let mut looker = self.looker(around, text, last);
        for open in all.drain(..) {
            let waited = open.known - open.start.min(open.known);
            let grown = text.len() - open.known;
            if !last && !open.woken.words && waited > PATIENT && grown < waited / 8 {
                looker.open.push(open);
            } else {
                looker.ask(open.woken);
            }
        }
    }

    fn scan(&mut self, around: Around<'_>, text: &[u8], last: bool) {
        let from = self.scanned;
        self.scanned = text.len();
        let mut looker = self.looker(around, text, last);
        let span = Span { text, from, last };
        around.lane.plan.wakes(span, &mut |woken| looker.ask(woken));
    }

    /// From where on operators' own detectors have to wait.
    fn customs(&mut self, around: Around<'_>, text: &[u8], last: bool) -> usize {
        let mut free = text.len();
        for ((custom, kind), settled) in around.lane.customs.iter().zip(&mut self.settled) {
            let from = *settled;
            let hits = &mut self.hits;
            *settled = custom.scan(Part { text, from, last }, &mut |span| {
                let confidence = Confidence::High;
                hits.extend(Hit::judge(
                    around,
                    text,
                    (span.start, span.end),
                    (*kind, confidence),
                ));
            });
            free = free.min(*settled);
        }
        free
    }

    /// From where on the end of the text may be a token of ours that is to become its value again.
    fn tokens(&mut self, around: Around<'_>, text: &[u8], last: bool) -> usize {
        let from = self.tokens;
        self.tokens = match around.direction {
            Direction::Answer if around.session.remembers() => {
                token::find(around.session, Part { text, from, last }, &mut self.hits)
            }
            Direction::Answer | Direction::Request => text.len(),
        };
        self.tokens
    }
}

/// Asks detectors.
struct Looker<'a> {
    around: Around<'a>,
    text: &'a [u8],
    last: bool,
    sent: usize,
    open: &'a mut Vec<Open>,
    hits: &'a mut Vec<Hit>,
}

impl Looker<'_> {
    fn ask(&mut self, woken: Woken) {
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
            let run = scan::word_run(rest);
            let growing = run.bytes == rest.len() && !self.last;
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

/// The last place at or before `at` where a character begins.
fn character(text: &[u8], at: usize) -> usize {
    let (before, behind) = text.split_at(at.min(text.len()));
    let goes_on = match behind.first() {
        Some(byte) => byte & 0xc0 == 0x80,
        None => true,
    };
    if !goes_on {
        return before.len();
    }
    for back in 1..=3.min(before.len()) {
        let byte = before[before.len() - back];
        let length = match byte {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            0x80..=0xbf => continue,
            _ => return before.len(),
        };
        return if length > back {
            before.len() - back
        } else {
            before.len()
        };
    }
    before.len()
}
