//! Place, protocol, port, method and path of a rule, checked against each other.

use enforcer_flow::Protocol;

use crate::check::{Effect, values};
use crate::compile::cidr;
use crate::compile::host::Place;
use crate::compile::method::Method;
use crate::compile::path::PathPattern;
use crate::compile::reach::{Ports, Protocols, Reach, parse_ports, parse_protocol};
use crate::diagnostic::{Findings, Spot};
use crate::document::{List, Match};

/// What the fields of a match must be read with.
#[derive(Clone, Copy)]
pub(super) struct Sight<'t> {
    /// The rule.
    pub(super) spot: Spot<'t>,
    pub(super) effect: Effect,
    /// Whether TLS is opened.
    pub(super) opened: bool,
    /// Where `inspect` stands, if it does.
    pub(super) inspect: Option<Spot<'t>>,
}

pub(super) type Matched = (
    Vec<Place>,
    Reach,
    Option<Vec<Method>>,
    Option<Vec<PathPattern>>,
);

/// The last of what a match is read with: where it asks for more than its first line shows, and the hosts that implies.
pub(super) type Beyond<'t> = (Sight<'t>, Option<Spot<'t>>, Option<&'static [&'static str]>);

pub(super) fn check_match(
    matches: Match<'_>,
    beyond: Beyond<'_>,
    findings: &mut Findings,
) -> Matched {
    let (sight, asked, implied) = beyond;
    let Match {
        host,
        cidr,
        port,
        protocol,
        method,
        path,
        more: _,
    } = matches;
    let requests = Requests {
        method: method.as_ref().map(|list| list.spot),
        path: path.as_ref().map(|list| list.spot).or(asked),
    };
    let places = match (&host, &cidr, implied) {
        (None, None, Some(implied)) => {
            let place = |host: &&str| Place::parse(host).ok();
            implied.iter().filter_map(place).collect()
        }
        (_, _, _) => check_places(host, cidr, sight, findings),
    };
    let protocols = check_protocols(protocol, requests, sight, findings);
    let ports = check_ports(port, protocols, sight, findings);
    let methods = method.map(|list| values(list, Method::parse, findings));
    let paths = path.map(|list| values(list, PathPattern::parse, findings));
    (places, Reach { protocols, ports }, methods, paths)
}

fn check_places(
    host: Option<List<'_>>,
    cidr: Option<List<'_>>,
    sight: Sight<'_>,
    findings: &mut Findings,
) -> Vec<Place> {
    match (host, cidr) {
        (None, None) => {
            if sight.effect.opens() {
                let message = "a rule that allows without saying where to".to_owned();
                let hint = "add `host` or `cidr`; `host: \"*\"` means everywhere".to_owned();
                findings.error(sight.spot, message, Some(hint));
            }
            vec![Place::Anywhere]
        }
        (Some(_), Some(cidr)) => {
            let message = "`host` and `cidr` in one rule, which both would have to hold".to_owned();
            let hint = "make two rules of it".to_owned();
            findings.error(cidr.spot, message, Some(hint));
            Vec::new()
        }
        (Some(host), None) => values(host, Place::parse, findings),
        (None, Some(cidr)) => values(cidr, |text| cidr::parse(text).map(Place::Net), findings),
    }
}

/// Where a rule speaks of requests, if it does.
#[derive(Clone, Copy)]
struct Requests<'t> {
    method: Option<Spot<'t>>,
    path: Option<Spot<'t>>,
}

fn check_protocols(
    list: Option<List<'_>>,
    requests: Requests<'_>,
    sight: Sight<'_>,
    findings: &mut Findings,
) -> Protocols {
    let named = list.map(|list| {
        let spot = list.spot;
        let named = values(list, parse_protocol, findings);
        check_named(&named, spot, requests, sight, findings);
        Protocols::of(&named)
    });
    let requested = requests.method.or(requests.path);
    match (sight.effect.opens(), sight.opened) {
        (true, true) => named.unwrap_or(Protocols::of(&[Protocol::Https])),
        (true, false) => {
            if let Some(spot) = requested {
                let message = "requests cannot be seen in TLS that is not opened".to_owned();
                let hint = "leave out what is about requests, or `inspect: false`".to_owned();
                findings.error(spot, message, Some(hint));
            }
            Protocols::of(&[Protocol::Tls])
        }
        (false, _) => {
            if let Some(spot) = sight.inspect {
                let message = "`inspect` in a rule that denies, where nothing is opened".to_owned();
                let hint = "leave it out; `protocol: tls` denies TLS that is forwarded unopened";
                findings.error(spot, message, Some(hint.to_owned()));
            }
            let all = [Protocol::Http, Protocol::Https, Protocol::Tls];
            let opaque = requested.is_none().then_some(Protocol::Tcp);
            let all = opaque
                .into_iter()
                .fold(Protocols::of(&all), Protocols::with);
            named.unwrap_or(all)
        }
    }
}

/// Checks protocols that were written out against what else the rule says.
fn check_named(
    named: &[Protocol],
    spot: Spot<'_>,
    requests: Requests<'_>,
    sight: Sight<'_>,
    findings: &mut Findings,
) {
    let tls = named.contains(&Protocol::Tls);
    let mut error = |message: &str, hint: &str| {
        findings.error(spot, message.to_owned(), Some(hint.to_owned()));
    };
    if sight.effect.opens() && sight.opened && tls {
        error(
            "`tls` means TLS that is not opened",
            "write `https`, or add `inspect: false` to forward it unopened",
        );
    }
    if sight.effect.opens() && !sight.opened && named.iter().any(|p| *p != Protocol::Tls) {
        error(
            "`inspect: false` forwards TLS unopened and speaks of nothing else",
            "leave `protocol` out, and make another rule for other protocols",
        );
    }
    let requested = requests.method.is_some() || requests.path.is_some();
    if requested && named.contains(&Protocol::Tcp) {
        error(
            "`tcp` has no requests for rules to look into",
            "make another rule for `tcp`",
        );
    }
}

fn check_ports(
    list: Option<List<'_>>,
    protocols: Protocols,
    sight: Sight<'_>,
    findings: &mut Findings,
) -> Ports {
    match (list, sight.effect.opens()) {
        (Some(list), _) => Ports::In(values(list, parse_ports, findings).into()),
        (None, true) => {
            if protocols.has(Protocol::Tcp) {
                let message = "a rule that allows `tcp` without naming its ports".to_owned();
                let hint = "add `port`".to_owned();
                findings.error(sight.spot, message, Some(hint));
            }
            Ports::Usual
        }
        (None, false) => Ports::Any,
    }
}
