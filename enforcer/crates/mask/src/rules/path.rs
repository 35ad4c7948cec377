//! The places in JSON that rules can name: keys, indexes and `*`, exactly, from the root.

/// A place, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Any,
    Index(usize),
    Key(String),
}

impl Path {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let steps = steps(text)?;
        if steps.is_empty() {
            return Err("it names the whole document");
        }
        Ok(Self(steps))
    }

    /// Whether `place`, a path without `*`, is one of these.
    pub(super) fn matches(&self, place: &str) -> bool {
        let Ok(place) = steps(place) else {
            return false;
        };
        self.0.len() == place.len()
            && self.0.iter().zip(&place).all(|(own, other)| match own {
                Step::Any => true,
                Step::Index(_) | Step::Key(_) => own == other,
            })
    }
}

fn steps(text: &str) -> Result<Vec<Step>, &'static str> {
    let mut rest = text.strip_prefix('$').ok_or("it does not begin with `$`")?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let step;
        (step, rest) = if let Some(behind) = rest.strip_prefix('.') {
            dotted(behind)?
        } else if let Some(behind) = rest.strip_prefix('[') {
            bracketed(behind)?
        } else {
            return Err("a step begins with `.` or `[`");
        };
        steps.push(step);
    }
    Ok(steps)
}

fn dotted(text: &str) -> Result<(Step, &str), &'static str> {
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (key, rest) = text.split_at(end);
    match key {
        "" => Err("a step has no name"),
        "*" => Ok((Step::Any, rest)),
        _ => Ok((Step::Key(key.to_owned()), rest)),
    }
}

fn bracketed(text: &str) -> Result<(Step, &str), &'static str> {
    if let Some(quote) = text
        .chars()
        .next()
        .filter(|first| matches!(first, '\'' | '"'))
    {
        let mut key = String::new();
        let mut letters = text.char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            if letter == '\\' {
                key.extend(letters.next().map(|(_, escaped)| escaped));
            } else if letter == quote {
                let rest = text[at + 1..].strip_prefix(']').ok_or("a `]` is missing")?;
                return Ok((Step::Key(key), rest));
            } else {
                key.push(letter);
            }
        }
        return Err("a quote is missing");
    }
    let (index, rest) = text.split_once(']').ok_or("a `]` is missing")?;
    if index == "*" {
        return Ok((Step::Any, rest));
    }
    let index = index
        .parse()
        .map_err(|_| "between brackets stand an index, `*` or a quoted key")?;
    Ok((Step::Index(index), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, yes: &[&str], no: &[&str]) {
        let path = Path::parse(path).unwrap_or_else(|why| panic!("{path}: {why}"));
        for place in yes {
            assert!(path.matches(place), "{place}");
        }
        for place in no {
            assert!(!path.matches(place), "{place}");
        }
    }

    #[test]
    fn a_path_is_exact() {
        check(
            "$.a.b[*].c",
            &["$.a.b[0].c", "$.a.b[17].c"],
            &[
                "$.a.b.c.d",
                "$.a.b[0]",
                "$.a.b[0].c.d",
                "$.x.b[0].c",
                "header:a",
            ],
        );
        check(
            "$['odd.key'][0]",
            &["$['odd.key'][0]"],
            &["$.odd.key[0]", "$['odd.key'][1]"],
        );
        check(
            "$.*.ssn",
            &["$.user.ssn", "$['us er'].ssn", "$[3].ssn"],
            &["$.ssn"],
        );
    }

    #[test]
    fn what_is_no_path_says_why() {
        for text in ["a.b", "$", "$..a", "$.a[", "$.a[x]", "$['a", "$a"] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
    }
}
