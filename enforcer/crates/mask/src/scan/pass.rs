//! One pass over a text, a block after the other, that stops only where something may stand.

use enforcer_decode::blocks::{BLOCK, padded};

use super::Span;
use super::block::Block;
use super::runs::{LONGEST, RUN, word_run};

/// As many digits as `Shapes` tells apart, and what it looks at behind them.
const DIGITS: usize = 15;
const NEXT: usize = 2;
/// The longest beginning of a value has fewer bytes.
const BEGINNING: usize = 40;
/// Runs of so many bytes may hold a value that begins in a known way, and so many letters and digits a wallet.
pub(super) const TOKEN: usize = 16;
const SOLID: usize = 25;
/// What of a block every run of words has that is all in it.
const MIDDLE: u64 = (1 << RUN) - (1 << (BLOCK - RUN));
/// How many dashes `ARMOR` begins with.
const DASHES: usize = 5;
const ARMOR: &[u8] = b"-----BEGIN";
const SLASHES: &[u8] = b"//";

/// What stands somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// `-----BEGIN`.
    Armor,
    /// An `=` or `:`.
    Assignment,
    /// An `@`.
    At,
    /// A place in a long run where a value may begin.
    Beginning,
    /// One that was told before, when the text ended soon behind it.
    Cut,
    /// The first of a run of digits.
    Digits,
    /// `://`.
    Scheme,
    /// The first of a long run of letters and digits.
    Solid,
    /// The first of a run of words.
    Words,
}

/// Who is told of marks.
pub(super) trait See {
    /// `mark` stands at `at`.
    fn mark(&mut self, mark: Mark, at: usize);
}

/// How far a pass came.
struct Pass<'a> {
    span: Span<'a>,
    /// Where the block begins that is looked at.
    at: usize,
    /// The block before it.
    before: Block,
    /// Of the places of that, those of which it was told that a value may begin there.
    told: u64,
    /// Behind the last byte that no run of words has.
    since: usize,
    /// Behind the run of words that somebody goes through already.
    words: Option<usize>,
}

/// Tells of each mark that is settled since the text is known beyond `span.from`; runs of words only where it is said
/// from where on.
#[inline]
pub(super) fn each(span: Span<'_>, words: Option<usize>, see: &mut impl See) {
    let Span { text, from, .. } = span;
    let before = match from {
        0 => Block::default(),
        _ => Block::before(text, from),
    };
    let mut pass = Pass {
        span,
        at: from,
        before,
        told: widened(runs::<TOKEN>(before.token.into()), TOKEN) as u64,
        since: words.map_or(0, |words| beyond_word(text, words.max(from))),
        words,
    };
    if from > 0 {
        pass.again(see);
    }
    let (blocks, rest) = text[from..].as_chunks::<BLOCK>();
    for block in blocks {
        pass.block(Block::of(block), u64::MAX, see);
    }
    if !rest.is_empty() {
        pass.block(Block::of(&padded(rest)), (1 << rest.len()) - 1, see);
    }
    if words.is_some() {
        pass.end(see);
    }
}

/// As [`each`] of a whole text so short that no run in it is long.
#[inline]
pub(super) fn tiny(text: &[u8], see: &mut impl See) {
    let mut before = 0;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' if !u8::is_ascii_digit(&before) => see.mark(Mark::Digits, at),
            b'@' => see.mark(Mark::At, at),
            b':' | b'=' => {
                see.mark(Mark::Assignment, at);
                if *byte == b':' && text[at + 1..].starts_with(SLASHES) {
                    see.mark(Mark::Scheme, at);
                }
            }
            _ => {}
        }
        before = *byte;
    }
}

impl Pass<'_> {
    /// What was cut before.
    fn again(&self, see: &mut impl See) {
        let Span { text, from, .. } = self.span;
        let base = |bit: usize| (from + bit).wrapping_sub(BLOCK);
        let before = &self.before;
        let latest = |bytes: usize| u64::MAX << (BLOCK - bytes);
        let digits = first_digits(before, &Block::default()) & latest(DIGITS + NEXT);
        spread(digits, |bit| {
            if !settled(text, base(bit), from) {
                see.mark(Mark::Digits, base(bit));
            }
        });
        let starts = (word_starts(before, &Block::default()) >> BLOCK) as u64;
        spread(self.told & starts & latest(BEGINNING), |bit| {
            see.mark(Mark::Cut, base(bit));
        });
        spread(before.sign & latest(SLASHES.len()), |bit| {
            self.scheme(base(bit), see);
        });
        let ends = dashes(before.joint.into()) as u64 & latest(ARMOR.len() - DASHES);
        spread(ends, |bit| self.armor(base(bit), see));
    }

    #[inline]
    fn block(&mut self, block: Block, valid: u64, see: &mut impl See) {
        let base = self.at;
        spread(first_digits(&block, &self.before), |bit| {
            see.mark(Mark::Digits, base + bit);
        });
        spread(block.sign, |bit| self.sign(base + bit, see));
        if block.joint & (block.joint << 1 | self.before.joint >> 63) != 0 {
            let ends = dashes(joined(self.before.joint, block.joint));
            spread((ends >> BLOCK) as u64, |bit| self.armor(base + bit, see));
        }
        self.long(&block, see);
        if self.words.is_some() {
            self.broken(broken(&block, &self.before) & valid, see);
        }
        self.before = block;
        self.at += BLOCK;
    }

    #[inline]
    fn sign(&self, at: usize, see: &mut impl See) {
        match self.span.text[at] {
            b'@' => see.mark(Mark::At, at),
            _ => {
                see.mark(Mark::Assignment, at);
                self.scheme(at, see);
            }
        }
    }

    #[inline]
    fn scheme(&self, at: usize, see: &mut impl See) {
        let Span { text, from, .. } = self.span;
        let end = at + 1 + SLASHES.len();
        if end > from && text[at] == b':' && text.get(at + 1..end) == Some(SLASHES) {
            see.mark(Mark::Scheme, at);
        }
    }

    /// What may be dashes ends at `at`.
    fn armor(&self, at: usize, see: &mut impl See) {
        let Span { text, from, .. } = self.span;
        let start = at + 1 - DASHES;
        let end = start + ARMOR.len();
        if end > from && text.get(start..end) == Some(ARMOR) {
            see.mark(Mark::Armor, start);
        }
    }

    /// Long runs, which began in the block before or in this one.
    #[inline]
    fn long(&mut self, block: &Block, see: &mut impl See) {
        let Self { at, before, .. } = *self;
        let told = std::mem::take(&mut self.told);
        if !(has_eight(block.token) || before.token >> (BLOCK - 8) == 0xff) {
            return;
        }
        let runs_of_token = runs::<TOKEN>(joined(before.token, block.token)) >> BLOCK;
        if runs_of_token == 0 {
            return;
        }
        let place = |bit: usize| (at + bit).wrapping_sub(BLOCK);
        let own = widened(runs_of_token << BLOCK, TOKEN);
        self.told = (own >> BLOCK) as u64;
        let starts = own & !u128::from(told) & word_starts(block, &before);
        spread_wide(starts, |bit| see.mark(Mark::Beginning, place(bit)));
        let solid = runs::<SOLID>(joined(before.solid, block.solid));
        let reached = solid & !(solid << 1) & (u128::from(u64::MAX) << BLOCK);
        spread_wide(reached, |bit| {
            see.mark(Mark::Solid, place(bit + 1) - SOLID);
        });
    }

    /// Runs of words that end in this block, before one of these bytes.
    #[inline]
    fn broken(&mut self, broken: u64, see: &mut impl See) {
        if broken == 0 {
            return;
        }
        let (base, end) = (self.at, self.at + BLOCK);
        self.stretch(base + broken.trailing_zeros() as usize, see);
        // A run that is all in the block has its middle.
        const { assert!(RUN < BLOCK && 2 * RUN > BLOCK) };
        let behind = broken >> RUN << RUN;
        if behind != 0 && behind != broken && broken & MIDDLE == 0 {
            let before = end - (broken ^ behind).leading_zeros() as usize;
            self.since = self.since.max(before);
            self.stretch(base + behind.trailing_zeros() as usize, see);
        }
        let last = end - broken.leading_zeros() as usize;
        self.since = self.since.max(last);
    }

    /// What nothing breaks before `end`.
    #[inline]
    fn stretch(&self, end: usize, see: &mut impl See) {
        if end >= self.since + RUN {
            self.long_stretch(see);
        }
    }

    fn long_stretch(&self, see: &mut impl See) {
        let Span { text, .. } = self.span;
        let at = self.since + usize::from(text[self.since] == b' ');
        if word_run(&text[at..], true).is_long() {
            see.mark(Mark::Words, at);
        }
    }

    /// The last run, which a text that goes on may make longer.
    fn end(&self, see: &mut impl See) {
        let Span { text, last, .. } = self.span;
        if last {
            return self.stretch(text.len(), see);
        }
        let blank = text.get(self.since) == Some(&b' ');
        let at = self.since + usize::from(blank);
        let run = word_run(text.get(at..).unwrap_or_default(), true);
        if run.words > 0 && (at + run.bytes == text.len() || run.is_long()) {
            see.mark(Mark::Words, at);
        }
    }
}

/// What the run of digits at `at` looks like is known from the bytes before `end`.
#[inline]
pub(super) fn settled(text: &[u8], at: usize, end: usize) -> bool {
    if end >= at + DIGITS + NEXT {
        return true;
    }
    let known = text.get(at..end).unwrap_or_default();
    let run = known.iter().take_while(|byte| byte.is_ascii_digit());
    known.len() >= run.count() + NEXT
}

/// Runs of digits that begin here, except behind a small letter that no escape has, `_`, `.` or `-`.
#[inline]
fn first_digits(block: &Block, before: &Block) -> u64 {
    let behind = |own: u64, earlier: u64| own << 1 | earlier >> 63;
    let escaped = behind(block.back, before.back);
    // Of the byte before the block, what stands before that would have to be known too.
    let earlier = (before.small & !(before.back << 1)) | before.joint;
    let shut = (block.small & !escaped) | block.joint;
    block.digit & !behind(block.digit, before.digit) & !behind(shut, earlier)
}

/// Where words begin, and behind what may be an escape.
#[inline]
fn word_starts(block: &Block, before: &Block) -> u128 {
    !(joined(before.solid, block.solid) << 1) | joined(before.back, block.back) << 2
}

/// The last of what may be five dashes or more.
#[inline]
fn dashes(joint: u128) -> u128 {
    runs::<DASHES>(joint) & !(joint >> 1)
}

/// Eight on end that begin at a whole byte of the word: sixteen on end have those somewhere.
#[inline]
const fn has_eight(bits: u64) -> bool {
    const { assert!(TOKEN >= 15) };
    let (ones, highest) = (u64::MAX / 0xff, u64::MAX / 0xff * 0x80);
    (!bits).wrapping_sub(ones) & bits & highest != 0
}

/// What breaks a run of words: what is neither a small letter nor a blank, a second blank, the blank behind a word of less
/// than three letters, and the ninth letter of a word and those after it.
#[inline]
fn broken(block: &Block, before: &Block) -> u64 {
    let small = joined(before.small, block.small);
    let blank = joined(before.blank, block.blank);
    let short = blank & (blank << 1 | blank << 2 | blank << 3);
    let long = runs::<{ LONGEST + 1 }>(small);
    ((!(small | blank) | short | long) >> BLOCK) as u64
}

/// Where `LENGTH` bits on end end.
#[inline]
const fn runs<const LENGTH: usize>(mut bits: u128) -> u128 {
    let mut known = 1;
    while known < LENGTH {
        let more = if known < LENGTH - known {
            known
        } else {
            LENGTH - known
        };
        bits &= bits << more;
        known += more;
    }
    bits
}

/// The `length` bits that end at each of these.
#[inline]
const fn widened(mut bits: u128, length: usize) -> u128 {
    let mut known = 1;
    while known < length {
        bits |= bits >> known;
        known *= 2;
    }
    bits
}

#[inline]
fn joined(before: u64, block: u64) -> u128 {
    u128::from(block) << BLOCK | u128::from(before)
}

#[inline]
fn spread(mut bits: u64, mut see: impl FnMut(usize)) {
    while bits != 0 {
        see(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

#[inline]
fn spread_wide(mut bits: u128, mut see: impl FnMut(usize)) {
    while bits != 0 {
        see(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

/// Behind the rest of a word of which no run can be, if one goes on at `at`.
fn beyond_word(text: &[u8], at: usize) -> usize {
    let small = |byte: &u8| byte.is_ascii_lowercase();
    match text[..at].last() {
        Some(before) if small(before) => {
            at + text[at..].iter().take_while(|byte| small(byte)).count()
        }
        Some(_) | None => at,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    type Marks = BTreeSet<(Mark, usize)>;

    impl<F: FnMut(Mark, usize)> See for F {
        fn mark(&mut self, mark: Mark, at: usize) {
            self(mark, at);
        }
    }

    /// Those of words are told again as their runs grow.
    fn marks(text: &[u8], cuts: &[usize]) -> Marks {
        let mut marks = Marks::new();
        let mut from = 0;
        for end in cuts.iter().copied().chain([text.len()]) {
            let span = Span {
                text: &text[..end],
                from,
                last: end == text.len(),
            };
            each(span, None, &mut |mark, at| match mark {
                Mark::Cut => assert!(marks.contains(&(Mark::Beginning, at))),
                _ => marks.extend([(mark, at)]),
            });
            from = end;
        }
        marks
    }

    /// Byte after byte.
    fn plain(text: &[u8]) -> Marks {
        let is = |at: usize, of: fn(&u8) -> bool| text.get(at).is_some_and(of);
        let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.+/=".contains(byte);
        let run = |at: usize, of: fn(&u8) -> bool| {
            let begin = text[..at].iter().rev().take_while(|byte| of(byte)).count();
            let end = text[at..].iter().take_while(|byte| of(byte)).count();
            (begin, end)
        };
        let mut marks = Marks::new();
        for at in 0..text.len() {
            let (rest, before) = (&text[at..], &text[..at]);
            let mut add = |mark, stands: bool| {
                if stands {
                    marks.insert((mark, at));
                }
            };
            add(Mark::Armor, rest.starts_with(b"-----BEGIN"));
            add(Mark::Assignment, matches!(rest[0], b':' | b'='));
            add(Mark::At, rest[0] == b'@');
            add(Mark::Scheme, rest.starts_with(b"://"));
            let escaped = at > 1 && text[at - 2] == b'\\';
            let small = is(at.wrapping_sub(1), u8::is_ascii_lowercase) && !escaped;
            let shut = small || matches!(before.last(), Some(b'_' | b'-' | b'.'));
            let first = run(at, u8::is_ascii_digit);
            add(Mark::Digits, first.0 == 0 && first.1 > 0 && !shut);
            let first = run(at, u8::is_ascii_alphanumeric);
            add(Mark::Solid, first.0 == 0 && first.1 >= SOLID);
            let (begin, end) = run(at, token);
            let starts = escaped || !is(at.wrapping_sub(1), u8::is_ascii_alphanumeric);
            add(Mark::Beginning, end > 0 && begin + end >= TOKEN && starts);
        }
        marks
    }

    proptest::proptest! {
        #[test]
        fn blocks_show_what_bytes_do(text in TEXT) {
            let marks = marks(text.as_bytes(), &[]);
            proptest::prop_assert_eq!(marks, plain(text.as_bytes()));
        }

        #[test]
        fn every_cut_shows_the_same(text in TEXT, cuts in proptest::collection::vec(0usize..300, 0..4)) {
            let (text, mut cuts) = (text.as_bytes(), cuts);
            cuts.retain(|cut| *cut < text.len());
            cuts.sort_unstable();
            proptest::prop_assert_eq!(marks(text, &cuts), plain(text));
        }

        #[test]
        fn tiny_texts_show_the_same(text in "[a-c0-2:=@/._ -]{0,15}") {
            let mut tiny = Marks::new();
            super::tiny(text.as_bytes(), &mut |mark, at| tiny.extend([(mark, at)]));
            let shown = plain(text.as_bytes());
            proptest::prop_assert!(tiny.is_superset(&shown));
            let more = tiny.difference(&shown);
            proptest::prop_assert!(more.into_iter().all(|(mark, _)| *mark == Mark::Digits));
        }
    }

    const TEXT: &str = "([a-c0-2]{0,40}|[A-Za-z0-9_./+=-]{0,40}|://|-{4,6}BEGIN|[ :=@\\\\n.é-]{0,3}|\\\\n[a-z]{0,3}|[0-9]{1,9}[ .-]){0,12}";
}
