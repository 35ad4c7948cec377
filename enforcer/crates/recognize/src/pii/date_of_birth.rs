//! Dates of birth: days that words before them, or their field's name, tell to be such.

use crate::checksum::{is_day, number};
use crate::context::Words;
use crate::digits::digits;
use crate::form::{Form, Rule, stands_free_before, stands_free_behind};
use crate::{Confidence::Medium, Detector, Family, Look, Shapes, Sight, Wake, context};

pub(crate) static DATE_OF_BIRTH: Detector = Detector {
    name: "date_of_birth",
    family: Family::Pii,
    wake: &[Wake::Shape(
        RULE.wakes()
            .or(Shapes::followed(&[1, 2], b' ', ANY))
            .or(Shapes::followed(&[1, 2], b'-', ANY))
            .or(Shapes::bare(&[1, 2]))
            .or(Shapes::tailed(&[1, 2]).with_letters(true)),
    )],
    longest: 24,
    recognise,
    examples: &["1970-01-01", "01/01/1970", "1990-01-01"],
};

/// However many digits follow.
const ANY: &[usize] = &[0, 1, 2, 3, 4, 5, 6, 7];

const WORDS: Words = Words::new(&[
    "dob",
    "birth",
    "birthdate",
    "birthday",
    "birth date",
    "date of birth",
    "born",
    "born on",
    "bday",
    "geburtsdatum",
    "geboren",
    "geb",
    "date de naissance",
    "né le",
    "née le",
    "naissance",
    "fecha de nacimiento",
    "nacimiento",
    "nacido",
    "data di nascita",
    "nato il",
    "nascita",
    "data de nascimento",
    "nascimento",
    "geboortedatum",
    "födelsedatum",
    "fødselsdato",
    "data urodzenia",
    "出生日期",
    "生年月日",
    "생년월일",
]);

const RULE: Rule = Rule {
    forms: &[
        Form::told("9999-99-99A99", Medium),
        Form::told("9999-99-99", Medium),
        Form::told("9999/99/99", Medium),
        Form::told("9999.99.99", Medium),
        Form::told("99/99/9999", Medium),
        Form::told("99-99-9999", Medium),
        Form::told("99.99.9999", Medium),
        Form::told("99 99 9999", Medium),
        Form::told("9/99/9999", Medium),
        Form::told("99/9/9999", Medium),
        Form::told("9/9/9999", Medium),
        Form::told("9.99.9999", Medium),
        Form::told("99.9.9999", Medium),
        Form::told("9.9.9999", Medium),
        Form::told("99/99/99", Medium),
        Form::told("99.99.99", Medium),
    ],
    check,
    words: WORDS,
};

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

fn recognise(look: &Look<'_>) -> Sight {
    match RULE.judge(look) {
        Sight::Nothing => named(look),
        sight => sight,
    }
}

fn check(value: &[u8]) -> bool {
    let value = &value[..digits(value, value.len())];
    let either = |year: u32, one: u32, two: u32| is_day(year, one, two) || is_day(year, two, one);
    let lived = |year: u32| (1900..2100).contains(&year);
    match value.len() {
        8 => {
            let (first, last) = (number(&value[..4]), number(&value[4..]));
            (lived(first) && is_day(first, number(&value[4..6]), number(&value[6..])))
                || (lived(last) && either(last, number(&value[..2]), number(&value[2..4])))
        }
        7 => {
            let year = number(&value[3..]);
            lived(year)
                && (either(year, number(&value[..1]), number(&value[1..3]))
                    || either(year, number(&value[..2]), number(&value[2..3])))
        }
        6 => {
            let year = number(&value[2..]);
            (lived(year) && either(year, number(&value[..1]), number(&value[1..2])))
                || either(0, number(&value[..2]), number(&value[2..4]))
        }
        _ => false,
    }
}

/// `12 March 1985`, `12th Mar 1985`, and of `March 12, 1985` what follows the month.
fn named(look: &Look<'_>) -> Sight {
    let start = look.at;
    if !may_be_day(look) || !stands_free_before(look.text, start) {
        return Sight::Nothing;
    }
    // The words are looked for last: dates are rarer than numbers.
    match read(look) {
        Ok(end) if context::told(look, start, &WORDS) => Sight::Found {
            span: start..end,
            confidence: Medium,
        },
        Err(Short::Open) if context::told(look, start, &WORDS) => Sight::Open { start },
        Ok(_) | Err(_) => Sight::Nothing,
    }
}

/// One look behind one or two digits, which most numbers do not pass.
fn may_be_day(look: &Look<'_>) -> bool {
    let behind = &look.text[look.at + digits(&look.text[look.at..], 2)..];
    let month = |byte: &u8| b"jfmasond".contains(&byte.to_ascii_lowercase());
    match behind {
        [] | [b' ' | b'-' | b's' | b'n' | b'r' | b't'] => true,
        [b',', ..] => behind_month(look),
        [b' ' | b'-', next, ..] => month(next) || (next.is_ascii_digit() && behind_month(look)),
        [b's' | b'n' | b'r' | b't', b't' | b'd' | b'h', ..] => true,
        [next, ..] => month(next),
    }
}

/// Where the date ends.
fn read(look: &Look<'_>) -> Result<usize, Short> {
    let day_end = look.at + digits(&look.text[look.at..], 2);
    let suffix = usize::from(
        look.text[day_end..]
            .first()
            .is_some_and(|byte| b"snrt".contains(byte)),
    ) * 2;
    let year = if behind_month(look) {
        step(look, step(look, day_end + suffix, b",")?, b" ")?
    } else {
        let month = month(look, step(look, day_end + suffix, b" -")?)?;
        step(look, step(look, month, b".,")?, b" -")?
    };
    let end = year + digits(look.text.get(year..).unwrap_or_default(), 4);
    if end < year + 4 {
        let open = end >= look.text.len() && !look.last;
        return Err(if open { Short::Open } else { Short::Not });
    }
    let right = (1900..2100).contains(&number(&look.text[year..end]))
        && (1..=31).contains(&number(&look.text[look.at..day_end]));
    match stands_free_behind(look, end) {
        None => Err(Short::Open),
        Some(true) if right => Ok(end),
        Some(_) => Err(Short::Not),
    }
}

/// Why no date could be read on.
enum Short {
    Not,
    Open,
}

/// One of `bytes` is passed, if it is there.
fn step(look: &Look<'_>, at: usize, bytes: &[u8]) -> Result<usize, Short> {
    match look.text.get(at) {
        Some(byte) => Ok(at + usize::from(bytes.contains(byte))),
        None if look.last => Err(Short::Not),
        None => Err(Short::Open),
    }
}

/// The name of a month is passed.
fn month(look: &Look<'_>, at: usize) -> Result<usize, Short> {
    let rest = look.text.get(at..).unwrap_or_default();
    let length = rest
        .iter()
        .take(10)
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    if length == rest.len() && !look.last {
        return Err(Short::Open);
    }
    if is_month(&rest[..length]) {
        Ok(at + length)
    } else {
        Err(Short::Not)
    }
}

fn behind_month(look: &Look<'_>) -> bool {
    let from = look.at.saturating_sub(12);
    let Some(near) = look.text[from..look.at].strip_suffix(b" ") else {
        return false;
    };
    let near = near.strip_suffix(b".").unwrap_or(near);
    let word = near
        .iter()
        .rposition(|byte| !byte.is_ascii_alphabetic())
        .map_or(0, |last| last + 1);
    is_month(&near[word..])
}

/// A month's name, whole or by its first three letters.
fn is_month(word: &[u8]) -> bool {
    let Some((first, rest)) = word.split_first_chunk::<3>() else {
        return false;
    };
    let first = first.map(|byte| byte.to_ascii_lowercase());
    let mut months = MONTHS.iter().map(|month| month.as_bytes());
    let known = months.find_map(|month| month.strip_prefix(&first));
    known.is_some_and(|whole| {
        rest.is_empty()
            || rest.eq_ignore_ascii_case(whole)
            || (&first == b"sep" && rest.eq_ignore_ascii_case(b"t"))
    })
}
