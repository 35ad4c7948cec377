//! What holds for all policies and all questions, against a judge written straight from the page that teaches the language.

use std::net::IpAddr;

use enforcer_flow::{Host, Protocol};
use enforcer_policy::{Decision, PolicySet, Question, Request, Verdict};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::{compile, workload};

const HOSTS: [&str; 9] = [
    "x", "a.x", "b.x", "a.b.x", "ax", "evilx", "x.a", "10.0.0.1", "10.9.0.1",
];
const PLACES: [&str; 8] = ["*", "*.x", "*.b.x", "x", "a.x", "x.a", "10.0.0.1", "*.a"];
const NETS: [(&str, &str); 2] = [("10.0.0.0/8", "10."), ("10.9.0.0/16", "10.9.")];
const PROTOCOLS: [&str; 4] = ["http", "https", "tcp", "tls"];
const PORTS: [&str; 4] = ["80", "443", "81-500", "8443"];
const METHODS: [&str; 3] = ["GET", "POST", "DELETE"];
const PATTERNS: [&str; 8] = ["/", "/a", "/a/*", "/a/**", "/**/b", "/*/b", "/**", "/a*c"];
const PATHS: [&str; 12] = [
    "/", "/a", "/a/", "/a/b", "/a/b/c", "/b", "/abc", "/%61", "/a/../b", "//a", "/a%2fb", "*",
];

#[derive(Clone, Debug)]
struct Rule {
    allow: bool,
    inspect: bool,
    places: Vec<&'static str>,
    nets: Vec<(&'static str, &'static str)>,
    protocols: Vec<&'static str>,
    ports: Vec<&'static str>,
    methods: Vec<&'static str>,
    paths: Vec<&'static str>,
}

#[derive(Clone, Debug)]
struct Asked {
    host: &'static str,
    port: u16,
    protocol: Protocol,
    request: Option<(&'static str, &'static str)>,
}

// === the language, straight ===

impl Rule {
    /// Takes out of a random rule what the language refuses.
    fn made_sensible(mut self) -> Self {
        if !self.places.is_empty() {
            self.nets.clear();
        } else if self.nets.is_empty() && self.allow {
            self.places.push("*");
        }
        if !self.allow {
            self.inspect = true;
        }
        if !self.inspect {
            self.protocols.clear();
            self.methods.clear();
            self.paths.clear();
        }
        let about_requests = !self.methods.is_empty() || !self.paths.is_empty();
        if about_requests {
            self.protocols.retain(|protocol| *protocol != "tcp");
        }
        if self.allow {
            self.protocols.retain(|protocol| *protocol != "tls");
        }
        if self.allow && self.protocols.contains(&"tcp") && self.ports.is_empty() {
            self.ports.push("8443");
        }
        self
    }

    fn text(&self, id: usize) -> String {
        let list = |key: &str, values: &[&str]| match values {
            [] => String::new(),
            _ => format!("{key}: ['{}'], ", values.join("', '")),
        };
        let nets: Vec<&str> = self.nets.iter().map(|(net, _)| *net).collect();
        let fields = [
            list("host", &self.places),
            list("cidr", &nets),
            list("protocol", &self.protocols),
            list("port", &self.ports),
            list("method", &self.methods),
            list("path", &self.paths),
        ];
        let effect = if self.allow { "allow" } else { "deny" };
        let inspect = if self.inspect { "" } else { "inspect: false, " };
        format!(
            "- {{ id: r{id}, effect: {effect}, {inspect}match: {{ {} }} }}\n",
            fields.concat()
        )
    }

    fn speaks_of(&self, asked: &Asked) -> bool {
        self.place(asked.host) && self.protocol(asked) && self.port(asked) && self.request(asked)
    }

    fn place(&self, host: &str) -> bool {
        let address = host.parse::<IpAddr>().is_ok();
        let named = self
            .places
            .iter()
            .any(|place| match place.strip_prefix('*') {
                Some("") => true,
                Some(suffix) => !address && host.ends_with(suffix),
                None => host == *place,
            });
        let within = self
            .nets
            .iter()
            .any(|(_, prefix)| address && host.starts_with(prefix));
        let everywhere = self.places.is_empty() && self.nets.is_empty();
        named || within || everywhere
    }

    fn protocol(&self, asked: &Asked) -> bool {
        let protocol = asked.protocol.as_str();
        match (self.allow, self.inspect, self.protocols.as_slice()) {
            (true, false, _) => protocol == "tls",
            (true, true, []) => protocol == "https",
            (false, _, []) => {
                protocol != "tcp" || (self.methods.is_empty() && self.paths.is_empty())
            }
            (_, _, named) => named.contains(&protocol),
        }
    }

    fn port(&self, asked: &Asked) -> bool {
        if self.ports.is_empty() {
            let usual = if asked.protocol == Protocol::Http {
                80
            } else {
                443
            };
            return !self.allow || asked.port == usual;
        }
        self.ports.iter().any(|ports| {
            let (low, high) = ports.split_once('-').unwrap_or((ports, ports));
            (low.parse().unwrap()..=high.parse().unwrap()).contains(&asked.port)
        })
    }

    fn request(&self, asked: &Asked) -> bool {
        if self.methods.is_empty() && self.paths.is_empty() {
            return true;
        }
        let Some((method, path)) = asked.request else {
            return !self.allow;
        };
        let same =
            |own: &&str| **own == *method || (!self.allow && own.eq_ignore_ascii_case(method));
        let method = self.methods.is_empty() || self.methods.iter().any(same);
        method && (self.paths.is_empty() || self.path(path))
    }

    fn path(&self, path: &str) -> bool {
        if ["/a/../b", "//a", "/a%2fb", "*"].contains(&path) {
            return !self.allow;
        }
        let path = path.replace("%61", "a");
        let bare = path
            .strip_suffix('/')
            .filter(|bare| !self.allow && !bare.is_empty());
        let matches = |path: &str| {
            let path: Vec<&str> = path.split('/').collect();
            self.paths
                .iter()
                .any(|pattern| by_segments(&pattern.split('/').collect::<Vec<_>>(), &path))
        };
        matches(&path) || bare.is_some_and(matches)
    }
}

/// Whether pattern segments match path segments, by trying everything.
fn by_segments(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => (0..=path.len()).any(|skip| by_segments(rest, &path[skip..])),
        (Some((own, rest)), Some((segment, tail))) => {
            let alike = if *own == "*" {
                !segment.is_empty()
            } else {
                by_bytes(own.as_bytes(), segment.as_bytes())
            };
            alike && by_segments(rest, tail)
        }
        (None, Some(_)) | (Some(_), None) => false,
    }
}

fn by_bytes(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|skip| by_bytes(rest, &text[skip..])),
        Some((byte, rest)) => text
            .split_first()
            .is_some_and(|(first, tail)| first == byte && by_bytes(rest, tail)),
    }
}

fn expected(rules: &[Rule], asked: &Asked) -> Verdict {
    let speaking: Vec<&Rule> = rules.iter().filter(|rule| rule.speaks_of(asked)).collect();
    match speaking.iter().any(|rule| rule.allow) && speaking.iter().all(|rule| rule.allow) {
        true => Verdict::Allow,
        false => Verdict::Deny,
    }
}

// === what is asked of the crate ===

fn policy_of(rules: &[Rule]) -> PolicySet {
    let texts: Vec<String> = rules
        .iter()
        .enumerate()
        .map(|(id, rule)| rule.text(id))
        .collect();
    match texts.concat().as_str() {
        "" => compile("  []"),
        text => compile(text),
    }
}

fn decide(set: &PolicySet, asked: &Asked) -> Decision {
    let host = Host::parse(asked.host).unwrap();
    let request = asked
        .request
        .map(|(method, path)| Request::new(method, path));
    set.evaluate(
        &Question::new(&workload("w", None), asked.protocol, &host, asked.port)
            .with_request(request),
    )
}

fn rule() -> impl Strategy<Value = Rule> {
    (
        prop::bool::weighted(0.7),
        prop::bool::weighted(0.8),
        subsequence(PLACES.to_vec(), 0..3),
        subsequence(NETS.to_vec(), 0..2),
        subsequence(PROTOCOLS.to_vec(), 0..3),
        subsequence(PORTS.to_vec(), 0..2),
        subsequence(METHODS.to_vec(), 0..2),
        subsequence(PATTERNS.to_vec(), 0..3),
    )
        .prop_map(
            |(allow, inspect, places, nets, protocols, ports, methods, paths)| {
                Rule {
                    allow,
                    inspect,
                    places,
                    nets,
                    protocols,
                    ports,
                    methods,
                    paths,
                }
                .made_sensible()
            },
        )
}

fn asked() -> impl Strategy<Value = Asked> {
    let protocols = vec![
        Protocol::Http,
        Protocol::Https,
        Protocol::Https,
        Protocol::Tcp,
        Protocol::Tls,
    ];
    let request = (select(METHODS.to_vec()), select(PATHS.to_vec()));
    (
        select(HOSTS.to_vec()),
        select(vec![80u16, 443, 443, 443, 500, 8443]),
        select(protocols),
        prop::option::weighted(0.9, request),
    )
        .prop_map(|(host, port, protocol, request)| {
            let request = match protocol {
                Protocol::Http | Protocol::Https => request,
                Protocol::Dns | Protocol::Tcp | Protocol::Tls => None,
            };
            Asked {
                host,
                port,
                protocol,
                request,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn decisions_are_those_of_the_language(
        // Enough of them that places have many.
        rules in prop::collection::vec(rule(), 0..40),
        questions in prop::collection::vec(asked(), 20),
    ) {
        let set = policy_of(&rules);
        for asked in &questions {
            let decision = decide(&set, asked);
            prop_assert_eq!(decision.verdict, expected(&rules, asked), "{:?} of {:?}", decision, asked);
            prop_assert!(decision.rule.is_some() || !decision.is_allow());
        }
    }

    #[test]
    fn the_order_of_rules_means_nothing(
        (rules, shuffled) in prop::collection::vec(rule(), 0..7)
            .prop_flat_map(|rules| (Just(rules.clone()), Just(rules).prop_shuffle())),
        questions in prop::collection::vec(asked(), 10),
    ) {
        let (one, other) = (policy_of(&rules), policy_of(&shuffled));
        for asked in &questions {
            prop_assert_eq!(decide(&one, asked).verdict, decide(&other, asked).verdict);
        }
    }

    #[test]
    fn a_deny_more_never_allows_more(
        rules in prop::collection::vec(rule(), 0..6),
        deny in rule(),
        questions in prop::collection::vec(asked(), 10),
    ) {
        let deny = Rule { allow: false, ..deny }.made_sensible();
        let without = policy_of(&rules);
        let with = policy_of(&[rules, vec![deny.clone()]].concat());
        for asked in &questions {
            let decision = decide(&with, asked);
            prop_assert!(!decision.is_allow() || decide(&without, asked).is_allow());
            prop_assert!(!decision.is_allow() || !deny.speaks_of(asked));
        }
    }

    #[test]
    fn what_is_allowed_can_be_resolved(
        rules in prop::collection::vec(rule(), 0..7),
        questions in prop::collection::vec(asked(), 20),
    ) {
        let set = policy_of(&rules);
        for asked in &questions {
            let host = Host::parse(asked.host).unwrap();
            let resolved = set.may_resolve(&workload("w", None), &host);
            prop_assert!(resolved.is_allow() || !decide(&set, asked).is_allow());
            prop_assert!(!resolved.is_allow() || rules.iter().any(|rule| rule.allow && rule.place(asked.host)));
        }
    }

    #[test]
    fn a_rule_warned_of_decides_nothing(
        rules in prop::collection::vec(rule(), 1..30),
        questions in prop::collection::vec(asked(), 30),
    ) {
        let texts: Vec<String> = rules.iter().enumerate().map(|(id, rule)| rule.text(id)).collect();
        let (set, warnings) = crate::compile_text(&crate::policy(&texts.concat())).unwrap();
        let Some(line) = warnings.first().and_then(|warning| warning.at).map(|at| at.line) else {
            return Ok(());
        };
        let mut fewer = rules;
        fewer.remove(line as usize - 4);
        let fewer = policy_of(&fewer);
        for asked in &questions {
            prop_assert_eq!(decide(&set, asked).verdict, decide(&fewer, asked).verdict, "{:?} {:?}", warnings, asked);
        }
    }

    #[test]
    fn a_wildcard_never_matches_without_a_label_boundary(
        suffix in "[a-z]{1,4}(\\.[a-z]{1,3}){0,2}",
        prefix in "[a-z0-9.-]{0,6}",
    ) {
        let set = compile(&format!("- {{ id: a, effect: allow, match: {{ host: '*.{suffix}' }} }}\n"));
        if let Ok(host) = Host::parse(&format!("{prefix}{suffix}")) {
            let allowed = set.may_resolve(&workload("w", None), &host).is_allow();
            prop_assert_eq!(allowed, host.to_string().ends_with(&format!(".{suffix}")));
        }
    }

    #[test]
    fn every_text_and_every_path_is_answered(text in "\\PC{0,200}", path in "[\\x00-\\x7f/%.;]{0,60}") {
        let _ = crate::compile_text(&text);
        let set = compile("- { id: a, effect: allow, match: { host: x, path: '/a*/**' } }\n");
        let decision = set.evaluate(&Question::new(&workload("w", None), Protocol::Https, &Host::parse("x").unwrap(), 443).with_request(Some(Request::new("GET", &path))));
        prop_assert!(!decision.is_allow() || path.starts_with("/a") || path.starts_with("/%61"));
    }

    #[test]
    fn patterns_match_as_their_definition_says(
        pattern in prop::collection::vec(select(vec!["a", "b", "*", "**", "a*", "*b", "a*b"]), 1..6),
        path in prop::collection::vec(select(vec!["a", "b", "ab", "aab", "c"]), 0..7),
    ) {
        let (pattern, path) = (format!("/{}", pattern.join("/")), format!("/{}", path.join("/")));
        let set = compile(&format!("- {{ id: a, effect: allow, match: {{ host: x, path: '{pattern}' }} }}\n"));
        let asked = set.evaluate(&Question::new(&workload("w", None), Protocol::Https, &Host::parse("x").unwrap(), 443).with_request(Some(Request::new("GET", &path))));
        let segments = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
        let (own, other) = (segments(&pattern), segments(&path));
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        let other: Vec<&str> = other.iter().map(String::as_str).collect();
        prop_assert_eq!(asked.is_allow(), by_segments(&own, &other), "`{}` by `{}`", path, pattern);
    }
}
