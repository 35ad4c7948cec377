//! Names of persons, which only the name of their field tells.

use crate::{
    Confidence::{self, High, Low, Medium},
    Detector, Family, Look, Sight, Wake,
};

pub(crate) static PERSON_NAME: Detector = Detector {
    name: "person_name",
    family: Family::Pii,
    wake: &[Wake::Field],
    longest: LONGEST,
    recognise,
    examples: &[
        "John Doe",
        "Jane Doe",
        "John Smith",
        "Max Mustermann",
        "Erika Mustermann",
    ],
};

/// A longer text is no name.
const LONGEST: usize = 80;

/// Fields that hold nothing else; without what joins their words.
const SURE: &[&str] = &[
    "firstname",
    "lastname",
    "fullname",
    "surname",
    "givenname",
    "familyname",
    "middlename",
    "forename",
    "maidenname",
    "patientname",
    "customername",
    "employeename",
    "cardholdername",
    "cardholder",
    "nameoncard",
    "accountholder",
    "accountholdername",
    "beneficiaryname",
    "payeename",
    "recipientname",
    "contactname",
    "guestname",
    "passengername",
    "membername",
    "personname",
    "legalname",
    "billingname",
    "shippingname",
    "fname",
    "lname",
    "vorname",
    "nachname",
    "prenom",
    "apellido",
    "apellidos",
    "nombrecompleto",
    "cognome",
    "sobrenome",
];

/// Fields that also hold names of other things: the value must look like a person's.
const PERHAPS: &[&str] = &[
    "name",
    "customer",
    "patient",
    "employee",
    "recipient",
    "contact",
    "passenger",
    "guest",
    "displayname",
    "realname",
    "nom",
    "nombre",
    "nome",
    "author",
];

fn recognise(look: &Look<'_>) -> Sight {
    let Some(confidence) = look.field.and_then(of_field) else {
        return Sight::Nothing;
    };
    if look.at != 0 || look.text.len() > LONGEST || look.text.iter().any(|byte| !in_name(*byte)) {
        return Sight::Nothing;
    }
    if !look.last {
        return Sight::Open { start: 0 };
    }
    let value = look.text.trim_ascii();
    let start = look.text.len() - look.text.trim_ascii_start().len();
    let letters = value
        .iter()
        .filter(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii())
        .count();
    if letters < 2 || confidence == Low && !is_like_a_persons(value) {
        return Sight::Nothing;
    }
    Sight::Found {
        span: start..start + value.len(),
        confidence: confidence.max(Medium),
    }
}

pub(super) static ENDS: Ends = Ends::of(&[SURE, PERHAPS]);

/// How the names of fields begin and end and how long they are: most fields have other names.
pub(super) struct Ends([u32; 1 << 10]);

impl Ends {
    pub(super) const fn of(lists: &[&[&str]]) -> Self {
        let mut ends = [0; 1 << 10];
        let mut list = 0;
        while list < lists.len() {
            let mut next = 0;
            while next < lists[list].len() {
                let name = lists[list][next].as_bytes();
                ends[Self::place(name[0], name[name.len() - 1])] |= 1 << name.len();
                next += 1;
            }
            list += 1;
        }
        Self(ends)
    }

    /// One of the names may be this one.
    pub(super) fn fits(&self, field: &str) -> bool {
        let (mut first, mut last, mut length) = (0, 0, 0);
        for byte in field.bytes() {
            if !joint(byte) {
                first = if length == 0 { byte } else { first };
                last = byte;
                length += 1;
            }
        }
        length < 32 && self.0[Self::place(first, last)] >> length & 1 != 0
    }

    /// Capitals and small letters have the same.
    const fn place(first: u8, last: u8) -> usize {
        (first as usize & 31) << 5 | last as usize & 31
    }
}

fn of_field(field: &str) -> Option<Confidence> {
    if !ENDS.fits(field) {
        return None;
    }
    let is = |known: &&str| same(field, known);
    if SURE.iter().any(is) {
        Some(High)
    } else {
        PERHAPS.iter().any(is).then_some(Low)
    }
}

/// The field's name is this one, or ends with it behind a joint; joints within it do not count.
pub(super) fn same(field: &str, known: &str) -> bool {
    let mut rest = field.bytes().rev().filter(|byte| !joint(*byte));
    known.bytes().rev().all(|byte| rest.next() == Some(byte)) && rest.next().is_none()
}

fn joint(byte: u8) -> bool {
    matches!(byte, b'_' | b'-' | b'.' | b' ')
}

fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic()
        || !byte.is_ascii()
        || matches!(byte, b' ' | b'-' | b'\'' | b'.' | b',')
}

/// Two to four words that begin with capitals and go on with small letters.
fn is_like_a_persons(value: &[u8]) -> bool {
    let mut words = value
        .split(|byte| *byte == b' ')
        .filter(|word| !word.is_empty());
    let count = words.clone().count();
    (2..=4).contains(&count)
        && words.all(|word| {
            let first = word
                .first()
                .is_some_and(|byte| byte.is_ascii_uppercase() || !byte.is_ascii());
            let initial = word.len() == 1 || word.len() == 2 && word[1] == b'.';
            first
                && (initial
                    || word[1..]
                        .iter()
                        .any(|byte| byte.is_ascii_lowercase() || !byte.is_ascii()))
        })
}
