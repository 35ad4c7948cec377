//! The known word that a misspelt one was meant to be.

/// Longest word worth comparing, in bytes; longer ones are no slip of the finger.
const MAX_WORD: usize = 32;

/// The nearest known word, if it is near enough to be worth suggesting.
pub(crate) fn did_you_mean<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    if word.len() > MAX_WORD {
        return None;
    }
    let word = word.to_lowercase();
    let (distance, near) = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, candidate), *candidate))
        .min_by_key(|(distance, _)| *distance)?;
    let allowed = (near.len().max(word.len()) / 3).max(1);
    (distance <= allowed).then_some(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_recognised_and_nothing_else() {
        let known = ["host", "port", "protocol", "path", "method"];
        for (word, expected) in [
            ("hots", Some("host")),
            ("hosts", Some("host")),
            ("Host", Some("host")),
            ("prot", Some("port")),
            ("protcol", Some("protocol")),
            ("methods", Some("method")),
            ("paths", Some("path")),
            ("url", None),
            ("", None),
            ("body", None),
        ] {
            assert_eq!(did_you_mean(word, &known), expected, "`{word}`");
        }
        assert_eq!(did_you_mean(&"h".repeat(10_000), &known), None);
    }
}
