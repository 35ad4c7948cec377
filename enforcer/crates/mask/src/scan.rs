//! Where in a text detectors are woken: one pass eight bytes at a time for what is frequent, and searches for what is rare.
//!
//! Every place is told once, when what stands there is settled: a run of digits when it ends (or sixteen bytes of it are
//! known), a long run when it is long enough. Until then the tail that is held back ([`local`]) covers it.

mod marks;
mod prefixes;
mod runs;
mod sift;

use enforcer_recognize::{Detector, Keys, Shapes, Wake, pii};
use memchr::memmem;

use marks::Mark;
use prefixes::Prefixes;
pub(crate) use runs::{local, word_run};
pub(crate) use sift::{BRIEF, Sift};

/// A detector and the kind it finds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Armed {
    pub(crate) kind: usize,
    pub(crate) detector: &'static Detector,
}

/// A detector that is woken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Woken {
    pub(crate) armed: Armed,
    pub(crate) at: usize,
    /// By a run of words, which it goes through as the run grows.
    pub(crate) words: bool,
}

/// A text as far as it is known.
#[derive(Clone, Copy)]
pub(crate) struct Span<'a> {
    pub(crate) text: &'a [u8],
    /// What stands before this was scanned.
    pub(crate) from: usize,
    /// The text ends here for good.
    pub(crate) last: bool,
}

/// Detectors by what wakes them.
#[derive(Debug)]
pub(crate) struct Plan {
    armed: Vec<Armed>,
    armor: Vec<Armed>,
    assignment: Vec<Armed>,
    at: Vec<Armed>,
    digits: Vec<Armed>,
    field: Vec<Armed>,
    keys: Keys,
    prefixes: Prefixes,
    scheme: Vec<Armed>,
    /// By the one bit of a shape.
    shaped: Box<[Vec<Armed>; 64]>,
    shapes: u64,
    solid: Vec<Armed>,
    token: Vec<Armed>,
    words: Vec<Armed>,
    begin: memmem::Finder<'static>,
    slashes: memmem::Finder<'static>,
}

impl Plan {
    pub(crate) fn new(detectors: impl Iterator<Item = (usize, &'static Detector)>) -> Self {
        let armed: Vec<_> = detectors
            .map(|(kind, detector)| Armed { kind, detector })
            .collect();
        let of = |wake: Wake| {
            let own = armed
                .iter()
                .filter(move |armed| armed.detector.wake.contains(&wake));
            own.copied().collect::<Vec<_>>()
        };
        let mut shaped: Box<[Vec<Armed>; 64]> = Box::new(std::array::from_fn(|_| Vec::new()));
        let mut all = 0;
        for armed in &armed {
            let own = shapes(armed.detector).map_or(0, Shapes::bits);
            all |= own;
            for (bit, list) in shaped.iter_mut().enumerate() {
                if own >> bit & 1 != 0 {
                    list.push(*armed);
                }
            }
        }
        Self {
            armor: of(Wake::Armor),
            assignment: of(Wake::Assignment),
            at: of(Wake::At),
            digits: of(Wake::Digits),
            field: of(Wake::Field),
            keys: Keys::new(armed.iter().map(|armed| armed.detector)),
            prefixes: Prefixes::new(&armed),
            scheme: of(Wake::Scheme),
            shapes: all,
            shaped,
            solid: of(Wake::Solid),
            token: of(Wake::Token),
            words: of(Wake::Words),
            begin: memmem::Finder::new(b"-----BEGIN"),
            slashes: memmem::Finder::new(b"://"),
            armed,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.armed.is_empty()
    }

    /// Whether `text` begins as values do that begin in a known way.
    pub(crate) fn begins(&self, text: &[u8]) -> bool {
        let mut begins = false;
        self.prefixes.at(text, 0, |_| begins = true);
        begins
    }

    /// Detectors that wait for a text in a field of this name, at its beginning.
    pub(crate) fn field(&self, name: &str, mut see: impl FnMut(Armed)) {
        self.field.iter().copied().for_each(&mut see);
        self.keys
            .of_field(name, |detector| self.arm(detector, &mut see));
    }

    /// No detector can be woken by `text`, which is a whole one, nor by what could be under encodings in it.
    pub(crate) fn is_quiet(&self, text: &[u8], field: Option<&str>) -> bool {
        if text.len() >= runs::RUN || Sift::of(text).is_telling() {
            return false;
        }
        let mut waits = false;
        if let Some(name) = field {
            waits = !self.field.is_empty() && pii::waits_for(name);
            self.keys.of_field(name, |_| waits = true);
        }
        !waits
    }

    /// Tells of every detector that is woken by what became settled; `words` is behind the run of words that somebody goes
    /// through already. Answers from where on nothing may go, because it is not known yet whom it wakes.
    pub(crate) fn wakes(&self, span: Span<'_>, words: usize, see: &mut impl FnMut(Woken)) -> usize {
        if self.armed.is_empty() {
            return span.text.len();
        }
        let open = self.frequent(span, see);
        self.rare(span, see);
        self.long(span, see);
        let from = span.from.max(words);
        self.in_words(Span { from, ..span }, see);
        open
    }

    /// As [`Plan::wakes`] of a whole text, of which it is known what can be in it.
    pub(crate) fn wakes_in(&self, text: &[u8], sift: Sift, see: &mut impl FnMut(Woken)) {
        let (from, last) = (0, true);
        let span = Span { text, from, last };
        if self.armed.is_empty() {
            return;
        }
        if sift.frequent() {
            self.frequent(span, see);
        }
        if sift.rare() {
            self.rare(span, see);
        }
        if sift.long() {
            self.long(span, see);
        }
        if text.len() >= runs::RUN {
            self.in_words(span, see);
        }
    }

    fn in_words(&self, span: Span<'_>, see: &mut impl FnMut(Woken)) {
        if self.words.is_empty() {
            return;
        }
        runs::words(span, |at| {
            for armed in &self.words {
                let (armed, words) = (*armed, true);
                see(Woken { armed, at, words });
            }
        });
    }

    /// Answers where a run of digits begins of which it is not known yet whom it wakes.
    fn frequent(&self, span: Span<'_>, see: &mut impl FnMut(Woken)) -> usize {
        let Span { text, from, .. } = span;
        let mut open = text.len();
        for at in from.saturating_sub(marks::BACK)..from {
            if marks::begins_digits(text, at) && !marks::settled(text, at, from) {
                open = open.min(self.digit(span, at, see));
            }
            self.prefixes
                .again(span, at, |armed| wake(&[armed], at, see));
        }
        marks::each(text, from, |mark, at| match mark {
            Mark::Assignment => self.assigned(text, at, see),
            Mark::Digits => {
                wake(&self.digits, at, see);
                open = open.min(self.digit(span, at, see));
            }
        });
        open
    }

    #[inline]
    fn digit(&self, span: Span<'_>, at: usize, see: &mut impl FnMut(Woken)) -> usize {
        let Span { text, last, .. } = span;
        let settled = last || marks::settled(text, at, text.len());
        let bits = Shapes::at(text, at, settled).bits() & self.shapes;
        if bits == 0 {
            return text.len();
        }
        if !settled {
            return local(&text[..at], 0);
        }
        wake(&self.shaped[bits.trailing_zeros() as usize], at, see);
        text.len()
    }

    /// Values that begin in a known way take at least sixteen bytes without a break.
    fn long(&self, span: Span<'_>, see: &mut impl FnMut(Woken)) {
        let Span { text, .. } = span;
        let Span { from, last, .. } = span;
        let nobody = self.token.is_empty() && self.prefixes.is_empty() && self.solid.is_empty();
        let of_token = |run: runs::Run| {
            if run.begins {
                wake(&self.token, run.start, see);
            }
            let range = run.start..run.end;
            self.prefixes
                .within(text, range, &mut |armed, at| wake(&[armed], at, see));
            // What is solid is a part of that.
            let part = Span {
                text: &text[..run.end],
                from: from.max(run.start),
                last,
            };
            let of_solid = |run: runs::Run| {
                if run.begins {
                    wake(&self.solid, run.start, see);
                }
            };
            runs::long::<25>(part, runs::solid, of_solid, self.solid.is_empty());
        };
        runs::long::<16>(span, runs::token, of_token, nobody);
    }

    fn assigned(&self, text: &[u8], at: usize, see: &mut impl FnMut(Woken)) {
        self.keys.each(text, at, |detector| {
            self.arm(detector, &mut |armed| wake(&[armed], at, see));
        });
        if !self.assignment.is_empty() && text[..at].last().is_some_and(u8::is_ascii_hexdigit) {
            wake(&self.assignment, at, see);
        }
    }

    fn rare(&self, span: Span<'_>, see: &mut impl FnMut(Woken)) {
        let Span { text, from, .. } = span;
        if !self.at.is_empty() {
            for at in memchr::memchr_iter(b'@', &text[from..]) {
                wake(&self.at, from + at, see);
            }
        }
        for (finder, armed) in [(&self.slashes, &self.scheme), (&self.begin, &self.armor)] {
            if !armed.is_empty() {
                let start = from.saturating_sub(finder.needle().len() - 1);
                for at in finder.find_iter(&text[start..]) {
                    wake(armed, start + at, see);
                }
            }
        }
    }

    fn arm(&self, detector: &'static Detector, see: &mut impl FnMut(Armed)) {
        let own = self
            .armed
            .iter()
            .find(|armed| std::ptr::eq(armed.detector, detector));
        own.copied().into_iter().for_each(see);
    }
}

fn wake(armed: &[Armed], at: usize, see: &mut impl FnMut(Woken)) {
    for armed in armed {
        see(Woken {
            armed: *armed,
            at,
            words: false,
        });
    }
}

fn shapes(detector: &Detector) -> Option<Shapes> {
    let own = detector.wake.iter().filter_map(|wake| match wake {
        Wake::Shape(shapes) => Some(*shapes),
        Wake::Armor
        | Wake::Assignment
        | Wake::At
        | Wake::Digits
        | Wake::Field
        | Wake::Key(_)
        | Wake::Prefix(_)
        | Wake::Scheme
        | Wake::Solid
        | Wake::Token
        | Wake::Words => None,
    });
    own.reduce(Shapes::or)
}
