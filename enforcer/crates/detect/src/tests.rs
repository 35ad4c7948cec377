//! Claims about [`detect`] as a whole: a table of first flights, every split point, and arbitrary bytes.

mod hello;

use proptest::prelude::*;

use super::*;
use hello::{Hello, records};

/// An answer without what it borrows.
fn class(bytes: &[u8]) -> String {
    match detect(bytes) {
        Detection::Known(Known::Tls(hello)) => {
            let alpn: Vec<_> = hello.alpn().map(String::from_utf8_lossy).collect();
            let name = hello.server_name().unwrap_or("-");
            format!("tls {:04x} {name} {}", hello.version(), alpn.join(","))
        }
        other => format!("{other:?}"),
    }
}

/// Every proper prefix says `NeedMore` or the same; the whole, and the whole with more behind it, says `expected`.
fn check(bytes: &[u8], expected: &str) {
    assert_eq!(
        class(bytes),
        expected,
        "{:?}",
        bytes.escape_ascii().to_string()
    );
    let mut settled = false;
    for end in 0..bytes.len() {
        let said = class(&bytes[..end]);
        settled |= said != "NeedMore";
        let allowed = if settled { expected } else { "NeedMore" };
        assert_eq!(
            said,
            allowed,
            "after {end} bytes of {:?}",
            bytes.escape_ascii().to_string()
        );
    }
    if expected != "NeedMore" {
        let longer = [bytes, b"\x17\x03\x03\0\x01\0more"].concat();
        assert_eq!(class(&longer), expected, "with more behind it");
    }
}

#[test]
fn http_is_known_by_its_request_line() {
    for line in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /v1/chat/completions HTTP/1.1\r\n",
        "OPTIONS * HTTP/1.0\r\n",
        "CONNECT api.openai.com:443 HTTP/1.1\r\n",
        "GET http://example.com/ HTTP/1.1\r\n",
        "VERSION-CONTROL /a HTTP/1.1\r\n",
        "m!#$%&'*+-.^_`|~9 /caf\u{e9} HTTP/1.1\r\n",
        "PRI /not-the-preface HTTP/1.1\r\n",
    ] {
        check(line.as_bytes(), "Known(Http1)");
    }
    check(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "Known(Http2)");
}

#[test]
fn an_unfinished_first_flight_needs_more() {
    for bytes in [
        "",
        "G",
        "GET",
        "GET ",
        "GET /",
        "GET / HTTP/1",
        "PRI * HTTP/2.0\r\n\r\nSM",
    ] {
        check(bytes.as_bytes(), "NeedMore");
    }
    check(&[22, 3, 1], "NeedMore");
    check(
        &records(&Hello::default().message(), 1000)[..60],
        "NeedMore",
    );
}

#[test]
fn other_protocols_are_not_taken_for_http() {
    let others: &[&[u8]] = &[
        b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n",
        b"SSH-2.0-Go\r\n",
        b"EHLO example.com\r\n",
        b"MAIL FROM:<a@example.com> SIZE=100\r\n",
        b"USER anonymous\r\n",
        b"NICK agent\r\nUSER a 0 * :a\r\n",
        b"* OK ready\r\n",
        b"a1 LOGIN user password\r\n",
        b"CONNECT {\"verbose\":false}\r\n",
        b"CONNECT\naccept-version:1.2\n\n\0",
        b"*1\r\n$4\r\nPING\r\n",
        b"PING\r\n",
        b"get key\r\n",
        b"set k 0 0 1\r\nx\r\n",
        b"GET /\r\n",
        b"GET  / HTTP/1.1\r\n",
        b"GET / http/1.1\r\n",
        b"GET / HTTP/2.0\r\n",
        b"GET / HTTPS/1.1\r\n",
        b" GET / HTTP/1.1\r\n",
        b"\r\nGET / HTTP/1.1\r\n",
        b"GE\tT / HTTP/1.1\r\n",
        b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
        b"RTSP/1.0 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\n",
        // Postgres: SSLRequest, then a startup message.
        b"\x00\x00\x00\x08\x04\xd2\x16\x2f",
        b"\x00\x00\x00\x1f\x00\x03\x00\x00user\0postgres\0database\0d\0\0",
        // TDS, MongoDB, DNS over TCP, SOCKS5, AMQP, MQTT.
        b"\x12\x01\x00\x2f\x00\x00\x01\x00",
        b"\x3f\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00\xd4\x07\x00\x00",
        b"\x00\x1d\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03api",
        b"\x05\x01\x00",
        b"AMQP\x00\x00\x09\x01",
        b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c",
        b"\x00",
        b"\xff\xff\xff\xff",
    ];
    for bytes in others {
        check(bytes, "Unknown");
    }
}

#[test]
fn what_resembles_a_tls_record_but_is_none_is_unknown() {
    // SSL 2, SSL 2 carrying a TLS offer, a TLS alert, application data, another major version.
    for bytes in [
        &b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10"[..],
        b"\x80\x67\x01\x03\x01\x00\x4e\x00\x00\x00\x10",
        b"\x15\x03\x03\x00\x02\x02\x28",
        b"\x17\x03\x03\x00\x05hello",
        b"\x16\x02\x00\x00\x05",
        b"\x16\x03\x05\x00\x05",
        b"\x16\x16\x16\x16\x16",
    ] {
        check(bytes, "Unknown");
    }
}

#[test]
fn long_methods_and_targets_are_given_up() {
    let method = "M".repeat(33);
    check(method.as_bytes(), "Unknown");
    check(
        format!("{} / HTTP/1.1\r\n", &method[1..]).as_bytes(),
        "Known(Http1)",
    );
    let target = "a".repeat(16 * 1024);
    let line = format!("GET {target} HTTP/1.1\r\n");
    assert_eq!(class(line.as_bytes()), "Known(Http1)");
    let line = format!("GET {target}a HTTP/1.1\r\n");
    assert_eq!(class(line.as_bytes()), "Unknown");
    assert_eq!(class(&line.as_bytes()[..16 * 1024 + 5]), "Unknown");
    assert_eq!(class(&line.as_bytes()[..16 * 1024 + 4]), "NeedMore");
}

#[test]
fn real_clients_are_understood() {
    let name = "api.openai.com";
    let cases: [(&[u8], String); 5] = [
        (
            include_bytes!("tests/hellos/curl.bin"),
            format!("tls 0304 {name} h2,http/1.1"),
        ),
        (
            include_bytes!("tests/hellos/openssl-tls12.bin"),
            format!("tls 0303 {name} h2"),
        ),
        (
            include_bytes!("tests/hellos/java.bin"),
            "tls 0304 - ".to_owned(),
        ),
        (
            include_bytes!("tests/hellos/node.bin"),
            format!("tls 0304 {name} h2,http/1.1"),
        ),
        (
            include_bytes!("tests/hellos/openssl-fragmented.bin"),
            format!(
                "tls 0304 {name} {}",
                (0..99)
                    .map(|n| format!("proto{n}"))
                    .collect::<Vec<_>>()
                    .join(",")
            ),
        ),
    ];
    for (bytes, expected) in cases {
        check(bytes, &expected);
    }
}

#[test]
fn a_hello_may_be_spread_over_records() {
    let message = Hello::default().message();
    let whole = class(&records(&message, message.len()));
    assert_eq!(whole, "tls 0304 api.openai.com h2,http/1.1");
    for size in 1..message.len() {
        check(&records(&message, size), &whole);
    }
}

#[test]
fn a_hello_in_one_record_is_borrowed() {
    let bytes = records(&Hello::default().message(), 1000);
    let Detection::Known(Known::Tls(hello)) = detect(&bytes) else {
        panic!("not a hello");
    };
    let name = hello
        .server_name()
        .expect("it has a name")
        .as_bytes()
        .as_ptr_range();
    let input = bytes.as_ptr_range();
    assert!(input.start <= name.start && name.end <= input.end);
}

#[test]
fn the_size_and_number_of_records_are_bounded() {
    let large = Hello::padded(0xffff).message();
    assert_eq!(
        class(&records(&large, 1 << 14)),
        "tls 0304 api.openai.com h2,http/1.1"
    );
    assert_eq!(
        class(&records(&Hello::padded(0x1_0000).message(), 1 << 14)),
        "Malformed(TooLarge)"
    );
    assert_eq!(
        class(&records(&large, 257)),
        "tls 0304 api.openai.com h2,http/1.1"
    );
    assert_eq!(class(&records(&large, 200)), "Malformed(TooLarge)");
}

#[test]
fn an_answer_comes_within_the_stated_bound() {
    let mut slow = vec![records(&Hello::padded(0xffff).message(), 257)];
    slow.push(b"A".repeat(MAX_FIRST_FLIGHT));
    slow.push([&b"GET "[..], &b"a".repeat(MAX_FIRST_FLIGHT)].concat());
    slow.push(records(
        &[&[1, 0, 0xff, 0xff][..], &[0; 0xffff]].concat(),
        1,
    ));
    for bytes in slow {
        let bounded = &bytes[..bytes.len().min(MAX_FIRST_FLIGHT)];
        assert_ne!(detect(bounded), Detection::NeedMore);
    }
}

#[test]
fn malformed_records_are_named() {
    let message = Hello::default().message();
    let good = records(&message, 1000);
    check(b"\x16\x03\x01\x00\x00", "Malformed(Record)");
    check(b"\x16\x03\x01\x40\x01", "Malformed(Record)");
    check(
        b"\x16\x03\x01\x00\x04\x02\x00\x00\x00",
        "Malformed(NotClientHello)",
    );
    check(
        b"\x16\x03\x01\x00\x04\x01\x01\x00\x00",
        "Malformed(TooLarge)",
    );
    // Another record type, another major version, and an empty record between two parts.
    let head = &records(&message[..40], 1000);
    for second in [
        &b"\x17\x03\x03\x00\x01"[..],
        b"\x16\x02",
        b"\x16\x03\x01\x00\x00",
    ] {
        check(&[head, second].concat(), "Malformed(Record)");
    }
    // Bytes behind the hello inside its record.
    let behind = records(&[&message[..], b"\x0b"].concat(), 1000);
    check(&behind, "Malformed(Record)");
    check(&good, "tls 0304 api.openai.com h2,http/1.1");
}

fn check_malformed(hello: &Hello, reason: &str) {
    check(
        &records(&hello.message(), 1000),
        &format!("Malformed({reason})"),
    );
}

#[test]
fn malformed_server_names_are_named() {
    let cases: [(&[(u8, &str)], &str); 9] = [
        (&[], "EmptyName"),
        (&[(0, "")], "EmptyName"),
        (&[(0, "a.example"), (0, "b.example")], "DuplicateName"),
        (&[(0, "a.example"), (7, "b.example")], "DuplicateName"),
        (&[(7, "a.example")], "NameType"),
        (&[(0, "a.example\0.evil")], "Name"),
        (&[(0, "a b")], "Name"),
        (&[(0, "b\u{fc}cher.example")], "Name"),
        (&[(0, &"a".repeat(256))], "Name"),
    ];
    for (names, reason) in cases {
        check_malformed(
            &Hello::default().with(0, &hello::server_names(names)),
            reason,
        );
    }
    check_malformed(&Hello::default().with(0, b""), "EmptyName");
}

#[test]
fn duplicate_extensions_are_named() {
    let name = hello::server_names(&[(0, "b.example")]);
    for (kind, value) in [(0, &name[..]), (16, b"\0\x03\x02h2"), (43, b"\x02\x03\x04")] {
        check_malformed(&Hello::default().also(kind, value), "DuplicateExtension");
    }
    let ech = Hello::default().also(0xfe0d, b"").also(0xfe0d, b"");
    check_malformed(&ech, "DuplicateExtension");
}

#[test]
fn malformed_fields_are_named() {
    let extensions: [(u16, &[u8], &str); 8] = [
        (0, b"\0\x05\0\0\x01a", "Length"),
        (0, b"\0\x04\0\0\x01a\0", "Length"),
        (16, b"\0\0", "Length"),
        (16, b"\0\x01\0", "Length"),
        (16, b"\0\x03\x03h2", "Length"),
        (43, b"", "Length"),
        (43, b"\x01\x03", "Length"),
        (43, b"\x02\x7f\x1c", "Version"),
    ];
    for (kind, value, reason) in extensions {
        check_malformed(&Hello::default().with(kind, value), reason);
    }
    let with = |change: fn(&mut Hello)| {
        let mut hello = Hello::default();
        change(&mut hello);
        hello
    };
    check_malformed(&with(|hello| hello.version = 0x0200), "Version");
    check_malformed(&with(|hello| hello.session = 33), "Length");
    check_malformed(&with(|hello| hello.suites = vec![]), "Length");
    check_malformed(&with(|hello| hello.suites = vec![0x13]), "Length");
    check_malformed(&with(|hello| hello.compression = vec![]), "Length");
}

#[test]
fn a_hello_says_what_it_offers() {
    let bytes = records(&Hello::default().also(0xfe0d, b"noise").message(), 1000);
    let Detection::Known(Known::Tls(hello)) = detect(&bytes) else {
        panic!("not a hello");
    };
    assert!(hello.ech());
    let greased = Hello::default().with(43, b"\x04\x7a\x7a\x03\x03");
    check(
        &records(&greased.message(), 1000),
        "tls 0303 api.openai.com h2,http/1.1",
    );
    let bare = Hello {
        extensions: vec![],
        ..Hello::default()
    };
    check(
        &records(&bare.message_without_extensions(), 1000),
        "tls 0303 - ",
    );
    check(&records(&bare.message(), 1000), "tls 0303 - ");
}

/// Once something is said, more bytes change nothing; returns what is said in the end.
fn settle(bytes: &[u8]) -> String {
    let mut said = String::from("NeedMore");
    for end in 0..=bytes.len() {
        let next = class(&bytes[..end]);
        if said != "NeedMore" {
            assert_eq!(next, said, "changed after {end} bytes");
        }
        said = next;
    }
    said
}

proptest! {
    #[test]
    fn any_bytes_have_one_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        settle(&bytes);
    }

    #[test]
    fn any_text_has_one_answer(text in "[A-Z]{0,4}[ -~]{0,20}[ \r\n]{0,3}(HTTP/1.1)?[ -~\r\n]{0,40}") {
        settle(text.as_bytes());
    }

    #[test]
    fn a_damaged_hello_has_one_answer(
        size in 1..400_usize,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = records(&Hello::default().message(), size);
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        settle(&bytes);
    }

    #[test]
    fn any_name_and_protocols_come_back_as_sent(
        name in "[!-~]{1,255}",
        alpn in proptest::collection::vec("[ -~]{1,40}", 1..10),
        size in 1..2000_usize,
    ) {
        let hello = Hello::default()
            .with(0, &hello::server_names(&[(0, &name)]))
            .with(16, &hello::protocols(&alpn));
        let message = hello.message();
        // More records than allowed is another test's matter.
        let size = size.max(message.len().div_ceil(200));
        prop_assert_eq!(class(&records(&message, size)), format!("tls 0304 {} {}", name, alpn.join(",")));
    }
}
