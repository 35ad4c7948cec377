//! Signatures that receivers of webhooks verify, over the body as it is sent.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use enforcer_flow::Secret;

#[cfg(test)]
mod tests;

/// How a receiver wants to be shown that a delivery is from somebody who knows the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `X-Hub-Signature-256`, as GitHub signs what it sends.
    Github,
    /// `X-Slack-Signature` with its timestamp, as Slack signs what it sends.
    Slack,
    /// `webhook-id`, `webhook-timestamp` and `webhook-signature` of the Standard Webhooks specification.
    Standard,
}

/// What is signed.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// Unique; a receiver that has seen it before does nothing.
    pub id: &'a str,
    /// When it is sent, in seconds since 1970.
    pub seconds: u64,
    /// The body, byte for byte as the receiver gets it.
    pub body: &'a [u8],
}

/// Why there is no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// Standard Webhooks want a key in base64, with or without `whsec_` before it.
    #[error(
        "the secret is not a key of Standard Webhooks: `whsec_` and 24 to 64 bytes in base64 are expected"
    )]
    Key,
}

/// The bounds of a key of Standard Webhooks.
const STANDARD_KEY: std::ops::RangeInclusive<usize> = 24..=64;

// === impl Scheme ===

impl Scheme {
    /// Every scheme.
    pub const ALL: [Self; 3] = [Self::Github, Self::Slack, Self::Standard];

    /// The headers it fills, in lower case. An agent's own are taken off, whether they are filled or not.
    #[must_use]
    pub fn headers(self) -> &'static [&'static str] {
        match self {
            Self::Github => &["x-hub-signature-256", "x-hub-signature"],
            Self::Slack => &["x-slack-request-timestamp", "x-slack-signature"],
            Self::Standard => &["webhook-id", "webhook-timestamp", "webhook-signature"],
        }
    }

    /// The headers that show a receiver who sent this.
    ///
    /// # Errors
    /// When the secret is not one of the scheme's.
    pub fn sign(
        self,
        secret: &Secret<Vec<u8>>,
        delivery: &Delivery<'_>,
    ) -> Result<Vec<(&'static str, String)>, SignError> {
        let Delivery { id, seconds, body } = *delivery;
        let time = seconds.to_string();
        match self {
            Self::Github => {
                let tag = mac(secret.expose(), &[body]);
                Ok(vec![(
                    "x-hub-signature-256",
                    format!("sha256={}", hex(&tag)),
                )])
            }
            Self::Slack => {
                let tag = mac(secret.expose(), &[b"v0:", time.as_bytes(), b":", body]);
                let signature = format!("v0={}", hex(&tag));
                Ok(vec![
                    ("x-slack-request-timestamp", time),
                    ("x-slack-signature", signature),
                ])
            }
            Self::Standard => {
                let key = standard_key(secret)?;
                let parts = [id.as_bytes(), b".", time.as_bytes(), b".", body];
                let signature = format!("v1,{}", STANDARD.encode(mac(key.expose(), &parts)));
                Ok(vec![
                    ("webhook-id", id.to_owned()),
                    ("webhook-timestamp", time),
                    ("webhook-signature", signature),
                ])
            }
        }
    }
}

fn standard_key(secret: &Secret<Vec<u8>>) -> Result<Secret<Vec<u8>>, SignError> {
    let text = secret.expose();
    let text = text.strip_prefix(b"whsec_").unwrap_or(text);
    let key = Secret::new(STANDARD.decode(text).map_err(|_| SignError::Key)?);
    if STANDARD_KEY.contains(&key.expose().len()) {
        Ok(key)
    } else {
        Err(SignError::Key)
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(part);
    }
    let mut tag = [0; 32];
    for (to, from) in tag.iter_mut().zip(context.sign().as_ref()) {
        *to = *from;
    }
    tag
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
