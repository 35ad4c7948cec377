//! Where in a text detectors are woken: one pass, sixty-four bytes at a time, that stops where something may stand.
//!
//! Every place is told once, when what stands there is settled: a run of digits when it ends (or sixteen bytes of it are
//! known), a long run when it is long enough. Until then the tail that is held back ([`local`]) covers it.

mod block;
mod pass;
mod runs;
mod sift;

use enforcer_recognize::{Detector, Keys, Prefixes, Run, Shapes, Solid, Wake, pii};

use pass::{Mark, See};
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

/// Whoever asks detectors that are woken.
type Woke<'f> = dyn FnMut(Woken) + 'f;

/// Wakes detectors at marks.
struct Waker<'a, 'f> {
    plan: &'a Plan,
    span: Span<'a>,
    /// Where a run of digits begins of which it is not known yet whom it wakes.
    open: usize,
    see: &'a mut Woke<'f>,
}

/// Detectors by what wakes them.
#[derive(Debug)]
pub(crate) struct Plan {
    armed: Vec<Armed>,
    armor: Vec<Armed>,
    assignment: Vec<Armed>,
    at: Vec<Armed>,
    field: Vec<Armed>,
    keys: Keys,
    prefixes: Prefixes,
    scheme: Vec<Armed>,
    /// By the one bit of a shape, those whose shapes have it, and what may stand around for them.
    shaped: Box<[Vec<(u64, Armed)>; 64]>,
    shapes: u64,
    /// By what runs have to look like.
    solid: Vec<(Solid, Armed)>,
    words: Vec<Armed>,
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
        let mut shaped = Box::new(std::array::from_fn(|_| Vec::new()));
        let mut all = 0;
        for armed in &armed {
            let own = shapes(armed.detector);
            all |= own.bits();
            for (bit, list) in shaped.iter_mut().enumerate() {
                if own.bits() >> bit & 1 != 0 {
                    list.push((own.around(bit), *armed));
                }
            }
        }
        Self {
            armor: of(Wake::Armor),
            assignment: of(Wake::Assignment),
            at: of(Wake::At),
            field: of(Wake::Field),
            keys: Keys::new(armed.iter().map(|armed| armed.detector)),
            prefixes: Prefixes::new(armed.iter().map(|armed| armed.detector)),
            scheme: of(Wake::Scheme),
            shapes: all,
            shaped,
            solid: solid(&armed),
            words: of(Wake::Words),
            armed,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.armed.is_empty()
    }

    /// Whether `text` begins as values do that begin in a known way.
    pub(crate) fn begins(&self, text: &[u8]) -> bool {
        let mut begins = false;
        self.prefixes.at(text, (0, 0), |_| begins = true);
        begins
    }

    /// Whether what begins with `text`, of two bytes at least, may begin so.
    pub(crate) fn may_begin(&self, text: &[u8]) -> bool {
        self.prefixes.may_begin(text)
    }

    /// Detectors that wait for a text in a field of this name, at its beginning.
    pub(crate) fn field(&self, name: &str, mut see: impl FnMut(Armed)) {
        if !self.field.is_empty() && pii::waits_for(name) {
            self.field.iter().copied().for_each(&mut see);
        }
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
    pub(crate) fn wakes(&self, span: Span<'_>, words: usize, see: &mut dyn FnMut(Woken)) -> usize {
        if self.armed.is_empty() {
            return span.text.len();
        }
        let words = (!self.words.is_empty()).then_some(words);
        let mut waker = self.waker(span, see);
        pass::each(span, words, &mut waker);
        waker.open
    }

    /// As [`Plan::wakes`] of a whole text, of which it is known what can be in it.
    pub(crate) fn wakes_in(&self, text: &[u8], sift: Sift, see: &mut dyn FnMut(Woken)) {
        let (from, last) = (0, true);
        let span = Span { text, from, last };
        if text.len() < pass::TOKEN {
            pass::tiny(text, &mut self.waker(span, see));
        } else if sift.is_telling() || text.len() >= runs::RUN {
            self.wakes(span, 0, see);
        }
    }

    fn waker<'a, 'f>(&'a self, span: Span<'a>, see: &'a mut Woke<'f>) -> Waker<'a, 'f> {
        Waker {
            plan: self,
            span,
            open: span.text.len(),
            see,
        }
    }

    fn worded(&self, at: usize, see: &mut dyn FnMut(Woken)) {
        for armed in &self.words {
            let (armed, words) = (*armed, true);
            see(Woken { armed, at, words });
        }
    }

    /// Answers where a run of digits begins of which it is not known yet whom it wakes.
    #[inline]
    fn digit(&self, span: Span<'_>, at: usize, see: &mut dyn FnMut(Woken)) -> usize {
        let Span { text, last, .. } = span;
        let settled = last || pass::settled(text, at, text.len());
        let here = Shapes::at(text, at, settled);
        let bits = here.bits() & self.shapes;
        if bits == 0 {
            return text.len();
        }
        if !settled {
            return local(&text[..at], 0);
        }
        for (around, armed) in &self.shaped[bits.trailing_zeros() as usize] {
            if around & here.around() != 0 {
                wake(&[*armed], at, see);
            }
        }
        text.len()
    }

    #[inline]
    fn begun(&self, text: &[u8], (at, beyond): (usize, usize), see: &mut dyn FnMut(Woken)) {
        self.prefixes.at(text, (at, beyond), |detector| {
            self.arm(detector, &mut |armed| wake(&[armed], at, see));
        });
    }

    fn solid(&self, span: Span<'_>, at: usize, see: &mut dyn FnMut(Woken)) {
        let run = Run::at(span.text, at, span.last);
        for (solid, armed) in &self.solid {
            if solid.fits(&run) {
                wake(&[*armed], at, see);
            }
        }
    }

    // There are many, of which few wake anybody.
    #[inline(always)]
    fn assigned(&self, text: &[u8], at: usize, see: &mut dyn FnMut(Woken)) {
        self.keys.each(text, at, |detector| {
            self.arm(detector, &mut |armed| wake(&[armed], at, see));
        });
        if text[..at].last().is_some_and(u8::is_ascii_hexdigit) {
            wake(&self.assignment, at, see);
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

impl See for Waker<'_, '_> {
    // Within what goes through the text it is known which mark it is.
    #[inline(always)]
    fn mark(&mut self, mark: Mark, at: usize) {
        let Self {
            plan, span, see, ..
        } = self;
        let Span { text, from, .. } = *span;
        match mark {
            Mark::Armor => wake(&plan.armor, at, see),
            Mark::Assignment => plan.assigned(text, at, see),
            Mark::At => wake(&plan.at, at, see),
            Mark::Beginning => plan.begun(text, (at, 0), see),
            Mark::Cut => plan.begun(text, (at, from), see),
            Mark::Digits => self.open = self.open.min(plan.digit(*span, at, see)),
            Mark::Scheme => wake(&plan.scheme, at, see),
            Mark::Solid => plan.solid(*span, at, see),
            Mark::Words => plan.worded(at, see),
        }
    }
}

fn wake(armed: &[Armed], at: usize, see: &mut dyn FnMut(Woken)) {
    for armed in armed {
        see(Woken {
            armed: *armed,
            at,
            words: false,
        });
    }
}

fn solid(armed: &[Armed]) -> Vec<(Solid, Armed)> {
    let all = armed.iter().flat_map(|armed| {
        let own = armed.detector.wake.iter();
        own.filter_map(|wake| match wake {
            Wake::Solid(solid) => Some((*solid, *armed)),
            Wake::Armor
            | Wake::Assignment
            | Wake::At
            | Wake::Field
            | Wake::Key(_)
            | Wake::Prefix(_)
            | Wake::Scheme
            | Wake::Shape(_)
            | Wake::Words => None,
        })
    });
    all.collect()
}

fn shapes(detector: &Detector) -> Shapes {
    let own = detector.wake.iter().filter_map(|wake| match wake {
        Wake::Shape(shapes) => Some(*shapes),
        Wake::Armor
        | Wake::Assignment
        | Wake::At
        | Wake::Field
        | Wake::Key(_)
        | Wake::Prefix(_)
        | Wake::Scheme
        | Wake::Solid(_)
        | Wake::Words => None,
    });
    own.fold(Shapes::NONE, Shapes::or)
}
