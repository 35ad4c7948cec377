//! An expression, matched longest first from every place, with an automaton that is built while it runs.

use std::fmt;
use std::ops::Range;

use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_automata::util::pool::Pool;
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::hir::{Hir, HirKind, Look};

use super::{LONGEST, Part};
use crate::RuleError;

/// How large the automaton of one expression may become before it is built, and while it runs.
const NFA_BYTES: usize = 1 << 20;
const CACHE_BYTES: usize = 2 << 20;

type Make =
    Box<dyn Fn() -> Cache + Send + Sync + std::panic::UnwindSafe + std::panic::RefUnwindSafe>;

/// An expression.
pub(crate) struct Pattern {
    dfa: DFA,
    caches: Pool<Cache, Make>,
    longest: usize,
    /// The bytes with which a match can begin.
    first: [bool; 256],
}

/// What is to be seen from one place.
enum Seen {
    Match(usize),
    Nothing,
    Open,
}

impl Pattern {
    pub(crate) fn new(
        rule: &str,
        name: &str,
        pattern: &str,
        stated: Option<usize>,
    ) -> Result<Self, RuleError> {
        let wrong = |why: String| RuleError::Regex {
            rule: rule.to_owned(),
            name: name.to_owned(),
            why,
        };
        let hir = parse(pattern).map_err(wrong)?;
        if hir
            .properties()
            .minimum_len()
            .is_none_or(|least| least == 0)
        {
            return Err(wrong("it matches where there is nothing".to_owned()));
        }
        let longest = match (stated, hir.properties().maximum_len()) {
            (Some(stated), own) => own.map_or(stated, |own| own.min(stated)),
            (None, Some(own)) => own,
            (None, None) => usize::MAX,
        };
        if longest > LONGEST || longest == 0 {
            return Err(RuleError::Unbounded {
                rule: rule.to_owned(),
                name: name.to_owned(),
                most: LONGEST,
            });
        }
        Self::build(&hir, longest).map_err(wrong)
    }

    fn build(hir: &Hir, longest: usize) -> Result<Self, String> {
        let config = thompson::Config::new()
            .utf8(false)
            .nfa_size_limit(Some(NFA_BYTES))
            .which_captures(WhichCaptures::None);
        let nfa: NFA = thompson::Compiler::new()
            .configure(config)
            .build_from_hir(hir)
            .map_err(|error| error.to_string())?;
        let dfa = DFA::builder()
            .configure(
                DFA::config()
                    .match_kind(MatchKind::All)
                    .cache_capacity(CACHE_BYTES)
                    .skip_cache_capacity_check(true),
            )
            .build_from_nfa(nfa)
            .map_err(|error| error.to_string())?;
        let maker = dfa.clone();
        let make: Make = Box::new(move || maker.create_cache());
        let first = first(&dfa)?;
        Ok(Self {
            dfa,
            caches: Pool::new(make),
            longest,
            first,
        })
    }

    pub(super) fn scan(&self, part: Part<'_>, found: &mut impl FnMut(Range<usize>)) -> usize {
        let Part { text, from, last } = part;
        let mut cache = self.caches.get();
        let mut at = from;
        while let Some(byte) = text.get(at) {
            if !self.first[usize::from(*byte)] {
                at += 1;
                continue;
            }
            match self.look(&mut cache, text, at, last) {
                Some(Seen::Match(end)) => {
                    found(at..end);
                    at = end;
                }
                Some(Seen::Nothing) => at += 1,
                Some(Seen::Open) => return at,
                // The automaton gave up, which its configuration rules out: what it cannot judge is taken for a match.
                None => {
                    let end = text.len().min(at + self.longest);
                    found(at..end);
                    at = end;
                }
            }
        }
        at
    }

    /// The longest match that begins at `at`.
    fn look(&self, cache: &mut Cache, text: &[u8], at: usize, last: bool) -> Option<Seen> {
        let input = Input::new(text).range(at..).anchored(Anchored::Yes);
        let mut state = self.dfa.start_state_forward(cache, &input).ok()?;
        let mut end = None;
        // An automaton tells of a match one byte late.
        for place in at..=at + self.longest {
            let Some(byte) = text.get(place) else {
                if !last {
                    return Some(Seen::Open);
                }
                state = self.dfa.next_eoi_state(cache, state).ok()?;
                end = if state.is_match() { Some(place) } else { end };
                break;
            };
            state = self.dfa.next_state(cache, state, *byte).ok()?;
            if state.is_match() {
                end = Some(place);
            } else if state.is_dead() {
                break;
            } else if state.is_quit() {
                return None;
            }
        }
        Some(match end.filter(|end| *end > at) {
            Some(end) => Seen::Match(end),
            None => Seen::Nothing,
        })
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pattern")
    }
}

/// The bytes with which a match can begin, whatever stands before.
fn first(dfa: &DFA) -> Result<[bool; 256], String> {
    let mut first = [false; 256];
    let mut cache = dfa.create_cache();
    for before in ["", "a", " ", "\n", "\r"] {
        let input = Input::new(before)
            .range(before.len()..)
            .anchored(Anchored::Yes);
        for byte in 0..=u8::MAX {
            let start: LazyStateID = dfa
                .start_state_forward(&mut cache, &input)
                .map_err(|error| error.to_string())?;
            let next = dfa
                .next_state(&mut cache, start, byte)
                .map_err(|error| error.to_string())?;
            if !next.is_dead() {
                first[usize::from(byte)] = true;
            }
        }
    }
    Ok(first)
}

fn parse(pattern: &str) -> Result<Hir, String> {
    let hir = regex_syntax::ParserBuilder::new()
        .utf8(false)
        .build()
        .parse(pattern)
        .map_err(|error| error.to_string())?;
    Ok(ascii(hir))
}

/// The same with word boundaries of ASCII: the one byte behind a match has to be enough to judge it.
fn ascii(hir: Hir) -> Hir {
    match hir.into_kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Look(look) => Hir::look(match look {
            Look::WordUnicode => Look::WordAscii,
            Look::WordUnicodeNegate => Look::WordAsciiNegate,
            Look::WordStartUnicode => Look::WordStartAscii,
            Look::WordEndUnicode => Look::WordEndAscii,
            Look::WordStartHalfUnicode => Look::WordStartHalfAscii,
            Look::WordEndHalfUnicode => Look::WordEndHalfAscii,
            Look::Start
            | Look::End
            | Look::StartLF
            | Look::EndLF
            | Look::StartCRLF
            | Look::EndCRLF
            | Look::WordAscii
            | Look::WordAsciiNegate
            | Look::WordStartAscii
            | Look::WordEndAscii
            | Look::WordStartHalfAscii
            | Look::WordEndHalfAscii => look,
        }),
        HirKind::Repetition(mut repetition) => {
            repetition.sub = Box::new(ascii(*repetition.sub));
            Hir::repetition(repetition)
        }
        HirKind::Capture(mut capture) => {
            capture.sub = Box::new(ascii(*capture.sub));
            Hir::capture(capture)
        }
        HirKind::Concat(parts) => Hir::concat(parts.into_iter().map(ascii).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.into_iter().map(ascii).collect()),
    }
}
