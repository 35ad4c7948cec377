//! How fast texts are looked through, by the processor time it takes: `cargo run --release -p enforcer-decode --example views`.

#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::fs;
use std::hint::black_box;

use enforcer_decode::{Decoder, Limits};

const SIZE: usize = 1 << 20;
const ROUNDS: usize = 40;

fn main() {
    let only = std::env::args().nth(1);
    let prose = "The quick brown fox jumps over the lazy dog, and then it goes on to say that nothing is as it was. ";
    let json = "{\"id\":\"550e8400-e29b-41d4-a716-446655440000\",\"name\":\"Ada\",\"count\":4711,\"tags\":[\"one\",\"two\"],\
        \"url\":\"https://example.com/v1/things/and/more\",\"sha\":\"da39a3ee5e6b4b0d3255bfef95601890afd80709\"},";
    let escaped = "{\"text\":\"He said: \\\"so it is\\\", and\\nwent\\u0020on &amp; on%20and%20on; \\u00fcber \
        c2VjcmV0IG51bWJlcnMgYXJlIGhlcmU= and 73:65:63:72:65:74:73:21:21 \u{ff21}\u{ff22}\u{ff23} \u{43f}\u{440}\u{438}\u{432}\u{435}\u{442} \
        6d6f72652074657874207468616e206d61747465727320 ORSXG5BAORSXG5BAORSXG5A= nothing else to see here at all\"},";
    let percent: String = prose.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let image: String = (0..SIZE as u64)
        .map(|i| {
            let random = i
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(31)
                .wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
            char::from(digits[(random >> 58) as usize])
        })
        .collect();
    for (name, text) in [
        ("prose", prose.repeat(SIZE / prose.len())),
        ("json", json.repeat(SIZE / json.len())),
        (
            "cyrillic",
            "Привет, как дела? Всё хорошо. ".repeat(SIZE / 52),
        ),
        ("han", "今天天气很好，我们去公园吧。".repeat(SIZE / 42)),
        ("every layer", escaped.repeat(SIZE / escaped.len())),
        ("all percent", percent.repeat(SIZE / percent.len())),
        ("base64 image", image),
    ] {
        if only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        let mut shown = 0;
        let begun = spent();
        for _ in 0..ROUNDS {
            shown = 0;
            let mut decoder = Decoder::new(&Limits::default());
            decoder.push(black_box(text.as_bytes()), true, &mut |view| {
                shown += view.text().len() - view.fresh();
            });
        }
        let speed = (text.len() * ROUNDS) as f64 / (spent() - begun) / f64::from(1 << 20);
        println!(
            "{name:14} {speed:7.0} MiB/s, views {:.2} of the text",
            shown as f64 / text.len() as f64
        );
    }
    if only.is_none_or(|only| only == "short string") {
        small();
    }
}

/// Seconds of processor time so far; a machine that does other things as well measures the same.
fn spent() -> f64 {
    let all = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = all
        .split(' ')
        .next()
        .and_then(|first| first.parse::<f64>().ok());
    nanoseconds.unwrap_or_default() / 1e9
}

/// A text as a string of a document is one.
fn small() {
    let text = b"a short string of a JSON document, as most of them are";
    let begun = spent();
    for _ in 0..1_000_000 {
        let mut decoder = Decoder::new(black_box(&Limits::default()));
        decoder.push(black_box(text), true, &mut |_| {});
        black_box(decoder.open_from());
    }
    println!("{:14} {:7.0} ns", "short string", (spent() - begun) * 1e3);
}
