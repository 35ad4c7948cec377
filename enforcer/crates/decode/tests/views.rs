//! What views show, where it stood, and that neither depends on how the text was cut.

use std::ops::Range;

use enforcer_decode::{Decoder, Layers, Limits, engaged};
use proptest::prelude::*;

/// What the tests look for: as detectors do, with a look at the byte behind it.
const VALUES: &[&str] = &[
    "AKIAIOSFODNN7EXAMPLE",
    "078-05-1120",
    "4111-1111-1111-1111",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
];

type Found = (Range<u64>, &'static str, Layers);

/// What is found in the views of `text`, cut at `cuts`. Nothing of what is found may have been let go before.
fn find(text: &[u8], cuts: &[usize], limits: &Limits) -> Vec<Found> {
    let mut decoder = Decoder::new(limits);
    let (mut found, mut gone, mut at) = (Vec::new(), 0, 0);
    let ends = cuts.iter().copied().filter(|cut| *cut < text.len());
    for end in ends.chain([text.len()]) {
        let last = end == text.len();
        decoder.push(&text[at..end], last, &mut |view| {
            let shown = view.text();
            for start in view.fresh()..shown.len() {
                let rest = &shown[start..];
                for value in VALUES {
                    let open = rest.len() <= value.len() && !view.last();
                    if open && value.as_bytes().starts_with(rest) {
                        view.hold(start);
                    } else if rest.starts_with(value.as_bytes()) {
                        let span = start..start + value.len();
                        if let Some(source) = view.source(span.clone()) {
                            assert!(source.start >= gone, "{source:?} was let go up to {gone}");
                            found.push((source, *value, view.layers_of(span)));
                        }
                    }
                }
            }
        });
        at = end;
        let open = decoder.open_from().unwrap_or(at as u64);
        gone = gone.max(open.min(raw_open(&text[..at])));
    }
    found.sort_by_key(|(range, value, layers)| {
        (range.start, range.end, *value, format!("{layers}"))
    });
    found.dedup();
    found
}

/// Whoever reads the text itself holds back what could be a value there.
fn raw_open(text: &[u8]) -> u64 {
    let open = |start: &usize| {
        VALUES
            .iter()
            .any(|value| value.as_bytes().starts_with(&text[*start..]))
    };
    (text.len().saturating_sub(64)..text.len())
        .find(open)
        .unwrap_or(text.len()) as u64
}

/// Found whole, found at every cut, and found byte by byte.
fn check(text: &[u8], expected: &[(&str, &str, &str)]) {
    let limits = Limits::default();
    let whole = find(text, &[], &limits);
    let seen: Vec<_> = whole
        .iter()
        .map(|(range, value, layers)| {
            let source = &text[range.start as usize..range.end as usize];
            (
                String::from_utf8_lossy(source).into_owned(),
                *value,
                layers.to_string(),
            )
        })
        .collect();
    for (source, value, layers) in expected {
        let wanted = ((*source).to_owned(), *value, (*layers).to_owned());
        assert!(
            seen.contains(&wanted),
            "{wanted:?} is not found in {:?} but {seen:?}",
            String::from_utf8_lossy(text)
        );
    }
    assert_eq!(seen.is_empty(), expected.is_empty(), "{seen:?}");
    for cut in 0..=text.len() {
        assert_eq!(
            find(text, &[cut], &limits),
            whole,
            "cut at {cut} of {:?}",
            String::from_utf8_lossy(text)
        );
    }
    let all: Vec<_> = (0..text.len()).collect();
    assert_eq!(
        find(text, &all, &limits),
        whole,
        "byte by byte: {:?}",
        String::from_utf8_lossy(text)
    );
}

const SSN: &str = "078-05-1120";

#[test]
fn what_is_under_one_layer_is_found_where_it_stood() {
    let all_percent: String = SSN.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let unicode: String = SSN.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let braced: String = SSN.bytes().map(|byte| format!("\\u{{{byte:x}}}")).collect();
    let octal: String = SSN.bytes().map(|byte| format!("\\{byte:03o}")).collect();
    let entities: String = SSN.bytes().map(|byte| format!("&#{byte};")).collect();
    let sixteen: String = SSN.bytes().map(|byte| format!("&#x{byte:x}")).collect();
    let quoted: String = SSN.bytes().map(|byte| format!("={byte:02X}")).collect();
    let hex: String = SSN.bytes().map(|byte| format!("{byte:02x}")).collect();
    let colons = SSN
        .bytes()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .join(":");
    let array = SSN
        .bytes()
        .map(|byte| format!("0x{byte:02x}"))
        .collect::<Vec<_>>()
        .join(", ");
    // Full-width, Arabic, tags, selectors of variations.
    let wide = each_char(|c| {
        if c == '-' {
            c.into()
        } else {
            u32::from(c) + 0xfee0
        }
    });
    let arabic = each_char(|c| c.to_digit(10).map_or(c.into(), |digit| 0x660 + digit));
    let tags = each_char(|c| u32::from(c) + 0xe0000);
    let selectors = each_char(|c| u32::from(c) - 16 + 0xe0100);
    let dashes = SSN.replace('-', "\u{2013}");
    let zero = "0\u{200b}78\u{200d}-05-11\u{2060}20";
    for (coded, layer) in [
        ("078-05-112%30", "percent"),
        ("%3078-05-1120", "percent"),
        ("078-05-11%u00320", "percent"),
        (all_percent.as_str(), "percent"),
        (unicode.as_str(), "escape"),
        (braced.as_str(), "escape"),
        (octal.as_str(), "escape"),
        ("078-05-\\x31120", "escape"),
        (entities.as_str(), "html_entity"),
        (sixteen.as_str(), "html_entity"),
        ("078&hyphen;05&dash;1120", "html_entity"),
        (quoted.as_str(), "quoted_printable"),
        ("078-05=\r\n-1120", "quoted_printable"),
        (wide.as_str(), "lookalike"),
        (arabic.as_str(), "lookalike"),
        (dashes.as_str(), "lookalike"),
        (zero, "invisible"),
        ("MDc4LTA1LTExMjA", "base64"),
        (hex.as_str(), "hex"),
        (&hex.to_uppercase(), "hex"),
        (colons.as_str(), "hex"),
        (&colons.replace(':', " "), "hex"),
        (&colons.replace(':', "-"), "hex"),
        ("GA3TQLJQGUWTCMJSGA", "base32"),
        ("60rjgb9g6kmj2c9i60", "base32"),
        (tags.as_str(), "smuggled"),
        (selectors.as_str(), "smuggled"),
    ] {
        for (before, behind) in [
            ("", ""),
            ("the number is ", " or so"),
            ("ssn=", "&next=1"),
            ("{\"a\":\"", "\"}"),
        ] {
            // A number is not behind a sign that would make it longer.
            let text = format!("{before}{coded}{behind}");
            let value = SSN;
            check_one(text.as_bytes(), (coded, value, layer));
        }
    }
    check_one(
        format!("bytes([{array}])").as_bytes(),
        (&array[2..], SSN, "hex"),
    );
}

fn each_char(to: impl Fn(char) -> u32) -> String {
    SSN.chars().filter_map(|c| char::from_u32(to(c))).collect()
}

fn check_one(text: &[u8], (coded, value, layer): (&str, &str, &str)) {
    // Base32 and base64 of a value are let go as far as they look like a word.
    let capital = coded.strip_prefix(|c: char| c.is_ascii_uppercase());
    let source = match layer {
        "base64" | "base32" => capital.unwrap_or(coded),
        _ => coded,
    };
    check(text, &[(source, value, layer)]);
}

#[test]
fn layers_over_layers_are_taken_off() {
    const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
    let twice = KEY.replace('A', "%2541");
    check(twice.as_bytes(), &[(&twice, KEY, "percent")]);
    check(
        b"key: QUtJQUlPU0ZPRE5ON0VYQU1QTEU=",
        &[("UtJQUlPU0ZPRE5ON0VYQU1QTEU", KEY, "base64")],
    );
    check(
        b"x UVV0SlFVbFBVMFpQUkU1T04wVllRVTFRVEVVPQ== y",
        &[("VV0SlFVbFBVMFpQUkU1T04wVllRVTFRVEVV", KEY, "base64")],
    );
    check(
        b"a QUt%4aQUlPU0ZPRE5ON0VYQU1QTEU%3D b",
        &[("Ut%4aQUlPU0ZPRE5ON0VYQU1QTEU", KEY, "base64+percent")],
    );
    check(
        b"414b4941494f53464f444e4e374558414d504c45",
        &[("414b4941494f53464f444e4e374558414d504c45", KEY, "hex")],
    );
    check(
        "\\u0410KIAIOSFODNN7EXAMPLE".as_bytes(),
        &[("\\u0410KIAIOSFODNN7EXAMPLE", KEY, "escape+lookalike")],
    );
    // Wide, as PowerShell has it.
    check(
        b"-enc QQBLAEkAQQBJAE8AUwBGAE8ARABOAE4ANwBFAFgAQQBNAFAATABFAA==",
        &[(
            "QBLAEkAQQBJAE8AUwBGAE8ARABOAE4ANwBFAFgAQQBNAFAATABF",
            KEY,
            "base64",
        )],
    );
}

#[test]
fn runs_go_on_over_lines_and_begin_anywhere_behind_their_beginning() {
    let token = VALUES[3];
    let lines =
        "dGhlIHRva2VuIGlzIHRoaXM6\nIGdocF8xNkM3ZTQyRjI5MmM2OTEy\r\nRTc3MTBjODM4MzQ3QWUxNzhCNGEh";
    let found = find(lines.as_bytes(), &[], &Limits::default());
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].1, token);
    for cut in 0..lines.len() {
        assert_eq!(
            find(lines.as_bytes(), &[cut], &Limits::default()),
            found,
            "cut at {cut}"
        );
    }
    // Behind sixteen digits of something else.
    let image = format!(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB{}",
        "Z2hwXzE2QzdlNDJGMjkyYzY5MTJFNzcxMGM4MzgzNDdBZTE3OEI0YSE="
    );
    assert_eq!(find(image.as_bytes(), &[], &Limits::default()).len(), 1);
}

#[test]
fn what_stands_right_before_base64_hides_nothing() {
    for junk in ["x", "7", "Xy", "9z", "xyz", "0-_", "a/b"] {
        let text = format!("ssn: {junk}MDc4LTA1LTExMjA.");
        check(text.as_bytes(), &[("Dc4LTA1LTExMjA", SSN, "base64")]);
    }
}

#[test]
fn a_plus_is_a_blank_only_where_that_is_known() {
    let text = b"q=is+4111-1111-1111-1111+mine";
    let form = Limits {
        layers: Layers::ALL | Layers::FORM,
        ..Limits::default()
    };
    assert_eq!(find(text, &[], &form).len(), 1);
    assert_eq!(find(text, &[], &Limits::default()).len(), 0);
}

#[test]
fn clean_text_engages_nothing() {
    for text in [
        "The quick brown fox, 100% sure & ready; a = b, c == d; C:\\Windows\\system32",
        "{\"id\":\"550e8400-e29b-41d4-a716-446655440000\",\"sha\":\"da39a3ee5e6b4b0d3255bfef95601890afd80709\"}",
        "don\u{2019}t \u{2014} she said \u{201c}no\u{201d} \u{2026}",
        "Gr\u{fc}\u{df}e aus K\u{f6}ln, d\u{e9}j\u{e0} vu, ma\u{f1}ana, \u{65e5}\u{672c}\u{8a9e}",
        "/usr/share/doc/packages/and/so/on some_long_identifier_name with-many-words-in-a-row",
        "2024-11-22T14:07:46.123Z 10.0.0.1:8080 00:1a:2b:3c:4d:5e",
        "\u{1f469}\u{200d}\u{1f4bb} \u{2764}\u{fe0f}",
    ] {
        assert_eq!(engaged(text.as_bytes()), Layers::NONE, "{text}");
        let mut decoder = Decoder::new(&Limits::default());
        decoder.push(text.as_bytes(), true, &mut |view| panic!("{view:?}"));
    }
}

#[test]
fn ordinary_words_are_not_held_back() {
    let mut held = 0;
    let text = "I think that the answer to your question is that it depends on what you want to do with it, \
        and whether Paris or Berlin comes first; let me explain this in a little more detail below.";
    let mut decoder = Decoder::new(&Limits::default());
    for word in text.split_inclusive(' ') {
        let (blank, word) = if let Some(word) = word.strip_suffix(' ') {
            (" ", word)
        } else {
            ("", word)
        };
        decoder.push(word.as_bytes(), false, &mut |_| {});
        held += usize::from(decoder.open_from().is_some());
        decoder.push(blank.as_bytes(), false, &mut |_| {});
        assert_eq!(decoder.open_from(), None);
    }
    assert_eq!(held, 0);
}

#[test]
fn depth_is_bounded() {
    let mut text = String::from("%41KIAIOSFODNN7EXAMPLE");
    for _ in 0..3 {
        text = text.replace('%', "%25");
    }
    assert_eq!(find(text.as_bytes(), &[], &Limits::default()).len(), 1);
    text = text.replace('%', "%25");
    assert_eq!(find(text.as_bytes(), &[], &Limits::default()).len(), 0);
}

#[test]
fn the_start_of_a_long_text_is_forgotten_but_its_places_are_not() {
    let mut text = "word ".repeat(100_000);
    let at = text.len() as u64;
    text.push_str("MDc4LTA1LTExMjA= and %3078-05-1120.");
    let found = find(text.as_bytes(), &[7, 70_000, 200_001], &Limits::default());
    let starts: Vec<_> = found.iter().map(|(range, ..)| range.start - at).collect();
    assert_eq!(starts, [1, 21]);
}

/// Pieces of which hostile texts are made.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("AKIAIOSFODNN7EXAMPLE".to_owned()),
        Just("078-05-1120".to_owned()),
        Just(
            "078-05-1120"
                .bytes()
                .map(|byte| format!("%{byte:02x}"))
                .collect()
        ),
        Just("%25%33%30".to_owned()),
        Just("MDc4LTA1LTExMjA=".to_owned()),
        Just("MDc4LTA1LTExMjA".to_owned()),
        Just("QUtJQUlPU0ZPRE5ON0VYQU1QTEU".to_owned()),
        Just("3037382d30352d31313230".to_owned()),
        Just("30:37:38:2d:30:35:2d:31:31:32:30".to_owned()),
        Just("GA3TQLJQGUWTCMJSGA".to_owned()),
        Just("\u{ff10}78-\u{200b}05-1120".to_owned()),
        Just("&#48;78-05-1120".to_owned()),
        Just("\\u003078-05-1120".to_owned()),
        Just("=3078-05=2D1120=\n".to_owned()),
        "[a-zA-Z0-9+/_=%&;#\\\\ \n:-]{0,20}",
        "\\PC{0,6}",
        "[ -~]{0,40}",
    ]
}

#[test]
fn what_begins_where_a_piece_ends_is_seen_wherever_that_is() {
    let limits = Limits::default();
    for before in 40..140 {
        let text = format!("{}aWQgMDc4LTA1LTExMjAgb2s=", " ".repeat(before));
        let whole = find(text.as_bytes(), &[], &limits);
        assert_eq!(whole.len(), 1, "behind {before} blanks");
        for cut in before + 1..before + 5 {
            let found = find(text.as_bytes(), &[cut], &limits);
            assert_eq!(found, whole, "behind {before} blanks, cut at {cut}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_cut_changes_what_is_found(
        pieces in prop::collection::vec(piece(), 1..8),
        cuts in prop::collection::btree_set(0_usize..300, 0..12),
        linger in 1_usize..200,
    ) {
        let text = pieces.concat();
        let limits = Limits { linger, layers: Layers::ALL | Layers::FORM, ..Limits::default() };
        let cuts: Vec<_> = cuts.into_iter().collect();
        prop_assert_eq!(find(text.as_bytes(), &cuts, &limits), find(text.as_bytes(), &[], &limits));
    }

    #[test]
    fn no_bytes_are_too_odd(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        cut in 0_usize..400,
    ) {
        let limits = Limits { linger: 16, ..Limits::default() };
        prop_assert_eq!(find(&bytes, &[cut], &limits), find(&bytes, &[], &limits));
    }
}
