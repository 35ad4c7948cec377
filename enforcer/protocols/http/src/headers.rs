//! Headers that belong to one hop and must not be forwarded (RFC 9110, section 7.6.1).

use http::header::{
    self, CONNECTION, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION,
    TE, TRANSFER_ENCODING, UPGRADE,
};

/// Always removed, whether `Connection` names them or not.
const HOP_BY_HOP: [HeaderName; 6] = [
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// The length of a header block as HTTP/1.1 would write it. hyper looks at its own bound only while a block is incomplete;
/// one that arrives in a few large reads would pass it.
pub(crate) fn size(headers: &HeaderMap) -> usize {
    let line = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 4;
    headers.iter().map(line).sum()
}

/// Strips a request for the next hop. What it keeps of `TE` is `trailers`, which says that the agent reads them.
pub(crate) fn strip_request(headers: &mut HeaderMap) {
    let trailers = headers
        .get_all(TE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|token| token.trim().eq_ignore_ascii_case("trailers"));
    strip(headers);
    headers.remove(TE);
    // The agent's expectation was met here: its body was asked for when the request was granted.
    headers.remove(header::EXPECT);
    if trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
}

/// Strips a response for the agent, and what would lead it to a transport that is not captured (RFC 7838).
pub(crate) fn strip_response(headers: &mut HeaderMap) {
    strip(headers);
    headers.remove(header::ALT_SVC);
}

fn strip(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        let named: Vec<HeaderName> = headers
            .get_all(CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|token| token.trim().parse().ok())
            // A sender may not use `Connection` to drop what the message depends on.
            .filter(|name| !matches!(*name, header::HOST | header::CONTENT_LENGTH))
            .collect();
        headers.remove(CONNECTION);
        for name in named {
            headers.remove(name);
        }
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(pairs: &[(&str, &str)], strip: fn(&mut HeaderMap)) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        strip(&mut headers);
        let mut left: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        left.sort();
        left
    }

    #[test]
    fn hop_by_hop_headers_are_not_forwarded() {
        let request = [
            ("connection", "keep-alive, x-private"),
            ("keep-alive", "timeout=5"),
            ("x-private", "1"),
            ("te", "gzip, trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("proxy-authorization", "Basic x"),
            ("expect", "100-continue"),
            ("accept", "*/*"),
        ];
        assert_eq!(
            stripped(&request, strip_request),
            ["accept: */*", "te: trailers"]
        );
        let response = [
            ("connection", "close"),
            ("alt-svc", "h3=\":443\""),
            ("content-type", "text/plain"),
        ];
        assert_eq!(
            stripped(&response, strip_response),
            ["content-type: text/plain"]
        );
    }

    #[test]
    fn connection_cannot_drop_the_host_or_the_length() {
        let request = [
            ("connection", "host, content-length"),
            ("host", "a.example"),
            ("content-length", "3"),
        ];
        assert_eq!(
            stripped(&request, strip_request),
            ["content-length: 3", "host: a.example"]
        );
    }
}
