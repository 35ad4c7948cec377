//! Paths, queries, headers, cookies and hosts.

use enforcer_mask::head::Head;
use enforcer_mask::{Direction, Stop};

use crate::case::{stop, told};
use crate::rules;

fn head() -> Head {
    Head::new(&rules::ruleset(), &rules::session(), Direction::Request)
}

fn target(from: &str, to: Option<&str>, found: &[&str]) {
    let mut head = head();
    assert_eq!(head.target(from).unwrap().as_deref(), to, "{from}");
    assert_eq!(told(&head.take_findings()), found, "{from}");
}

fn header(name: &str, from: &str, to: Option<&str>, found: &[&str]) {
    let mut head = head();
    let out = head.header(name, from.as_bytes()).unwrap();
    let out = out.map(|out| String::from_utf8(out).unwrap());
    assert_eq!(out.as_deref(), to, "{name}: {from}");
    assert_eq!(told(&head.take_findings()), found, "{name}: {from}");
}

fn refused<T: std::fmt::Debug>(looked: Result<T, Stop>) {
    assert_eq!(looked.as_ref().err().map(stop), Some("block"), "{looked:?}");
}

#[test]
fn paths_and_queries_change_only_where_something_was_found() {
    target("/", None, &[]);
    target("/a%2fb/%C3%BC;x=1?q=%41+b&c&=&d=%zz", None, &[]);
    target(
        "/users/536-22-1234/x%20y",
        Some("/users/%5BSSN%5D/x%20y"),
        &["ssn path[2]"],
    );
    target(
        "/v1/%41da%20Lovelace?name=Ada+Lovelace&secret=%31&x=%31",
        Some("/v1/%5BCUSTOMER%5D?name=%5BCUSTOMER%5D&secret=%5BSECRET%5D&x=%31"),
        &[
            "customer path[2]",
            "customer query:name",
            "field:secret query:secret",
        ],
    );
    target("*", None, &[]);
}

#[test]
fn a_planted_value_in_a_query_is_refused() {
    refused(head().target("/?a=CANARY%2d7f3a9b2c1d"));
    refused(head().target("/CANARY-7f3a9b2c1d/x"));
}

#[test]
fn headers_change_by_their_name_and_by_what_they_hold() {
    header("accept", "*/*", None, &[]);
    header(
        "x-user",
        "u-1",
        Some("[X_USER]"),
        &["header:x-user header:x-user"],
    );
    header(
        "x-note",
        "from Ada Lovelace",
        Some("from [CUSTOMER]"),
        &["customer header:x-note"],
    );
    header(
        "secret",
        "x",
        Some("[SECRET]"),
        &["field:secret header:secret"],
    );
    header(
        "referer",
        "https://example.org/Ada%20Lovelace?x=%41",
        Some("https://example.org/%5BCUSTOMER%5D?x=%41"),
        &["customer header:referer"],
    );
}

#[test]
fn what_frames_a_message_stays() {
    header("content-length", "4111111111111111", None, &[]);
    header("host", "536-22-1234.example.org", None, &[]);
}

#[test]
fn what_a_message_is_read_by_is_refused_instead_of_changed() {
    refused(head().header("content-type", b"multipart/form-data; boundary=536-22-1234"));
    refused(head().header("sec-websocket-key", b"CANARY-7f3a9b2c1d"));
}

#[test]
fn cookies_are_fields() {
    header(
        "cookie",
        "a=b; secret=x; n=Ada%20Lovelace; 536-22-1234=1; flag",
        Some("a=b; secret=%5BSECRET%5D; n=%5BCUSTOMER%5D; %5BSSN%5D=1; flag"),
        &[
            "field:secret cookie:secret",
            "customer cookie:n",
            "ssn cookie:.~",
        ],
    );
    header(
        "set-cookie",
        "secret=x; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT",
        Some("secret=%5BSECRET%5D; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT"),
        &["field:secret cookie:secret"],
    );
}

#[test]
fn credentials_stay_where_they_belong_and_nowhere_else() {
    let key = "sk_live_q7Zt3LmW9xKc2VbN5rYp8HdJ4sGf";
    let mut head = Head::new(&rules::doors(), &rules::session(), Direction::Request);
    let bearer = format!("Bearer {key}");
    assert_eq!(
        head.header("authorization", bearer.as_bytes()).unwrap(),
        None
    );
    assert_eq!(head.header("x-api-key", key.as_bytes()).unwrap(), None);
    assert_eq!(
        head.header("cookie", format!("sid={key}").as_bytes())
            .unwrap(),
        None
    );
    assert!(head.take_findings().is_empty());
    assert!(head.header("x-note", key.as_bytes()).unwrap().is_some());
    assert!(head.target(&format!("/?q={key}")).unwrap().is_some());
    assert_eq!(head.take_findings().len(), 2);
}

#[test]
fn what_is_blocked_is_blocked_among_credentials_too() {
    let mut head = Head::new(&rules::doors(), &rules::session(), Direction::Request);
    refused(head.header("authorization", b"Bearer CANARY-7f3a9b2c1d"));
    refused(head.header("cookie", b"a=b; c=CANARY-7f3a9b2c1d"));
}

#[test]
fn what_would_be_replaced_among_credentials_stays() {
    header("authorization", "Basic Ada Lovelace", None, &[]);
    header("authorization", "Basic QWRhIExvdmVsYWNlOnB3", None, &[]);
}

#[test]
fn hosts_are_refused_where_they_carry_something() {
    let mut head = head();
    head.host("api.example.org").unwrap();
    head.host("10.0.0.1").unwrap();
    head.host("localhost").unwrap();
    refused(head.host("536-22-1234.example.org"));
    refused(
        head.host("canary-7f3a.9b2c1d.example.org")
            .and_then(|()| head.host("CANARY-7f3.a9b2c1d.example.org.")),
    );
}
