//! What a grant asks to be done with the request: headers filled from secrets, signatures, the real path of a webhook.
//!
//! Secrets exist here between the grant and the upstream's socket, and nowhere else.

use std::time::{SystemTime, UNIX_EPOCH};

use enforcer_credentials::{Hooks, Scheme, Secrets};
use enforcer_flow::{Destination, ExchangeId};
use enforcer_policy::{Inject, Obligation, Sign, SignStyle};
use http::Uri;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::PathAndQuery;
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// What is sent.
pub(crate) struct Delivery<'a> {
    pub(crate) exchange: ExchangeId,
    pub(crate) time: SystemTime,
    /// Byte for byte; none when it was not gathered.
    pub(crate) body: Option<&'a [u8]>,
}

/// Why a grant's terms cannot be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unmet {
    /// It is not for us to fill in: it belongs to the transport.
    Header,
    /// The secret is none of the configuration's.
    NoSecret,
    /// The secret is not what it must be.
    Secret,
    /// Signed is what was not gathered, or counted what nobody counts.
    Terms,
}

// === impl Delivery ===

impl Delivery<'_> {
    /// A request that has no body and never will.
    pub(crate) fn empty(exchange: ExchangeId) -> Self {
        Self {
            exchange,
            time: SystemTime::now(),
            body: Some(&[]),
        }
    }
}

// === impl Unmet ===

impl Unmet {
    /// The stable word for the ledger.
    pub(crate) fn cause(self) -> &'static str {
        match self {
            Self::Header => "header_impossible",
            Self::NoSecret => "secret_unknown",
            Self::Secret => "secret_unusable",
            Self::Terms => "terms_impossible",
        }
    }
}

/// Does what the grant asks for. On an error the request must not be sent.
pub(crate) fn meet(
    parts: &mut Parts,
    obligations: &[Obligation],
    secrets: &Secrets,
    delivery: &Delivery<'_>,
) -> Result<(), Unmet> {
    for obligation in obligations {
        match obligation {
            Obligation::Inject(inject) => {
                let Inject {
                    header,
                    prefix,
                    secret,
                    ..
                } = &**inject;
                fill(&mut parts.headers, (header, prefix, secret), secrets)?;
            }
            // Counted by the gate, before the grant.
            // What is masked was looked for on its way here, and what is recorded written down.
            Obligation::Limit(_) | Obligation::Mask(_) | Obligation::Record(_) => {}
            Obligation::Sign(sign) => {
                let Sign { style, secret, .. } = &**sign;
                self::sign(&mut parts.headers, (*style, secret), secrets, delivery)?;
            }
        }
    }
    Ok(())
}

/// Puts the real path of a registered webhook in the place of the one that the agent knows.
pub(crate) fn unhide(
    parts: &mut Parts,
    hooks: &Hooks,
    destination: &Destination,
) -> Result<(), Unmet> {
    let Some(real) = hooks.real(&destination.host, parts.uri.path()) else {
        return Ok(());
    };
    let real: PathAndQuery = real.expose().parse().map_err(|_| Unmet::Secret)?;
    let mut uri = std::mem::take(&mut parts.uri).into_parts();
    uri.path_and_query = Some(real);
    parts.uri = Uri::from_parts(uri).map_err(|_| Unmet::Secret)?;
    Ok(())
}

fn fill(
    headers: &mut HeaderMap,
    (header, prefix, secret): (&str, &str, &str),
    secrets: &Secrets,
) -> Result<(), Unmet> {
    let name: HeaderName = header.parse().map_err(|_| Unmet::Header)?;
    if TRANSPORT.contains(&name) {
        return Err(Unmet::Header);
    }
    let secret = secrets.of(secret).ok_or(Unmet::NoSecret)?;
    let whole = Zeroizing::new([prefix.as_bytes(), secret.expose()].concat());
    let mut value = HeaderValue::from_bytes(&whole).map_err(|_| Unmet::Secret)?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

/// Headers that say where a message goes and where it ends.
const TRANSPORT: [HeaderName; 6] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::HOST,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

fn sign(
    headers: &mut HeaderMap,
    (style, secret): (SignStyle, &str),
    secrets: &Secrets,
    delivery: &Delivery<'_>,
) -> Result<(), Unmet> {
    let scheme = match style {
        SignStyle::Github => Scheme::Github,
        SignStyle::Slack => Scheme::Slack,
        SignStyle::Standard => Scheme::Standard,
    };
    let secret = secrets.of(secret).ok_or(Unmet::NoSecret)?;
    let since = delivery.time.duration_since(UNIX_EPOCH);
    let signed = scheme.sign(
        secret,
        &enforcer_credentials::Delivery {
            id: &format!("msg_{}", delivery.exchange),
            seconds: since.map_or(0, |since| since.as_secs()),
            body: delivery.body.ok_or(Unmet::Terms)?,
        },
    );
    let signed = signed.map_err(|_| Unmet::Secret)?;
    for name in scheme.headers() {
        headers.remove(*name);
    }
    for (name, value) in signed {
        let value = HeaderValue::from_str(&value).map_err(|_| Unmet::Secret)?;
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(())
}
