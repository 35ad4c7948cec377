//! Request methods. They are case-sensitive (RFC 9110 section 9.1), and rules that allow take them so; rules that deny
//! do not, because a lenient server might read `delete` as `DELETE`.

use crate::diagnostic::Fault;

/// The methods one meets; to tell a slip from an unusual method.
const USUAL: [&str; 9] = [
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
];
/// Longest method taken, in bytes.
const MAX_METHOD: usize = 32;

/// A method as a policy names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Method(Box<str>);

impl Method {
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let upper = text.to_ascii_uppercase();
        if text == "*" {
            let fault = Fault::new("`*` is no method");
            return Err(fault.with_hint("leave `method` out to take any"));
        }
        if text.is_empty() || text.len() > MAX_METHOD || !text.bytes().all(is_token) {
            return Err(Fault::new(format!("`{text}` is no method")));
        }
        if upper != text && USUAL.contains(&&*upper) {
            let fault = Fault::new(format!("`{text}` is no method; methods are case-sensitive"));
            return Err(fault.with_hint(format!("write `{upper}`")));
        }
        Ok(Self(text.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is(&self, method: &str) -> bool {
        *self.0 == *method
    }

    pub(crate) fn resembles(&self, method: &str) -> bool {
        self.0.eq_ignore_ascii_case(method)
    }
}

/// The characters of a token, RFC 9110 section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
