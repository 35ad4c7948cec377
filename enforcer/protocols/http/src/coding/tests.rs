use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use super::*;

const TEXT: &[u8] =
    br#"{"model":"gpt-5","messages":[{"role":"user","content":"hello, hello, hello"}]}"#;
/// `TEXT` by the reference brotli and zstd programs.
const BROTLI: &[u8] = include_bytes!("text.br");
const ZSTD: &[u8] = include_bytes!("text.zst");

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn decoded(coding: &str, body: &[u8], limit: usize) -> Result<Bytes, Cause> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_ENCODING, coding.parse().unwrap());
    decode(&headers, &Bytes::copy_from_slice(body), limit)
}

#[test]
fn every_coding_is_taken_off() {
    let table: [(&str, Vec<u8>); 8] = [
        ("identity", TEXT.into()),
        ("gzip", gzip(TEXT)),
        ("X-GZIP", gzip(TEXT)),
        ("deflate", zlib(TEXT)),
        ("br", BROTLI.into()),
        ("zstd", ZSTD.into()),
        ("deflate, gzip", gzip(&zlib(TEXT))),
        ("gzip, identity", gzip(TEXT)),
    ];
    for (coding, body) in table {
        assert_eq!(
            decoded(coding, &body, 4096),
            Ok(Bytes::from(TEXT)),
            "{coding}"
        );
    }
}

#[test]
fn what_could_be_read_in_two_ways_is_not_read() {
    let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
    raw.write_all(TEXT).unwrap();
    let raw = raw.finish().unwrap();
    let behind = |mut body: Vec<u8>| {
        body.extend_from_slice(b"and more");
        body
    };
    let table: [(&str, Vec<u8>, Cause); 11] = [
        ("compress", TEXT.into(), Cause::UnknownEncoding),
        (
            "gzip, gzip, gzip",
            gzip(&gzip(&gzip(TEXT))),
            Cause::UnknownEncoding,
        ),
        ("gzip", TEXT.into(), Cause::Malformed),
        ("deflate", raw, Cause::Malformed),
        ("gzip", behind(gzip(TEXT)), Cause::Malformed),
        ("deflate", behind(zlib(TEXT)), Cause::Malformed),
        ("br", behind(BROTLI.into()), Cause::Malformed),
        ("zstd", behind(ZSTD.into()), Cause::Malformed),
        ("gzip", gzip(TEXT)[..30].into(), Cause::Malformed),
        ("br", BROTLI[..BROTLI.len() - 3].into(), Cause::Malformed),
        ("zstd", ZSTD[..ZSTD.len() - 3].into(), Cause::Malformed),
    ];
    for (coding, body, expected) in table {
        assert_eq!(decoded(coding, &body, 4096), Err(expected), "{coding}");
    }
}

#[test]
fn a_bomb_is_not_unpacked() {
    let bomb = gzip(&vec![0; 8 << 20]);
    assert!(bomb.len() < 16 * 1024);
    assert_eq!(decoded("gzip", &bomb, 64 * 1024), Err(Cause::TooLarge));
    let twice = gzip(&bomb);
    assert_eq!(
        decoded("gzip, gzip", &twice, 64 * 1024),
        Err(Cause::TooLarge)
    );
}

#[test]
fn a_window_larger_than_may_be_is_not_made_room_for() {
    // Magic number, no flags, the largest window.
    let greedy = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff, 0x01, 0x00, 0x00];
    assert_eq!(decoded("zstd", &greedy, 4096), Err(Cause::Malformed));
    let body = [0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 1];
    assert_eq!(zstd::window(&body), Some(1 << 56));
}
