//! A request's head looked through before it is granted: host, path, query, headers, cookies.

use enforcer_flow::Host;
use enforcer_mask::head::Head;
use enforcer_mask::{Direction, Place, Stop};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::Masking;
use crate::{Ask, Refusal};

/// Headers that say where a message goes and how it is carried; what they hold leaves no further than the next hop, or is
/// looked at as what it is.
const TRANSPORT: [HeaderName; 8] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::HOST,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_VERSION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// What of a head is sent otherwise than the agent wrote it.
#[derive(Debug, Default)]
pub struct MaskedHead {
    /// Path and query, where they are others.
    pub target: Option<String>,
    /// Headers by name, all values of each.
    pub headers: Vec<(HeaderName, Vec<HeaderValue>)>,
}

/// Why a head is not sent.
pub(crate) struct Unsent {
    pub(crate) refusal: Refusal,
    /// The path as it may be written.
    pub(crate) path: Option<String>,
}

impl MaskedHead {
    /// Whether anything of it is sent otherwise.
    pub(crate) fn changes(&self) -> bool {
        self.target.is_some() || !self.headers.is_empty()
    }

    /// The path, where it is another.
    pub(crate) fn path(&self) -> Option<&str> {
        let target = self.target.as_deref()?;
        target.split('?').next()
    }
}

impl Masking {
    /// Looks through a request's head. Nothing of it has left yet.
    pub(crate) fn head(&self, ask: &Ask<'_>) -> Result<MaskedHead, Unsent> {
        let direction = Direction::Request;
        if self.rules().is_empty(direction) {
            return Ok(MaskedHead::default());
        }
        let mut head = Head::new(self.rules(), self.session(), direction);
        let masked = rewrite(&mut head, ask);
        self.note(&head.take_findings());
        match masked {
            Ok(masked) if !self.watches() => Ok(masked),
            Ok(_) => Ok(MaskedHead::default()),
            Err(stop) => {
                let refusal = self.refuse(&stop, direction);
                if self.watches() {
                    return Ok(MaskedHead::default());
                }
                let path = ask.request.map(|request| self.shown(request.path));
                Err(Unsent { refusal, path })
            }
        }
    }

    /// A text of the agent's as it may be written down.
    pub(super) fn shown(&self, text: &str) -> String {
        let place = Place {
            direction: Direction::Request,
            field: None,
            path: "path",
        };
        self.rules().shown(self.session(), place, text).into_inner()
    }
}

fn rewrite(head: &mut Head, ask: &Ask<'_>) -> Result<MaskedHead, Stop> {
    let mut masked = MaskedHead::default();
    if let Host::Name(name) = &ask.destination.host {
        head.host(name)?;
    }
    let Some(request) = ask.request else {
        return Ok(masked);
    };
    let target = match request.query {
        Some(query) => format!("{}?{query}", request.path),
        None => request.path.to_owned(),
    };
    masked.target = head.target(&target)?;
    if let Some(headers) = request.headers {
        masked.headers = rewrite_headers(head, headers)?;
    }
    Ok(masked)
}

fn rewrite_headers(
    head: &mut Head,
    headers: &HeaderMap,
) -> Result<Vec<(HeaderName, Vec<HeaderValue>)>, Stop> {
    let mut changed = Vec::new();
    for name in headers.keys().filter(|name| !TRANSPORT.contains(name)) {
        let mut values = Vec::new();
        let mut differs = false;
        for value in headers.get_all(name) {
            match head.header(name.as_str(), value.as_bytes())? {
                None => values.push(value.clone()),
                Some(masked) => {
                    differs = true;
                    // What is put in its place is plain text; what cannot stand in a header is left out.
                    values.extend(HeaderValue::from_bytes(&masked));
                }
            }
        }
        if differs {
            changed.push((name.clone(), values));
        }
    }
    Ok(changed)
}
