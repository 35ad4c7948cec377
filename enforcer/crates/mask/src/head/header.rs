//! Headers and trailers, by what they are for.

use enforcer_recognize::Family;

use super::Head;
use crate::Stop;
use crate::body::{Spelling, Trail};

/// What frames a message or is set anew on each hop: read by HTTP itself, and not passed on as it came.
const FRAMES: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What says how the body is to be read, or is answered by a value made of it: other values would break the message.
const FIXED: &[&str] = &[
    "content-encoding",
    "content-range",
    "content-type",
    "range",
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-version",
];

/// Where the agent's own credentials stand.
const CREDENTIALS: &[&str] = &[
    "api-key",
    "authorization",
    "private-token",
    "proxy-authorization",
    "sec-websocket-protocol",
    "x-amz-security-token",
    "x-api-key",
    "x-auth-token",
    "x-goog-api-key",
];

/// What is a URL.
const URLS: &[&str] = &["content-location", "location", "referer"];

impl Head {
    /// Looks at a header or trailer, its name in small letters; none is returned where nothing changes.
    ///
    /// # Errors
    ///
    /// When the message must not go on.
    pub fn header(&mut self, name: &str, value: &[u8]) -> Result<Option<Vec<u8>>, Stop> {
        if FRAMES.contains(&name) {
            return Ok(None);
        }
        self.desk.trail = Trail::new("header:");
        self.desk.trail.enter(name);
        let mut out = Vec::with_capacity(value.len());
        if self.desk.covered() {
            self.part(value, Spelling::Header, &mut out)?;
            return Ok((out != value).then_some(out));
        }
        if FIXED.contains(&name) {
            return self.fixed(value).map(|()| None);
        }
        if CREDENTIALS.contains(&name) {
            return self.credential(value).map(|()| None);
        }
        let looked = match name {
            "cookie" | "set-cookie" => {
                self.desk.spare(Some(Family::Secret));
                let looked = self.cookies(name == "set-cookie", value, &mut out);
                self.desk.spare(None);
                looked
            }
            _ if URLS.contains(&name) => self.part(value, Spelling::Percent, &mut out),
            _ => self.part(value, Spelling::Header, &mut out),
        };
        looked?;
        Ok((out != value).then_some(out))
    }

    /// Looks at a credential in its own place: nothing else could stand there, so only what is to be blocked counts.
    fn credential(&mut self, value: &[u8]) -> Result<(), Stop> {
        let before = self.desk.count();
        self.desk.spare(Some(Family::Secret));
        let looked = self.desk.judge(value);
        self.desk.spare(None);
        looked?;
        self.desk.forget(before);
        Ok(())
    }
}
