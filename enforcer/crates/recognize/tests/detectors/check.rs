//! The one way in which detectors are tested.

use enforcer_recognize::{Confidence, Detector, Keys, Look, Run, Shapes, Sight, Wake, all};
use std::ops::Range;

/// How far a detector may look back.
const BACK: usize = 64;

/// Checks the detector `name`. In texts of `found`, each `«value»` is what must be found, and nothing else, with just this
/// confidence; each may stand in a field: `("field", text, confidence)`, with `""` for none. In those of `not` nothing may
/// be found with more than low confidence. Everything holds for each text cut at every byte too.
pub(crate) fn check(name: &str, found: &[(&str, &str, Confidence)], not: &[(&str, &str)]) {
    let detector = detector(name);
    for (field, marked, confidence) in found {
        let (text, spans) = unmark(marked);
        let expected: Vec<_> = spans.into_iter().map(|span| (span, *confidence)).collect();
        assert!(
            !expected.is_empty(),
            "{name}: no value is marked in {marked}"
        );
        assert_eq!(
            findings(detector, field, &text),
            expected,
            "{name}: [{field}] {marked}"
        );
        cut_everywhere(detector, field, &text);
    }
    for (field, text) in not {
        let mut seen = findings(detector, field, text.as_bytes());
        seen.retain(|(_, confidence)| *confidence > Confidence::Low);
        assert_eq!(seen, [], "{name}: [{field}] {text}");
        cut_everywhere(detector, field, text.as_bytes());
    }
}

/// The detector of that name.
pub(crate) fn detector(name: &str) -> &'static Detector {
    all()
        .find(|detector| detector.name == name)
        .unwrap_or_else(|| panic!("no detector is called {name}"))
}

/// What a scanner finds in a whole text: places in order, on behind each value that was found.
pub(crate) fn findings(
    detector: &'static Detector,
    field: &str,
    text: &[u8],
) -> Vec<(Range<usize>, Confidence)> {
    let mut found: Vec<(Range<usize>, Confidence)> = Vec::new();
    let mut places = places(detector, field, text, true);
    places.reverse();
    let mut done = 0;
    while let Some(at) = places.pop() {
        if at < done {
            continue;
        }
        match look(detector, field, text, at, true) {
            Sight::Found { span, confidence } => {
                assert!(
                    span.start < span.end
                        && span.end <= text.len()
                        && span.len() <= detector.longest
                );
                done = span.end;
                if detector.wake.contains(&Wake::Words) && span.end < text.len() {
                    // What follows in the same run of words is looked at too.
                    places.push(span.end);
                }
                found.push((span, confidence));
            }
            Sight::Nothing => {}
            Sight::Open { .. } => panic!("{}: open, though the text has ended", detector.name),
        }
    }
    found
}

/// Wherever the text is cut, and whatever of what stood before is gone, the answer is the whole's or none yet.
pub(crate) fn cut_everywhere(detector: &'static Detector, field: &str, text: &[u8]) {
    for at in places(detector, field, text, true) {
        let whole = look(detector, field, text, at, true);
        for cut in at + 1..=text.len() {
            let known = &text[..cut];
            let gone = at.saturating_sub(BACK);
            let sight = look(detector, field, known, at, false);
            let shorter = look(detector, field, &known[gone..], at - gone, false);
            assert_eq!(
                sight,
                moved(shorter, gone),
                "{}: {} bytes before are gone",
                detector.name,
                gone
            );
            let start = match &whole {
                Sight::Found { span, .. } => span.start,
                Sight::Nothing | Sight::Open { .. } => usize::MAX,
            };
            match &sight {
                Sight::Open { start: open } => {
                    assert!(
                        *open <= start,
                        "{}: open too late in {}",
                        detector.name,
                        show(known)
                    );
                    if detector
                        .wake
                        .iter()
                        .any(|wake| matches!(wake, Wake::Shape(_)))
                    {
                        assert!(
                            places(detector, field, known, false).contains(&at),
                            "{}: asleep in {}",
                            detector.name,
                            show(known)
                        );
                    }
                }
                Sight::Found { .. } | Sight::Nothing => {
                    assert_eq!(
                        sight,
                        whole,
                        "{}: at {at} of {}",
                        detector.name,
                        show(known)
                    );
                }
            }
        }
    }
}

fn look(detector: &Detector, field: &str, text: &[u8], at: usize, last: bool) -> Sight {
    let field = Some(field).filter(|name| !name.is_empty());
    (detector.recognise)(&Look {
        text,
        at,
        last,
        field,
    })
}

fn moved(sight: Sight, by: usize) -> Sight {
    match sight {
        Sight::Found { span, confidence } => Sight::Found {
            span: span.start + by..span.end + by,
            confidence,
        },
        Sight::Nothing => Sight::Nothing,
        Sight::Open { start } => Sight::Open { start: start + by },
    }
}

fn show(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// The text without its marks, and what they enclosed.
fn unmark(marked: &str) -> (Vec<u8>, Vec<Range<usize>>) {
    let mut text = String::new();
    let mut spans = Vec::new();
    let mut rest = marked;
    while let Some((before, behind)) = rest.split_once('«') {
        let (value, behind) = behind.split_once('»').unwrap();
        text.push_str(before);
        spans.push(text.len()..text.len() + value.len());
        text.push_str(value);
        rest = behind;
    }
    text.push_str(rest);
    (text.into_bytes(), spans)
}

// === Where a scanner wakes a detector, written for being plainly right ===

/// All places at which `detector` is woken.
fn places(detector: &'static Detector, field: &str, text: &[u8], last: bool) -> Vec<usize> {
    let mut places: Vec<_> = (0..text.len())
        .filter(|at| {
            detector
                .wake
                .iter()
                .any(|wake| wakes(*wake, field, text, *at, last))
        })
        .collect();
    let keys = Keys::new([detector]);
    for at in (0..text.len()).filter(|at| matches!(text[*at], b'=' | b':')) {
        keys.each(text, at, |_| places.push(at));
    }
    if !text.is_empty() {
        keys.of_field(field, |_| places.push(0));
    }
    places.sort_unstable();
    places.dedup();
    places
}

fn wakes(wake: Wake, field: &str, text: &[u8], at: usize, last: bool) -> bool {
    let rest = &text[at..];
    let before = at.checked_sub(1).map(|index| text[index]);
    match wake {
        Wake::Armor => rest.starts_with(b"-----BEGIN"),
        Wake::Assignment => {
            matches!(rest[0], b'=' | b':') && before.is_some_and(|byte| byte.is_ascii_hexdigit())
        }
        Wake::At => rest[0] == b'@',
        // Found by their own type.
        Wake::Key(_) => false,
        Wake::Prefix(prefix) => {
            let escaped = text[..at].last_chunk().is_some_and(|[sign, letter]| {
                *sign == b'\\' && matches!(letter, b'n' | b't' | b'r')
            });
            let cut = !last && prefix.as_bytes().starts_with(rest);
            (escaped || !before.is_some_and(|byte| byte.is_ascii_alphanumeric()))
                && (cut || rest.starts_with(prefix.as_bytes()))
        }
        Wake::Field => at == 0 && !field.is_empty(),
        Wake::Scheme => rest.starts_with(b"://"),
        Wake::Shape(shapes) => {
            begins(rest, before, |byte| byte.is_ascii_digit())
                && shapes.meets(Shapes::at(text, at, last))
        }
        Wake::Solid(solid) => {
            long_run(rest, before, 25, last, |byte| byte.is_ascii_alphanumeric())
                && solid.fits(&Run::at(text, at, last))
        }
        Wake::Words => word_run(text, at, last),
    }
}

fn begins(rest: &[u8], before: Option<u8>, of: impl Fn(u8) -> bool) -> bool {
    of(rest[0]) && !before.is_some_and(of)
}

fn long_run(
    rest: &[u8],
    before: Option<u8>,
    least: usize,
    last: bool,
    of: impl Fn(u8) -> bool,
) -> bool {
    let length = rest.iter().take_while(|byte| of(**byte)).count();
    begins(rest, before, of) && (length >= least || (length == rest.len() && !last))
}

fn word_run(text: &[u8], at: usize, last: bool) -> bool {
    let small = |index: usize| text.get(index).is_some_and(u8::is_ascii_lowercase);
    let joined = at > 0 && (small(at - 1) || (at > 1 && text[at - 1] == b' ' && small(at - 2)));
    if !small(at) || joined {
        return false;
    }
    let mut end = at;
    while small(end) || (text.get(end) == Some(&b' ') && small(end - 1)) {
        end += 1;
    }
    let words = text[at..end]
        .split(|byte| *byte == b' ')
        .filter(|word| !word.is_empty());
    words.count() >= 12 || (end == text.len() && !last)
}
