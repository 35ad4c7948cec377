//! Runs of digits of base64, base32 and sixteen, and what they say where that is text.
//!
//! Clean text is only searched for runs that are long enough to say something. What such a run decodes to is shown
//! wherever eight bytes on end are text, so nothing before it in the run hides it, and an image costs its decoding.

mod alphabet;
mod digits;
mod reading;
mod run;
mod sift;
mod smuggled;
mod spaced;
mod stretch;

use std::ops::Range;

use crate::blocks::BLOCK;
use crate::channel::{LOOKBACK, Look};
use crate::decoder::Limits;
use crate::engines::Window;
use crate::layers::Layers;
use crate::view::Trail;

pub(crate) use alphabet::is_digit;
use reading::{READINGS, Set, TWINS};
use run::{Run, held_by, word};
use sift::{Alphabets, sift};
use smuggled::Smuggled;
use spaced::Spaced;

/// Shorter runs say nothing.
pub(crate) const SHORTEST: usize = 15;
/// Text that begins within a run is looked for behind so many digits, which are whole groups of any alphabet.
pub(crate) const LET_GO: u64 = 16;

#[derive(Clone, Debug, Default)]
pub(crate) struct Runs {
    machines: Vec<Run>,
    /// The readings that there are machines for.
    equipped: Set,
    /// The readings of what is read now.
    active: Set,
    /// Base64's second alphabet read nothing else than its first yet.
    alike: bool,
    /// A run reaches up to here, and goes on or not.
    live: Option<u64>,
    /// A run that is too short to say anything begins here and may go on; none of it was read.
    waits: Option<u64>,
    /// It may not be let go from here on.
    held: Option<u64>,
    context: Context,
    spaced: Spaced,
    smuggled: Smuggled,
}

/// What stood before a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    pub(crate) text: Vec<u8>,
    pub(crate) at: u64,
}

/// What engines need while they work.
pub(crate) struct Work<'a, 'f> {
    pub(crate) limits: &'a Limits,
    pub(crate) above: Layers,
    pub(crate) trail: Option<&'a Trail<'a>>,
    pub(crate) look: &'a mut Look<'f>,
}

// === impl Runs ===

impl Runs {
    /// As new ones, in the room that they have. All that was read ended before.
    pub(crate) fn restart(&mut self) {
        (self.live, self.waits, self.held) = (None, None, None);
        for machine in &mut self.machines {
            machine.restart();
        }
        self.spaced.restart();
        self.smuggled.restart();
    }

    /// Nothing before `at` is looked at.
    pub(crate) fn begin_at(&mut self, at: u64) {
        self.spaced.begin_at(at);
        self.smuggled.begin_at(at);
    }

    pub(crate) fn feed(
        &mut self,
        window: &Window<'_>,
        (limits, above): (&Limits, Layers),
        look: &mut Look<'_>,
    ) {
        let mut work = Work {
            limits,
            above,
            trail: window.trail,
            look,
        };
        self.digits(window, &mut work);
        if limits.layers.contains(Layers::HEX) {
            self.spaced.feed(window, &mut work);
        }
        if limits.layers.contains(Layers::SMUGGLED) {
            self.smuggled.feed(window, &mut work);
        }
        for machine in &mut self.machines {
            machine.show(&mut work);
        }
    }

    pub(crate) fn open(&self) -> Option<u64> {
        let machines = self.machines.iter().filter_map(Run::open);
        let others = [self.spaced.open(), self.smuggled.open(), self.held];
        machines.chain(others.into_iter().flatten()).min()
    }

    pub(crate) fn first_source(&self) -> Option<u64> {
        let machines = self.machines.iter().filter_map(Run::first_source);
        let others = [self.spaced.first_source(), self.smuggled.first_source()];
        machines.chain(others.into_iter().flatten()).min()
    }

    fn digits(&mut self, window: &Window<'_>, work: &mut Work<'_, '_>) {
        let text = window.text;
        let mut at = window.new;
        self.held = None;
        if let Some(waits) = self.waits.take() {
            at = (waits - window.base) as usize;
        }
        if let Some(live) = self.live {
            at = self.go_on((live - window.base) as usize, None, (window, &mut *work));
        }
        while self.live.is_none() {
            let Some(run) = digits::next(text, at, window.last) else {
                return;
            };
            at = run.end;
            if known_above(&run, window) {
                continue;
            }
            let wanted = Set::taking(work.limits.layers);
            let ends = run.end < text.len() || window.last;
            if !ends && run.len() < SHORTEST {
                return self.wait(&text[run.clone()], window.base + run.start as u64, wanted);
            }
            let (active, alphabets) = if ends {
                sift(&text[run.clone()], wanted)
            } else {
                (wanted, None)
            };
            self.active = active;
            if !self.active.is_empty() {
                self.begin(run.start, window);
                let known = alphabets.map(|alphabets| (run.end, alphabets));
                at = self.go_on(run.start, known, (window, &mut *work));
            }
        }
    }

    /// The text ends, for now, with `digits` at `start`, which are too few.
    fn wait(&mut self, digits: &[u8], start: u64, wanted: Set) {
        self.waits = Some(start);
        if word(digits) == digits.len() {
            return;
        }
        let held = (0..READINGS.len())
            .filter(|index| wanted.has(*index))
            .filter_map(|index| held_by(index, digits));
        self.held = held.min().map(|at| start + at as u64);
    }

    /// A run begins at `start`.
    fn begin(&mut self, start: usize, window: &Window<'_>) {
        self.equip();
        self.alike = true;
        let from = start.saturating_sub(LOOKBACK);
        self.context.text.clear();
        self.context
            .text
            .extend_from_slice(&window.text[from..start]);
        self.context.at = window.base + from as u64;
    }

    /// There is a machine for each reading.
    fn equip(&mut self) {
        let missing = self.active.without(self.equipped);
        if missing.is_empty() {
            return;
        }
        for index in (0..READINGS.len()).filter(|index| missing.has(*index)) {
            self.machines.push(Run::new(index));
        }
        self.equipped = self.equipped.with(missing);
    }

    /// Reads digits of any alphabet.
    fn read(&mut self, (digits, of): (&[u8], Alphabets), at: u64, work: &mut Work<'_, '_>) {
        let same = match self.alike {
            true if of.alike() => digits.len(),
            true => {
                let differs = |byte: &u8| matches!(byte, b'+' | b'-' | b'/' | b'_');
                digits.iter().position(differs).unwrap_or(digits.len())
            }
            false => 0,
        };
        if same > 0 {
            let readings = self.active.without(self.active.twins());
            self.hand(readings, (&digits[..same], of), at, work);
        }
        if same < digits.len() {
            if self.alike {
                self.alike = false;
                self.part();
            }
            self.hand(self.active, (&digits[same..], of), at + same as u64, work);
        }
    }

    fn hand(
        &mut self,
        to: Set,
        (digits, of): (&[u8], Alphabets),
        at: u64,
        work: &mut Work<'_, '_>,
    ) {
        for machine in &mut self.machines {
            if to.has(machine.index) {
                machine.digits(digits, at, (of, &self.context, &mut *work));
            }
        }
    }

    /// The second alphabet of base64 reads on where the first came to.
    fn part(&mut self) {
        for (one, other) in TWINS {
            let read = self.machines.iter().find(|machine| machine.index == one);
            if self.active.has(one)
                && self.active.has(other)
                && let Some(read) = read
            {
                let twin = read.twin(other);
                self.machines.retain(|machine| machine.index != other);
                self.machines.push(twin);
                self.equipped = self.equipped.with(Set::of(other));
            }
        }
    }

    /// Takes the run on from `at`; says where it is over. It goes on over the end of a line if all before was text.
    /// `known` may say where its digits end, and their alphabets.
    fn go_on(
        &mut self,
        mut at: usize,
        mut known: Option<(usize, Alphabets)>,
        (window, work): (&Window<'_>, &mut Work<'_, '_>),
    ) -> usize {
        let text = window.text;
        loop {
            let (end, of) = known.take().unwrap_or_else(|| {
                let end = digits::end(text, at);
                (end, Alphabets::of(&text[at..end]))
            });
            self.read((&text[at..end], of), window.base + at as u64, work);
            let (line, whole) = match &text[end..] {
                [] | [b'\r'] => (0, false),
                [b'\r', b'\n', rest @ ..] => (2, !rest.is_empty()),
                [b'\n', rest @ ..] => (1, !rest.is_empty()),
                _ => (0, true),
            };
            let crossing = (line > 0 || !whole) && self.machines.iter().any(Run::crosses);
            let more = !window.last && !whole && (end == text.len() || crossing);
            if more {
                self.live = Some(window.base + end as u64);
                return end;
            }
            let next = end + line;
            let on = line > 0 && crossing && text.get(next).is_some_and(|byte| is_digit(*byte));
            for machine in &mut self.machines {
                if self.active.has(machine.index) && !(on && machine.crosses()) {
                    machine.end(work);
                }
            }
            if !on {
                self.live = None;
                return end;
            }
            // What others are there to say begins anew.
            self.active = Set::taking(work.limits.layers);
            self.equip();
            at = next;
        }
    }
}

/// No run in a text of no more than this can say anything, and no pairs.
pub(crate) fn none_tells(block: &[u8; BLOCK]) -> bool {
    digits::none_long(block) && spaced::none_paired(block)
}

/// Whether `run` is the same in the text above, and read there.
fn known_above(run: &Range<usize>, window: &Window<'_>) -> bool {
    let (Some(trail), Some(behind)) = (window.trail, window.text.get(run.end)) else {
        return false;
    };
    let (from, to) = (window.base + run.start as u64, window.base + run.end as u64);
    // What goes on behind a line's end may be another there.
    !matches!(behind, b'\r' | b'\n') && trail.map.taken_off(&(from..to)).is_none()
}
