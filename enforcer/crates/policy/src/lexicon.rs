//! All keywords and patterns of a set, looked for in one pass over a text each.
//!
//! Texts are folded first, so that case, compatibility forms, invisible characters and runs of white space hide nothing.

use std::borrow::Cow;
use std::collections::HashMap;

use aho_corasick::AhoCorasick;
use caseless::Caseless as _;
use regex_automata::meta::{self, Regex};
use regex_automata::{Input, PatternSet};
use regex_syntax::hir::Hir;
use unicode_normalization::UnicodeNormalization as _;

use crate::diagnostic::Fault;

/// Largest automaton built of all patterns of a set, in bytes.
const MAX_AUTOMATON: usize = 64 << 20;
/// Longest keyword or pattern, in bytes.
const MAX_PATTERN: usize = 4 << 10;

/// Keywords and patterns as they are found in policies.
#[derive(Debug, Default)]
pub(crate) struct Lexicon {
    words: HashMap<String, usize>,
    patterns: HashMap<String, usize>,
    hirs: Vec<Hir>,
}

/// All of them, compiled.
#[derive(Debug, Default)]
pub(crate) struct Automata {
    words: Option<AhoCorasick>,
    patterns: Option<Regex>,
}

/// A keyword or a pattern of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Term {
    Pattern(usize),
    Word(usize),
}

/// Which keywords and patterns are in a text.
#[derive(Debug, Default)]
pub(crate) struct Hits {
    words: Vec<u64>,
    patterns: Option<PatternSet>,
}

// === impl Lexicon ===

impl Lexicon {
    /// Files a keyword.
    pub(crate) fn word(&mut self, text: &str) -> Result<Term, Fault> {
        let folded = fold(text);
        let folded = folded.trim();
        if folded.is_empty() {
            let fault = Fault::new("a keyword without a letter or sign that could be seen");
            return Err(fault.with_hint("write what is to be found in the text"));
        }
        if text.len() > MAX_PATTERN {
            return Err(Fault::new(format!(
                "a keyword of more than {MAX_PATTERN} bytes"
            )));
        }
        let next = self.words.len();
        let at = *self.words.entry(folded.to_owned()).or_insert(next);
        Ok(Term::Word(at))
    }

    /// Files a regular expression. What is wrong with it comes with the place in it.
    pub(crate) fn pattern(&mut self, text: &str) -> Result<Term, (Fault, usize)> {
        if let Some(at) = self.patterns.get(text) {
            return Ok(Term::Pattern(*at));
        }
        if text.is_empty() || text.len() > MAX_PATTERN {
            let fault = Fault::new(format!("a pattern has between 1 and {MAX_PATTERN} bytes"));
            return Err((fault, 0));
        }
        let mut parser = regex_syntax::ParserBuilder::new()
            .case_insensitive(true)
            .nest_limit(64)
            .build();
        let hir = parser.parse(text).map_err(|error| explain(&error))?;
        if hir.properties().minimum_len() == Some(0) {
            let fault = Fault::new(format!("`{text}` matches everywhere, even in nothing"));
            return Err((fault.with_hint("ask for at least one character"), 0));
        }
        Regex::builder()
            .configure(limits(MAX_AUTOMATON / 4))
            .build_from_hir(&hir)
            .map_err(|_| (Fault::new("a pattern that is too large to look for"), 0))?;
        let at = self.hirs.len();
        self.hirs.push(hir);
        self.patterns.insert(text.to_owned(), at);
        Ok(Term::Pattern(at))
    }

    /// Compiles all that was filed.
    ///
    /// # Errors
    /// When it is too much.
    pub(crate) fn compile(self) -> Result<Automata, Fault> {
        let Self {
            words,
            patterns: _,
            hirs,
        } = self;
        let too_large = |_| Fault::new("all keywords and patterns together are too many");
        let mut ordered: Vec<(String, usize)> = words.into_iter().collect();
        ordered.sort_unstable_by_key(|(_, at)| *at);
        let words = match ordered.is_empty() {
            true => None,
            false => {
                let words = ordered.iter().map(|(word, _)| word);
                Some(AhoCorasick::new(words).map_err(|_| too_large(()))?)
            }
        };
        let patterns = match hirs.is_empty() {
            true => None,
            false => {
                let mut builder = Regex::builder();
                builder.configure(limits(MAX_AUTOMATON));
                Some(
                    builder
                        .build_many_from_hir(&hirs)
                        .map_err(|_| too_large(()))?,
                )
            }
        };
        Ok(Automata { words, patterns })
    }
}

fn limits(bytes: usize) -> meta::Config {
    meta::Config::new()
        .nfa_size_limit(Some(bytes))
        .match_kind(regex_automata::MatchKind::All)
}

fn explain(error: &regex_syntax::Error) -> (Fault, usize) {
    let (why, at) = match error {
        regex_syntax::Error::Parse(error) => (error.kind().to_string(), error.span().start.offset),
        regex_syntax::Error::Translate(error) => {
            (error.kind().to_string(), error.span().start.offset)
        }
        _ => ("it cannot be read".to_owned(), 0),
    };
    let fault = Fault::new(format!("no regular expression: {why}"));
    let hint = "the syntax is that of the Rust regex crate; write `\\` before signs that stand for themselves";
    (fault.with_hint(hint), at)
}

// === impl Automata ===

impl Automata {
    /// Which keywords and patterns are in a text.
    pub(crate) fn search(&self, text: &str) -> Hits {
        let folded = fold(text);
        let mut hits = Hits::default();
        if let Some(words) = &self.words {
            hits.words = vec![0; words.patterns_len().div_ceil(64)];
            for found in words.find_overlapping_iter(&*folded) {
                hits.set(found.pattern().as_usize());
            }
        }
        if let Some(patterns) = &self.patterns {
            let mut set = PatternSet::new(patterns.pattern_len());
            patterns.which_overlapping_matches(&Input::new(&*folded), &mut set);
            hits.patterns = Some(set);
        }
        hits
    }
}

// === impl Hits ===

impl Hits {
    pub(crate) fn has(&self, term: Term) -> bool {
        match term {
            Term::Word(at) => self
                .words
                .get(at / 64)
                .is_some_and(|bits| bits & (1 << (at % 64)) != 0),
            Term::Pattern(at) => {
                let id = regex_automata::PatternID::new(at).ok();
                let set = self.patterns.as_ref();
                id.is_some_and(|id| set.is_some_and(|set| set.contains(id)))
            }
        }
    }

    /// Takes in what is in another text.
    pub(crate) fn join(&mut self, other: &Self) {
        if self.words.is_empty() {
            self.words.clone_from(&other.words);
        } else {
            for (own, other) in self.words.iter_mut().zip(&other.words) {
                *own |= other;
            }
        }
        match (&mut self.patterns, &other.patterns) {
            (Some(own), Some(other)) => {
                for pattern in other.iter() {
                    own.insert(pattern);
                }
            }
            (own @ None, other) => own.clone_from(other),
            (Some(_), None) => {}
        }
    }

    fn set(&mut self, at: usize) {
        if let Some(bits) = self.words.get_mut(at / 64) {
            *bits |= 1 << (at % 64);
        }
    }
}

/// A text as it is looked through: compatibility forms composed (NFKC), case folded, what cannot be seen left out, and each
/// run of white space as one space.
pub(crate) fn fold(text: &str) -> Cow<'_, str> {
    let plain = |byte: u8| matches!(byte, b'!'..=b'@' | b'['..=b'~');
    if text.bytes().all(plain) {
        return Cow::Borrowed(text);
    }
    let mut folded = String::with_capacity(text.len());
    let mut push = |c: char| match c {
        c if c.is_whitespace() => {
            if !folded.ends_with(' ') {
                folded.push(' ');
            }
        }
        c => folded.push(c),
    };
    if text.is_ascii() {
        text.chars()
            .filter(|c| !is_invisible(*c))
            .for_each(|c| push(c.to_ascii_lowercase()));
    } else {
        text.chars()
            .filter(|c| !is_invisible(*c))
            .nfkc()
            .default_case_fold()
            .nfkc()
            .filter(|c| !is_invisible(*c))
            .for_each(&mut push);
    }
    Cow::Owned(folded)
}

/// Characters that show nothing and only part what belongs together: controls, format characters, fillers, variation
/// selectors and tags.
fn is_invisible(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_hides_nothing() {
        for (text, folded) in [
            ("Salary", "salary"),
            ("SALARY", "salary"),
            ("sal\u{200b}ary", "salary"),
            ("s\u{ad}a\u{2060}l\u{feff}ary", "salary"),
            ("\u{ff33}\u{ff41}\u{ff4c}\u{ff41}\u{ff52}\u{ff59}", "salary"),
            (
                "\u{1d42c}\u{1d41a}\u{1d425}\u{1d41a}\u{1d42b}\u{1d432}",
                "salary",
            ),
            ("STRASSE", "strasse"),
            ("Stra\u{df}e", "strasse"),
            ("rm \t\n  -rf", "rm -rf"),
            ("rm\u{a0}-rf", "rm -rf"),
            ("e\u{301}", "\u{e9}"),
            ("\u{e0041}a", "a"),
        ] {
            assert_eq!(fold(text), folded, "{text:?}");
        }
    }

    #[test]
    fn every_term_is_found_by_one_search() {
        let mut lexicon = Lexicon::default();
        let salary = lexicon.word("Salary").unwrap();
        let sal = lexicon.word("sal").unwrap();
        let again = lexicon.word("SALARY").unwrap();
        let iban = lexicon.pattern(r"\b[a-z]{2}\d{2}(?: ?\d{4}){3,}").unwrap();
        let key = lexicon.pattern(r"sk-[A-Z0-9]{8}").unwrap();
        assert_eq!(salary, again);
        let automata = lexicon.compile().unwrap();
        let hits = automata.search("The SALARY goes to DE12 3456 7890 1234");
        assert!(hits.has(salary) && hits.has(sal) && hits.has(iban) && !hits.has(key));
        let hits = automata.search("sk-abcd1234");
        assert!(hits.has(key) && !hits.has(salary) && !hits.has(iban));
    }
}
