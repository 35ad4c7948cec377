//! Values of fixed forms: digits and letters at known places, a check over them, and words that tell of them.

use crate::context::Words;
use crate::digits::digits;
use crate::{Confidence, Detector, Family, Look, Shapes, Sight, Wake, context, shapes};

/// The most letters and digits that a value of a form has.
const MOST: usize = 24;

/// How one kind of value is written, checked and told of.
pub(crate) struct Rule {
    /// Longer ones before shorter ones that they begin with.
    pub(crate) forms: &'static [Form],
    /// Its letters and digits, letters as capitals, without what stands between them.
    pub(crate) check: fn(&[u8]) -> bool,
    /// Words before a value, or in the name of its field, that tell of it; see [`context`].
    pub(crate) words: Words,
}

/// One way to write it.
pub(crate) struct Form {
    /// `9` is a digit, `A` a letter; what else it has is itself. What stands before the first digit is
    /// capital letters; where something is between, they are asked for but no part of the value.
    shape: &'static [u8],
    /// How many bytes of it stand before the first digit, how many digits follow them, and what stands behind those.
    lead: usize,
    run: usize,
    next: Option<u8>,
    /// How far behind the first digit the next stands that is no digit, and what it is.
    later: Option<(usize, u8)>,
    /// Without any word that tells of it; `None` is not to be seen then.
    alone: Option<Confidence>,
    /// With such a word.
    told: Confidence,
}

/// What a form is to a text.
enum Fit {
    Fits { start: usize, end: usize },
    Not,
    Open { start: usize },
}

/// The run of digits at which the detector was woken.
struct Run<'a> {
    /// What begins with it.
    known: &'a [u8],
    length: usize,
    /// What stands behind it; `None` if the text ends there.
    behind: Option<u8>,
}

/// The letters and digits of a value.
struct Compact {
    bytes: [u8; MOST],
    length: usize,
}

impl Rule {
    /// What finds it in texts, woken by its forms; `recognise` calls [`Rule::judge`] of this rule.
    pub(crate) const fn detector(
        &self,
        name: &'static str,
        wake: &'static [Wake],
        recognise: fn(&Look<'_>) -> Sight,
    ) -> Detector {
        Detector {
            name,
            family: Family::Pii,
            wake,
            longest: self.longest(),
            recognise,
            examples: &[],
        }
    }

    /// The runs of digits with which its forms begin.
    pub(crate) const fn wakes(&self) -> Shapes {
        let mut all = Shapes::NONE;
        let mut next = 0;
        while next < self.forms.len() {
            all = all.or(self.forms[next].wakes());
            next += 1;
        }
        all
    }

    /// The most bytes that one of its forms takes.
    pub(crate) const fn longest(&self) -> usize {
        let mut longest = 0;
        let mut next = 0;
        while next < self.forms.len() {
            let length = self.forms[next].shape.len();
            longest = if length > longest { length } else { longest };
            next += 1;
        }
        longest
    }

    /// What is to be seen of it.
    pub(crate) fn judge(&self, look: &Look<'_>) -> Sight {
        let run = Run::at(look);
        let rest = look.text.len().saturating_sub(look.at);
        let fits = |form: &&Form| form.can_fit(&run) && !(look.last && form.ends_beyond(rest));
        // Most forms begin where the detector was woken: for them, words are looked for once.
        let mut here = None;
        let mut told = |start| {
            if start != look.at {
                return context::told(look, start, &self.words);
            }
            *here.get_or_insert_with(|| context::told(look, start, &self.words))
        };
        for form in self.forms.iter().filter(fits) {
            // Dates are many, and few of them are of birth.
            if form.alone.is_none() && form.lead == 0 && !told(look.at) {
                continue;
            }
            match self.seen(form, look, &mut told) {
                Sight::Nothing => {}
                sight => return sight,
            }
        }
        Sight::Nothing
    }

    /// What is to be seen of one form.
    fn seen(&self, form: &Form, look: &Look<'_>, told: &mut impl FnMut(usize) -> bool) -> Sight {
        let mut compact = Compact {
            bytes: [0; MOST],
            length: 0,
        };
        match form.fit(look, &mut compact) {
            Fit::Open { start } if form.alone.is_some() || told(start) => Sight::Open { start },
            Fit::Fits { start, end } if self.is_sound(&compact) => {
                let confidence = if told(start) {
                    Some(form.told)
                } else {
                    form.alone
                };
                confidence.map_or(Sight::Nothing, |confidence| Sight::Found {
                    span: start..end,
                    confidence,
                })
            }
            Fit::Fits { .. } | Fit::Not | Fit::Open { .. } => Sight::Nothing,
        }
    }

    /// It is not one byte again and again, and what is checked is right.
    fn is_sound(&self, compact: &Compact) -> bool {
        let value = &compact.bytes[..compact.length];
        value.split_first().is_some_and(|(first, rest)| {
            !rest.iter().all(|byte| byte == first) && (self.check)(value)
        })
    }
}

impl Form {
    /// Seen without words that tell of it too.
    pub(crate) const fn new(shape: &'static str, alone: Confidence, told: Confidence) -> Self {
        Self::of(shape.as_bytes(), Some(alone), told)
    }

    /// Seen only where words tell of it.
    pub(crate) const fn told(shape: &'static str, told: Confidence) -> Self {
        Self::of(shape.as_bytes(), None, told)
    }

    const fn of(shape: &'static [u8], alone: Option<Confidence>, told: Confidence) -> Self {
        let mut lead = 0;
        while lead < shape.len() && shape[lead] != b'9' {
            lead += 1;
        }
        let mut behind = lead;
        while behind < shape.len() && shape[behind] == b'9' {
            behind += 1;
        }
        let next = if behind < shape.len() {
            Some(shape[behind])
        } else {
            None
        };
        let mut end = behind + 1;
        while end < shape.len() && shape[end] == b'9' {
            end += 1;
        }
        let later = if end < shape.len() {
            Some((end - lead, shape[end]))
        } else {
            None
        };
        Self {
            shape,
            lead,
            run: behind - lead,
            next,
            later,
            alone,
            told,
        }
    }

    const fn wakes(&self) -> Shapes {
        let length = if self.run > 15 { 15 } else { self.run };
        if self.lead > 0 && self.shape[self.lead - 1] == b'A' {
            let letter = matches!(self.next, Some(b'A'));
            return Shapes::lettered(&[length]).before_letter(letter);
        }
        match self.next {
            None => Shapes::bare(&[length]).or(Shapes::grouped(&[length])),
            Some(b'A') => Shapes::tailed(&[length]).with_letters(self.goes_on_with_letters()),
            Some(sign) => Shapes::followed(&[length], sign, &[self.following()]),
        }
    }

    /// Behind the first digits stand two letters at least.
    const fn goes_on_with_letters(&self) -> bool {
        let second = self.lead + self.run + 1;
        second < self.shape.len() && self.shape[second] == b'A'
    }

    /// How many digits stand behind what is behind the first.
    const fn following(&self) -> usize {
        let from = self.lead + self.run + 1;
        let mut end = from;
        while end < self.shape.len() && self.shape[end] == b'9' {
            end += 1;
        }
        end - from
    }

    /// One look at the run of digits, which most forms do not pass, and one at what stands where it goes on.
    fn can_fit(&self, run: &Run<'_>) -> bool {
        let Some(behind) = run.behind else {
            return self.run >= run.length;
        };
        let goes_on = self.run == run.length
            && match self.next {
                None => !behind.is_ascii_alphanumeric(),
                Some(b'A') => behind.is_ascii_alphabetic(),
                Some(sign) => behind == sign,
            };
        goes_on
            && self.later.is_none_or(|(at, sign)| {
                let later = run.known.get(at);
                later.is_none_or(|byte| sign == b'A' || *byte == sign)
            })
    }

    /// More bytes stand in it from the first digit on than so many.
    fn ends_beyond(&self, rest: usize) -> bool {
        self.shape.len() > self.lead + rest
    }

    fn fit(&self, look: &Look<'_>, compact: &mut Compact) -> Fit {
        let lead = self.lead;
        let Some(from) = look.at.checked_sub(lead) else {
            return Fit::Not;
        };
        let apart = lead > 0 && self.shape[lead - 1] != b'A';
        let start = if apart { look.at } else { from };
        let end = from + self.shape.len();
        // Of what is longer than the form, one look behind its end tells.
        let longer = end < look.text.len() && stands_free_behind(look, end) == Some(false);
        if longer || !stands_free_before(look.text, from) {
            return Fit::Not;
        }
        let mut text = look.text[from..].iter();
        for expected in self.shape {
            let Some(byte) = text.next() else {
                return if look.last {
                    Fit::Not
                } else {
                    Fit::Open { start }
                };
            };
            let fits = match expected {
                b'9' => byte.is_ascii_digit(),
                b'A' => byte.is_ascii_alphabetic(),
                other => byte == other,
            };
            if !fits {
                return Fit::Not;
            }
            if byte.is_ascii_alphanumeric() {
                compact.push(byte.to_ascii_uppercase());
            }
        }
        match stands_free_behind(look, end) {
            Some(true) => Fit::Fits { start, end },
            Some(false) => Fit::Not,
            None => Fit::Open { start },
        }
    }
}

impl<'a> Run<'a> {
    fn at(look: &Look<'a>) -> Self {
        let known = look.text.get(look.at..).unwrap_or_default();
        let length = digits(known, MOST);
        Self {
            known,
            length,
            behind: known.get(length).copied(),
        }
    }
}

impl Compact {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }
}

/// What stands before a number or an identifier does not make it part of something longer, or a price.
pub(crate) fn stands_free_before(text: &[u8], start: usize) -> bool {
    let Some(before) = start.checked_sub(1) else {
        return true;
    };
    match text[before] {
        b'_' | b'-' | b'.' | b'$' | b'+' => false,
        byte => !byte.is_ascii_alphanumeric() || shapes::after_escape(text, start),
    }
}

/// Likewise behind it; `None` where that is not known yet.
pub(crate) fn stands_free_behind(look: &Look<'_>, end: usize) -> Option<bool> {
    match look.text.get(end) {
        Some(b'_' | b'-' | b'@') => Some(false),
        Some(byte) => Some(!byte.is_ascii_alphanumeric()),
        None => look.last.then_some(true),
    }
}
