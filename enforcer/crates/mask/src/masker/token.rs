//! Tokens of ours in answers, which become their values again.

use super::merge::{Hit, Taken};
use crate::Session;
use crate::custom::Part;

/// The longest token: a kind's label, eight letters and what is round them.
const LONGEST: usize = 40 + 1 + 8 + 2;

/// Adds each token that begins at or behind `from` and stands for a value, and answers where one could begin that is not
/// there whole.
pub(super) fn find(session: &Session, part: Part<'_>, hits: &mut Vec<Hit>) -> usize {
    let Part { text, from, last } = part;
    for at in memchr::memchr_iter(b'[', &text[from..]) {
        let start = from + at;
        let rest = &text[start + 1..text.len().min(start + LONGEST)];
        let of_token =
            |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
        let inner = rest.iter().take_while(|byte| of_token(byte)).count();
        match rest.get(inner) {
            None if !last && start + LONGEST > text.len() => return start,
            Some(b']') if session.knows(&rest[..inner]) => hits.push(Hit {
                start,
                end: start + inner + 2,
                what: Taken::Token,
                value: None,
            }),
            Some(_) | None => {}
        }
    }
    text.len()
}
