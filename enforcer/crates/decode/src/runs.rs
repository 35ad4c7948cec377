//! Runs of digits of base64, base32 and sixteen, and what they say where that is text.
//!
//! Clean text is only searched for runs that are long enough to say something. What such a run decodes to is shown
//! wherever eight bytes on end are text, so nothing before it in the run hides it, and an image costs its decoding.

mod alphabet;
mod run;
mod smuggled;
mod spaced;
mod stretch;

use crate::channel::{LOOKBACK, Look};
use crate::decoder::Limits;
use crate::engines::Window;
use crate::layers::Layers;
use crate::view::Trail;

use alphabet::ALPHABETS;
pub(crate) use alphabet::is_digit;
use run::Run;
use smuggled::Smuggled;
use spaced::Spaced;

/// Shorter runs say nothing.
pub(crate) const SHORTEST: usize = 15;
/// Text that begins within a run is looked for behind so many digits, which are whole groups of any alphabet.
pub(crate) const LET_GO: u64 = 16;

#[derive(Clone, Debug, Default)]
pub(crate) struct Runs {
    machines: Vec<Run>,
    /// A run reaches up to here, and goes on or not.
    live: Option<u64>,
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
        let others = [self.spaced.open(), self.smuggled.open()];
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
        if let Some(live) = self.live {
            at = self.go_on((live - window.base) as usize, window, work);
        }
        while self.live.is_none() {
            let Some(start) = next(text, at, window.last) else {
                return;
            };
            if let Some(end) = known_above(start, window) {
                at = end;
                continue;
            }
            self.begin(start, window, work.limits);
            at = self.go_on(start, window, work);
        }
    }

    /// A run begins at `start`.
    fn begin(&mut self, start: usize, window: &Window<'_>, limits: &Limits) {
        if self.machines.is_empty() {
            let wanted = |alphabet: &&alphabet::Alphabet| limits.layers.contains(alphabet.layer);
            self.machines
                .extend(ALPHABETS.iter().filter(wanted).map(Run::new));
        }
        let from = start.saturating_sub(LOOKBACK);
        self.context.text.clear();
        self.context
            .text
            .extend_from_slice(&window.text[from..start]);
        self.context.at = window.base + from as u64;
    }

    /// Takes the run on from `at`; says where it is over. It goes on over the end of a line if all before was text.
    fn go_on(&mut self, mut at: usize, window: &Window<'_>, work: &mut Work<'_, '_>) -> usize {
        let text = window.text;
        loop {
            let end = text[at..]
                .iter()
                .position(|byte| !is_digit(*byte))
                .map_or(text.len(), |len| at + len);
            for machine in &mut self.machines {
                machine.digits(
                    &text[at..end],
                    window.base + at as u64,
                    (&self.context, work),
                );
            }
            let (line, whole) = match &text[end..] {
                [] | [b'\r'] => (0, false),
                [b'\r', b'\n', rest @ ..] => (2, !rest.is_empty()),
                [b'\n', rest @ ..] => (1, !rest.is_empty()),
                _ => (0, true),
            };
            let crossing = self.machines.iter().any(Run::crosses);
            let more = !window.last && !whole && (end == text.len() || crossing);
            if more {
                self.live = Some(window.base + end as u64);
                return end;
            }
            let next = end + line;
            let on = line > 0 && crossing && text.get(next).is_some_and(|byte| is_digit(*byte));
            for machine in &mut self.machines {
                if !(on && machine.crosses()) {
                    machine.end(work);
                }
            }
            if !on {
                self.live = None;
                return end;
            }
            at = next;
        }
    }
}

/// The end of a run that is the same in the text above, and read there.
fn known_above(start: usize, window: &Window<'_>) -> Option<usize> {
    let map = window.trail?.map;
    let len = window.text[start..]
        .iter()
        .position(|byte| !is_digit(*byte))?;
    let (from, to) = (
        window.base + start as u64,
        window.base + (start + len) as u64,
    );
    let same = map.taken_off(&(from..to)).is_none();
    // What goes on behind a line's end may be another there.
    let line = matches!(window.text[start + len], b'\r' | b'\n');
    (same && !line).then_some(start + len)
}

/// Where the next run begins that is long enough, or that reaches the end and may become so.
fn next(text: &[u8], from: usize, last: bool) -> Option<usize> {
    let mut at = from;
    while let Some(block) = text.get(at..at + 64) {
        let Some(word) = full(block) else {
            at += 64;
            continue;
        };
        let (start, end) = around(text, from, at + word * 8);
        if end - start >= SHORTEST || (end == text.len() && !last) {
            return Some(start);
        }
        at = end;
    }
    if text.len() - at < 64 && last && full(&padded(&text[at..])).is_none() {
        return None;
    }
    let mut start = None;
    for (i, byte) in text.iter().enumerate().skip(at) {
        match (start, is_digit(*byte)) {
            (None, true) if i == at => start = Some(around(text, from, i).0),
            (None, true) => start = Some(i),
            (Some(begun), false) if i - begun >= SHORTEST => return Some(begun),
            (Some(_), false) => start = None,
            (Some(_), true) | (None, false) => {}
        }
    }
    start.filter(|start| !last || text.len() - start >= SHORTEST)
}

/// The first eight of 64 bytes that are all digits, told in a way that compiles to vectors.
fn full(block: &[u8]) -> Option<usize> {
    let mut digits = [0_u8; 64];
    for (to, byte) in digits.iter_mut().zip(block) {
        let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        let number = byte.wrapping_sub(b'/') < 11;
        let special = (*byte == b'+') | (*byte == b'-') | (*byte == b'_');
        *to = if letter | number | special { 0xff } else { 0 };
    }
    digits
        .chunks_exact(8)
        .position(|word| word.iter().all(|byte| *byte == 0xff))
}

/// At most 64 bytes as 64.
pub(crate) fn padded(bytes: &[u8]) -> [u8; 64] {
    let mut block = [0; 64];
    for (to, from) in block.iter_mut().zip(bytes) {
        *to = *from;
    }
    block
}

/// The run round the digit at `at`.
fn around(text: &[u8], from: usize, at: usize) -> (usize, usize) {
    let before = text[from..at].iter().rev();
    let before = before.take_while(|byte| is_digit(**byte)).count();
    let behind = text[at..]
        .iter()
        .take_while(|byte| is_digit(**byte))
        .count();
    (at - before, at + behind)
}
