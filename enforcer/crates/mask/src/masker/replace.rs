//! What stands in place of a value.

use crate::{Action, Session};

/// So many characters of a value stay where only a part is hidden.
const SHOWN: usize = 4;
/// Longer values do not show how long they are.
const LONG: usize = 40;

/// What stands in place of `value`. Actions that end a text leave nothing to replace; for them it is the plain placeholder.
pub(super) fn replacement(session: &Session, label: &str, action: Action, value: &[u8]) -> String {
    match action {
        Action::Partial => partial(label, value),
        // What cannot be remembered cannot be put back, and is hidden all the same.
        Action::Tokenize => session
            .token(label, value)
            .map_or_else(|| format!("[{label}]"), |token| format!("[{token}]")),
        Action::Hash => format!("[{label}#{}]", session.hash(label, value)),
        Action::Redact | Action::RequireApproval | Action::Block | Action::Terminate => {
            format!("[{label}]")
        }
    }
}

/// All but the last four characters hidden; what joins groups stays. Of short values, and of what is no text, nothing shows.
fn partial(label: &str, value: &[u8]) -> String {
    let Ok(text) = str::from_utf8(value) else {
        return format!("[{label}]");
    };
    let letters = text
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .count();
    if letters <= 2 * SHOWN {
        return format!("[{label}]");
    }
    let mut left = letters;
    let hidden = |letter: char| {
        if !letter.is_alphanumeric() {
            return if matches!(letter, '-' | ' ' | '.' | '/') {
                letter
            } else {
                '*'
            };
        }
        left -= 1;
        if left < SHOWN { letter } else { '*' }
    };
    let all: String = text.chars().map(hidden).collect();
    if all.chars().count() <= LONG {
        return all;
    }
    let end: Vec<char> = text
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .collect();
    let end: String = end[end.len() - SHOWN..].iter().collect();
    format!("****{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_the_last_four_characters() {
        assert_eq!(partial("US_SSN", b"536-22-1234"), "***-**-1234");
        assert_eq!(
            partial("CARD", b"4111 1111 1111 1111"),
            "**** **** **** 1111"
        );
        assert_eq!(partial("PIN", b"12345678"), "[PIN]");
        assert_eq!(partial("KEY", &[b'a'; 100]), "****aaaa");
        assert_eq!(partial("KEY", &[0xff; 20]), "[KEY]");
    }
}
