//! Which credentials a request carries, as keyed fingerprints. Their values go no further than this file.

use std::sync::Mutex;

use enforcer_audit::{Fingerprint, Fingerprinter};
use http::header::{
    AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHORIZATION, SET_COOKIE,
};

/// Headers that carry a credential, each with the word the ledger uses for it.
static CARRIERS: [(HeaderName, &str); 5] = [
    (AUTHORIZATION, "authorization"),
    (COOKIE, "cookie"),
    (HeaderName::from_static("x-api-key"), "x-api-key"),
    (HeaderName::from_static("api-key"), "api-key"),
    (HeaderName::from_static("x-goog-api-key"), "x-goog-api-key"),
];

/// The word for what a header carries, of requests or of answers, if that is a credential.
pub(crate) fn kind(name: &HeaderName) -> Option<&'static str> {
    let answers = [
        (&SET_COOKIE, "set-cookie"),
        (&PROXY_AUTHORIZATION, "proxy-authorization"),
    ];
    let all = CARRIERS.iter().map(|(name, kind)| (name, *kind));
    let mut all = all.chain(answers);
    all.find(|(own, _)| *own == name).map(|(_, kind)| kind)
}

/// The fingerprints of one agent connection. Most connections repeat one credential with every request, so the last one
/// is remembered and not computed again.
#[derive(Default)]
pub(crate) struct Credentials {
    last: Mutex<Vec<Seen>>,
}

struct Seen {
    kind: &'static str,
    value: HeaderValue,
    fingerprint: Fingerprint,
}

impl Credentials {
    /// The fingerprints of a request's credentials, in a fixed order.
    pub(crate) fn of(
        &self,
        headers: &HeaderMap,
        fingerprinter: &Fingerprinter,
    ) -> Vec<Fingerprint> {
        let carried = CARRIERS.iter().flat_map(|(name, kind)| {
            headers
                .get_all(name)
                .iter()
                .map(move |value| (value, *kind))
        });
        let mut found = Vec::new();
        let Ok(mut last) = self.last.lock() else {
            return carried
                .map(|(value, kind)| fingerprinter.fingerprint(kind, value.as_bytes()))
                .collect();
        };
        for (index, (value, kind)) in carried.enumerate() {
            let seen = last
                .get(index)
                .filter(|seen| seen.kind == kind && seen.value == value);
            let fingerprint = match seen {
                Some(seen) => seen.fingerprint,
                None => {
                    let fingerprint = fingerprinter.fingerprint(kind, value.as_bytes());
                    last.truncate(index);
                    last.push(Seen {
                        kind,
                        value: value.clone(),
                        fingerprint,
                    });
                    fingerprint
                }
            };
            found.push(fingerprint);
        }
        found
    }
}
