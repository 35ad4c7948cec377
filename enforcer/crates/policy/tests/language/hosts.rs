//! Hosts: exact names, wildcards, addresses, ranges, and texts that are meant to be mistaken for them.

use crate::{ask, check, compile};

#[test]
fn names_are_exact_whatever_their_spelling() {
    check(
        "- { id: a, effect: allow, match: { host: API.Example.com. } }\n",
        &[
            ("GET https://api.example.com/", "allow a"),
            ("GET https://API.EXAMPLE.COM/", "allow a"),
            ("GET https://api.example.com./", "allow a"),
            ("GET https://example.com/", "deny no_rule"),
            ("GET https://x.api.example.com/", "deny no_rule"),
            ("GET https://evilapi.example.com/", "deny no_rule"),
            ("GET https://api.example.com.evil.net/", "deny no_rule"),
            ("GET https://api.example.co/", "deny no_rule"),
            ("GET https://api-example.com/", "deny no_rule"),
        ],
    );
}

#[test]
fn a_wildcard_matches_below_its_suffix_and_nowhere_else() {
    check(
        "- { id: a, effect: allow, match: { host: '*.example.com' } }\n",
        &[
            ("GET https://a.example.com/", "allow a"),
            ("GET https://A.EXAMPLE.com./", "allow a"),
            ("GET https://a.b.c.example.com/", "allow a"),
            ("GET https://xn--bcher-kva.example.com/", "allow a"),
            ("GET https://example.com/", "deny no_rule"),
            ("GET https://evilexample.com/", "deny no_rule"),
            ("GET https://evil-example.com/", "deny no_rule"),
            ("GET https://a.example.com.evil.net/", "deny no_rule"),
            ("GET https://example.com.evil.net/", "deny no_rule"),
            ("GET https://com/", "deny no_rule"),
            ("GET https://a.examplexcom/", "deny no_rule"),
        ],
    );
}

#[test]
fn everywhere_means_names_and_addresses() {
    check(
        "- { id: a, effect: allow, match: { host: '*' } }\n",
        &[
            ("GET https://anything.example/", "allow a"),
            ("GET https://localhost/", "allow a"),
            ("GET https://192.0.2.1/", "allow a"),
            ("GET https://[2001:db8::1]/", "allow a"),
            ("GET http://anything.example/", "deny no_rule"),
        ],
    );
}

#[test]
fn address_literals_are_exact_in_every_spelling() {
    check(
        "- { id: four, effect: allow, match: { host: 192.0.2.1 } }\n\
         - { id: six, effect: allow, match: { host: '2001:db8::1' } }\n",
        &[
            ("GET https://192.0.2.1/", "allow four"),
            ("GET https://[::ffff:192.0.2.1]/", "allow four"),
            ("GET https://192.0.2.10/", "deny no_rule"),
            ("GET https://[2001:DB8:0::1]/", "allow six"),
            ("GET https://[2001:db8::2]/", "deny no_rule"),
            ("GET https://192.0.2.1.evil.net/", "deny no_rule"),
        ],
    );
}

#[test]
fn ranges_hold_address_literals_only() {
    check(
        "- { id: four, effect: allow, match: { cidr: [10.0.0.0/8, 192.0.2.0/25] } }\n\
         - { id: six, effect: allow, match: { cidr: 'fd00::/8' } }\n\
         - { id: no, effect: deny, match: { cidr: 10.9.0.0/16 } }\n",
        &[
            ("GET https://10.255.255.255/", "allow four"),
            ("GET https://11.0.0.0/", "deny no_rule"),
            ("GET https://192.0.2.127/", "allow four"),
            ("GET https://192.0.2.128/", "deny no_rule"),
            ("GET https://[::ffff:10.0.0.1]/", "allow four"),
            ("GET https://[fd12::1]/", "allow six"),
            ("GET https://[fe80::1]/", "deny no_rule"),
            ("GET https://10.9.8.7/", "deny no"),
            ("GET https://ten.example/", "deny no_rule"),
        ],
    );
}

#[test]
fn all_of_one_family_is_a_range() {
    check(
        "- { id: a, effect: allow, match: { cidr: 0.0.0.0/0 } }\n\
         - { id: b, effect: deny, match: { cidr: '::/0' } }\n",
        &[
            ("GET https://203.0.113.9/", "allow a"),
            ("GET https://[2001:db8::1]/", "deny b"),
            ("GET https://name.example/", "deny no_rule"),
        ],
    );
}

/// Names of the longest shape that exists are walked without harm.
#[test]
fn a_name_of_127_labels_is_judged() {
    let set = compile("- { id: a, effect: allow, match: { host: '*.a.a' } }\n");
    let name = vec!["a"; 127].join(".");
    assert_eq!(ask(&set, &format!("GET https://{name}/")), "allow a");
    let name = vec!["b"; 127].join(".");
    assert_eq!(ask(&set, &format!("GET https://{name}/")), "deny no_rule");
}
