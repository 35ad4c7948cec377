//! One of some words, each perhaps with `*` in it, or none of them.

use crate::compile::glob::Glob;
use crate::condition::Reader;
use crate::diagnostic::Fault;
use crate::parse::fields;
use crate::parse::tree::{Entry, Value};
use crate::truth::{Stance, Truth};

/// Longest word taken, in bytes.
const MAX_WORD: usize = 1 << 10;

/// A set of words that something is to be among, or not among.
#[derive(Debug)]
pub(crate) struct Words {
    exact: Box<[Glob]>,
    /// The same in lower case, for where a lenient reader's view is what counts.
    folded: Box<[Glob]>,
    negated: bool,
}

impl Words {
    /// Reads a word, a list of words, or `not:` with one of these.
    pub(crate) fn read(entry: Entry<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        Self::read_with(entry, reader, |_| Ok(()))
    }

    /// The same with each word checked.
    pub(crate) fn read_with(
        entry: Entry<'_>,
        reader: &mut Reader<'_>,
        check: impl Fn(&str) -> Result<(), Fault>,
    ) -> Option<Self> {
        let (entry, negated) = negation(entry, reader)?;
        let texts = fields::texts(entry, reader.findings).values;
        let mut words = Vec::with_capacity(texts.len());
        for text in texts {
            let sound = match is_word(&text.text) {
                true => check(&text.text),
                false => Err(Fault::new("no word that could be met")),
            };
            match sound {
                Ok(()) => words.push(text.text),
                Err(fault) => reader.findings.fault(text.spot, fault),
            }
        }
        let exact = words.iter().map(|word| Glob::new(word.as_bytes()));
        let folded = words
            .iter()
            .map(|word| Glob::new(word.to_lowercase().as_bytes()));
        Some(Self {
            exact: exact.collect(),
            folded: folded.collect(),
            negated,
        })
    }

    /// Whether a word is one of them. A rule that closes takes upper and lower case for one; a rule that opens does not.
    pub(crate) fn judge(&self, word: &str, stance: Stance) -> Truth {
        let lenient = match stance {
            Stance::Each => self.negated,
            Stance::One => !self.negated,
        };
        let among = match lenient {
            true => {
                let word = word.to_lowercase();
                self.folded.iter().any(|own| own.matches(word.as_bytes()))
            }
            false => self.exact.iter().any(|own| own.matches(word.as_bytes())),
        };
        Truth::of(among != self.negated)
    }

    /// The words, if whatever is none of them, in whatever case, is seen not to be meant.
    pub(crate) fn exactly(&self) -> Option<impl Iterator<Item = &str>> {
        let literal = |word: &Glob| word.literal().is_some();
        let told = !self.negated && self.folded.iter().all(literal);
        let text = |word| std::str::from_utf8(Glob::literal(word)?).ok();
        told.then(|| self.folded.iter().filter_map(text))
    }

    /// What is said of something that is not there.
    pub(crate) fn absent(&self) -> Truth {
        Truth::of(self.negated)
    }
}

/// Takes the `not:` off a value, if there is one.
pub(crate) fn negation<'t>(entry: Entry<'t>, reader: &mut Reader<'_>) -> Option<(Entry<'t>, bool)> {
    if !matches!(entry.value.value, Value::Map(_)) {
        return Some((entry, false));
    }
    let key = entry.key.clone();
    let what = "a value that is a map";
    let mut inner = fields::Fields::open(entry.value, what, &["not"], reader.findings)?;
    let mut inner = inner.require("not", reader.findings)?;
    inner.key = key;
    Some((inner, true))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_WORD && !text.chars().any(char::is_control)
}
