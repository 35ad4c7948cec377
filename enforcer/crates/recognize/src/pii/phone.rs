//! Telephone numbers: international ones by E.164, and those of North America and some other countries as they are written there.

use crate::checksum::number;
use crate::context::Words;
use crate::form::{Form, Rule, stands_free_before, stands_free_behind};
use crate::{
    Confidence::{High, Low, Medium},
    Detector, Family, Look, Shapes, Sight, Wake, context,
};

pub(crate) static PHONE: Detector = Detector {
    name: "phone",
    family: Family::Pii,
    wake: &[Wake::Shape(
        Shapes::grouped(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14])
            .or(Shapes::bare(&[8, 9, 10, 11, 12, 13, 14, 15]))
            .behind_plus()
            .or(AMERICA.wakes())
            .or(ELSEWHERE.wakes()),
    )],
    longest: 32,
    recognise,
    examples: &[
        "+1 555 0100",
        "555-0100",
        "+15555550100",
        "+44 20 7946 0958",
        "+12025550123",
        "(555) 555-5555",
        "555-555-5555",
    ],
};

const WORDS: Words = Words::new(&[
    "phone",
    "phone number",
    "tel",
    "telephone",
    "mobile",
    "cell phone",
    "cell number",
    "call me",
    "call us",
    "call at",
    "my number",
    "fax",
    "whatsapp",
    "sms",
    "text me",
    "téléphone",
    "telefon",
    "teléfono",
    "telefono",
    "móvil",
    "mobil",
    "contact number",
    "电话",
    "電話",
    "手机",
]);

/// Area and exchange begin with 2 to 9 and are no service codes.
const AMERICA: Rule = Rule {
    forms: &[
        Form::new("9-999-999-9999", Medium, High),
        Form::new("9 999 999 9999", Low, High),
        Form::new("9.999.999.9999", Low, High),
        Form::new("999) 999-9999", Medium, High),
        Form::new("999)999-9999", Medium, High),
        Form::new("999) 999 9999", Medium, High),
        Form::new("999-999-9999", Medium, High),
        Form::new("999.999.9999", Low, High),
        Form::new("999 999 9999", Low, High),
        Form::told("9999999999", Medium),
    ],
    check: |value| american(value.strip_prefix(b"1").unwrap_or(value)),
    words: WORDS,
};

/// Begins with the 0 of national numbers, or is told of.
const ELSEWHERE: Rule = Rule {
    forms: &[
        Form::new("99 99 99 99 99", Low, High),
        Form::told("99.99.99.99.99", High),
        Form::told("99-99-99-99-99", High),
        Form::new("999 9999 9999", Low, High),
        Form::new("9999 999 9999", Low, High),
        Form::told("999-9999-9999", High),
        Form::told("99-9999-9999", High),
        Form::new("99999 999999", Low, High),
        Form::new("99999 999 999", Low, High),
        Form::told("9999 9999999", High),
        Form::told("9999 999999", High),
        Form::told("9999 99999999", High),
        Form::told("999 99999999", High),
        Form::told("999 9999999", High),
        Form::told("99999999999", Medium),
        Form::told("9999999999", Medium),
    ],
    check: |value| value[0] == b'0' && value[1] != b'0',
    words: WORDS,
};

fn recognise(look: &Look<'_>) -> Sight {
    if look.at > 0 && look.text[look.at - 1] == b'+' {
        return international(look);
    }
    match AMERICA.judge(look) {
        Sight::Nothing => ELSEWHERE.judge(look),
        sight => sight,
    }
}

/// As many groups of digits as make at most fifteen digits.
fn international(look: &Look<'_>) -> Sight {
    let start = look.at - 1;
    if !stands_free_before(look.text, start) || look.text[look.at] == b'0' {
        return Sight::Nothing;
    }
    let mut digits = [0; 15];
    let mut read = Read {
        count: 0,
        groups: 0,
        end: look.at,
    };
    let mut at = look.at;
    loop {
        let group = look.text[at..]
            .iter()
            .take(16)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if at + group == look.text.len() && !look.last && read.count + group <= digits.len() {
            return Sight::Open { start };
        }
        let Some(place) = digits.get_mut(read.count..read.count + group) else {
            break;
        };
        place.copy_from_slice(&look.text[at..at + group]);
        read = Read {
            count: read.count + group,
            groups: read.groups + 1,
            end: at + group,
        };
        match joint(look, read.end) {
            None => return Sight::Open { start },
            Some(0) => break,
            Some(joint) => at = read.end + joint,
        }
    }
    judge(look, start, &digits[..read.count], &read)
}

/// What has been read of an international number.
struct Read {
    count: usize,
    groups: usize,
    end: usize,
}

fn judge(look: &Look<'_>, start: usize, digits: &[u8], read: &Read) -> Sight {
    match stands_free_behind(look, read.end) {
        None => return Sight::Open { start },
        Some(false) => return Sight::Nothing,
        Some(true) => {}
    }
    let plausible = match digits {
        [b'1', rest @ ..] => american(rest),
        [first, second, ..] => {
            digits.len() >= 8
                && !matches!((first, second), (b'2', b'8') | (b'8', b'3' | b'9'))
                && !digits.starts_with(b"999")
        }
        _ => false,
    };
    if !plausible {
        return Sight::Nothing;
    }
    let confidence = if context::told(look, start, &WORDS) {
        High
    } else if read.groups > 1 || digits.len() > 9 {
        Medium
    } else {
        Low
    };
    Sight::Found {
        span: start..read.end,
        confidence,
    }
}

/// How many bytes stand between this group and the next: none if there is no next, unknown where the text ends before one.
fn joint(look: &Look<'_>, end: usize) -> Option<usize> {
    let between = look.text[end..]
        .iter()
        .take(3)
        .take_while(|byte| b" -.()/".contains(byte))
        .count();
    match look.text.get(end + between) {
        Some(byte) if byte.is_ascii_digit() => Some(between),
        Some(_) => Some(0),
        None if look.last => Some(0),
        None if between > 2 => Some(0),
        None => None,
    }
}

fn american(digits: &[u8]) -> bool {
    let [area, second, third, exchange, fourth, fifth, ..] = digits else {
        return false;
    };
    digits.len() == 10
        && *area > b'1'
        && *second != b'9'
        && (*second, *third) != (b'1', b'1')
        && *exchange > b'1'
        && (*fourth, *fifth) != (b'1', b'1')
        && number(&digits[1..]) > 0
}
