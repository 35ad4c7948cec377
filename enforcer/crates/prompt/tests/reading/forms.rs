//! Forms and multipart bodies: read in one way, or not at all.

use enforcer_prompt::{Body, Cause, Fields, Limits, Undecidable, recognise};

use super::post;

fn fields(content_type: &str, bytes: &[u8]) -> Result<String, Undecidable> {
    let mut head = post("hooks.example.com", "/x");
    head.content_type = Some(content_type);
    match Body::parse(&recognise(&head), bytes, &Limits::default())? {
        Body::Form(found) | Body::Multipart(found) => Ok(shown(&found)),
        other => panic!("{other:?}"),
    }
}

fn shown(found: &Fields<'_>) -> String {
    let fields = found
        .fields
        .iter()
        .map(|field| format!("{}={}", field.name, field.value));
    let files = found.files.iter().map(|file| {
        let name = file.name.as_deref().unwrap_or("-");
        format!("{}:{name}:{}", file.field, file.bytes.escape_ascii())
    });
    fields.chain(files).collect::<Vec<_>>().join("|")
}

fn cause(content_type: &str, bytes: &[u8]) -> Option<Cause> {
    fields(content_type, bytes).err().map(|it| it.cause)
}

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn forms_are_decoded_once_and_strictly() {
    assert_eq!(
        fields(FORM, b"payload=%7B%22text%22%3A+%22h%C3%A9%2525%22%7D&x&y=").unwrap(),
        "payload={\"text\": \"h\u{e9}%25\"}|x=|y="
    );
    assert_eq!(fields(FORM, b"a[]=1&a[]=2").unwrap(), "a[]=1|a[]=2");
    assert_eq!(cause(FORM, b"a=1&a=2"), Some(Cause::DuplicateKey));
    assert_eq!(cause(FORM, b"a=1&%61=2"), Some(Cause::DuplicateKey));
    assert_eq!(cause(FORM, b"a=%"), Some(Cause::Malformed));
    assert_eq!(cause(FORM, b"a=%zz"), Some(Cause::Malformed));
    assert_eq!(cause(FORM, b"a=%ff"), Some(Cause::InvalidUnicode));
    let many = "a[]=1&".repeat(2_000);
    assert_eq!(cause(FORM, many.as_bytes()), Some(Cause::TooMany));
}

const PARTS: &str = "multipart/form-data; boundary=XX";

#[test]
fn parts_are_cut_where_the_boundary_stands_and_nowhere_else() {
    let sound = b"--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n--XX\r\n\
        Content-Disposition: form-data; name=\"f\"; filename=\"x \\\"y\\\".bin\"\r\n\
        Content-Type: application/octet-stream\r\n\r\n\x00\r\n\x01\r\n--XX--\r\n";
    assert_eq!(
        fields(PARTS, sound).unwrap(),
        "a=one|f:x \"y\".bin:\\x00\\r\\n\\x01"
    );
    let extended = b"--XX\r\nContent-Disposition: form-data; name=\"f\"; filename*=utf-8''%C3%A9\r\n\r\nz\r\n--XX--";
    assert_eq!(fields(PARTS, extended).unwrap(), "f:\u{e9}:z");
    for (body, expected) in [
        (&b"x"[..], Cause::Boundary),
        (b"preamble\r\n--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--XX--", Cause::Boundary),
        (b"--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--XX--\r\nepilogue", Cause::Boundary),
        (b"--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--XX\r\n", Cause::Boundary),
        (b"--XX\nContent-Disposition: form-data; name=a\n\n1\n--XX--\n", Cause::Boundary),
        (b"--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n1\n--XX\n2\r\n--XX--", Cause::Boundary),
        (b"--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n1--XXY\r\n--XX--", Cause::Malformed),
        (b"--XX--", Cause::Boundary),
        (b"--XX\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\n1\r\n--XX--", Cause::DuplicateKey),
        (b"--XX\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n\r\n1\r\n--XX--", Cause::DuplicateKey),
        (b"--XX\r\nContent-Disposition: form-data; name=a; filename=x; filename*=utf-8''y\r\n\r\n1\r\n--XX--", Cause::AmbiguousKey),
        (b"--XX\r\nContent-Disposition: form-data; name=a\r\n name=b\r\n\r\n1\r\n--XX--", Cause::Malformed),
        (b"--XX\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--XX--", Cause::Malformed),
        (b"--XX\r\nContent-Disposition: form-data\r\n\r\n1\r\n--XX--", Cause::Malformed),
        (b"--XX\r\n\r\n1\r\n--XX--", Cause::Malformed),
        (b"--XX\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\nMQ==\r\n--XX--", Cause::UnknownType),
        (b"--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n\xff\r\n--XX--", Cause::InvalidUnicode),
        (b"--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n2\r\n--XX--", Cause::DuplicateKey),
    ] {
        let shown = body.escape_ascii().to_string();
        assert_eq!(cause(PARTS, body), Some(expected), "{shown}");
    }
}
