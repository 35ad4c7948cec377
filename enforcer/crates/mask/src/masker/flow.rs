//! A text on its way: what of it was scanned, what is still open, what went.

use enforcer_decode::Decoder;
use enforcer_recognize::Confidence;

use super::looker::{BEHIND, Looker, Open};
use super::merge::{self, Hit};
use super::{Around, CHUNK, HOLD, Out, token, views};
use crate::custom::Part;
use crate::scan::{self, BRIEF, Sift, Span, Woken};
use crate::{Direction, Stop};

/// A run of digits is told so late at most, a long run 24 bytes: what is near them begins so much further back.
pub(super) const LATE: usize = 32;
/// What is open for longer than this is looked at again only when it grew by an eighth.
const PATIENT: usize = 512;

/// How far a text came; places are counted from the beginning of what is kept of it.
#[derive(Default)]
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
    /// Behind the run of words that was gone through last.
    words: usize,
    /// Takes encodings off; once it is told that the text is another.
    decoder: Option<Decoder>,
    decoding: bool,
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
            words,
            decoder: _,
            decoding,
        } = self;
        (*base, *sent, *scanned, *started) = (0, 0, 0, false);
        (*tokens, *words, *decoding) = (0, 0, false);
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
        if text.len() <= BRIEF {
            return self.brief(around, text, out);
        }
        let mut end = 0;
        while text.len() - end > CHUNK {
            end += CHUNK;
            self.step(around, &text[..end], false, out)?;
        }
        self.step(around, text, true, out)
    }

    /// All of a short text: only what can be in it is looked for.
    fn brief(&mut self, around: Around<'_>, text: &[u8], out: &mut Out<'_>) -> Result<(), Stop> {
        let (last, sift) = (true, Sift::of(text));
        self.begin(around, text, last);
        let mut looker = self.looker(around, text, last);
        let plan = &around.lane.plan;
        plan.wakes_in(text, sift, &mut |woken| looker.ask(woken));
        if sift.coded() {
            self.decode(around, (text, 0), last);
        }
        self.customs(around, text, last);
        if sift.bracket() {
            self.tokens(around, text, last);
        }
        if self.hits.is_empty() {
            self.sent = text.len();
            if !text.is_empty() {
                out.sink.keep(text);
            }
            return Ok(());
        }
        let stretch = merge::Stretch {
            text,
            base: 0,
            sent: 0,
            free: text.len(),
        };
        self.sent = merge::settle(around, stretch, &mut self.hits, out)?;
        Ok(())
    }

    /// The text grew, or ended.
    pub(super) fn step(
        &mut self,
        around: Around<'_>,
        text: &[u8],
        last: bool,
        out: &mut Out<'_>,
    ) -> Result<(), Stop> {
        let from = self.scanned;
        self.begin(around, text, last);
        self.reconsider(around, text, last);
        let unsettled = self.scan(around, text, last);
        let decoded = self.decode(around, (text, from), last);
        let customs = self.customs(around, text, last);
        let tokens = self.tokens(around, text, last);
        let mut free = text.len();
        if !last {
            let open = self.open.iter().map(|open| open.start).min();
            free = free
                .min(decoded)
                .min(unsettled)
                .min(customs)
                .min(tokens)
                .min(open.unwrap_or(free));
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

    /// Gives out all of a text that goes on, as if it ended here: looked at anew from what is still known of it.
    pub(super) fn lapse(
        &mut self,
        around: Around<'_>,
        text: &[u8],
        out: &mut Out<'_>,
    ) -> Result<(), Stop> {
        let mut ended = Self {
            base: self.base,
            sent: self.sent,
            // A token before this was looked for.
            tokens: self.tokens.min(self.sent),
            ..Self::default()
        };
        ended.step(around, text, true, out)?;
        self.sent = text.len();
        self.tokens = text.len();
        self.hits.clear();
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
        self.words = self.words.saturating_sub(gone);
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
            behind: &mut self.words,
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

    fn scan(&mut self, around: Around<'_>, text: &[u8], last: bool) -> usize {
        let from = self.scanned;
        self.scanned = text.len();
        let words = self.words;
        let mut looker = self.looker(around, text, last);
        let span = Span { text, from, last };
        let plan = &around.lane.plan;
        plan.wakes(span, words, &mut |woken| looker.ask(woken))
    }

    /// From where on what is under encodings has to wait.
    fn decode(&mut self, around: Around<'_>, (text, from): (&[u8], usize), last: bool) -> usize {
        let free = text.len();
        if !around.lane.decode {
            return free;
        }
        let limits = &around.lane.layers;
        let decoder = self.decoder.get_or_insert_with(|| Decoder::new(limits));
        if !std::mem::replace(&mut self.decoding, true) {
            decoder.restart(limits);
        }
        let (base, sent, hits) = (self.base, self.sent, &mut self.hits);
        decoder.push(&text[from..], last, &mut |view| {
            views::look(around, view, (base, sent), hits);
        });
        let open = decoder.open_from().map(|open| open.saturating_sub(base));
        open.and_then(|open| usize::try_from(open).ok())
            .map_or(free, |open| open.min(free))
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
