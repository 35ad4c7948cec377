//! What the head alone says of a request to a model.

use enforcer_prompt as prompt;

use crate::facts::Facts;
use crate::{Body, Request};

impl Facts<'_, '_> {
    /// What the head alone says of a request to a model that has no body, if it is one.
    pub(crate) fn bodiless(&self) -> Option<&prompt::Shape> {
        let request = self.request()?;
        if self.imagined.is_some() || !matches!(request.body, Body::None) {
            return None;
        }
        self.shape()
    }

    /// What the head alone says of a WebSocket to a model, before anything is said on it. Whoever names the header and opens
    /// none says more with the body, so this is no reason to allow.
    pub(crate) fn opening(&self) -> Option<&prompt::Shape> {
        let request = self.request()?;
        let unsaid = matches!(request.body, Body::Later | Body::Unread);
        (self.imagined.is_none() && unsaid && is_websocket(request))
            .then(|| self.shape())
            .flatten()
    }

    /// What is recognised in the head, if that is a request to a model.
    fn shape(&self) -> Option<&prompt::Shape> {
        let recognise = || {
            let request = self.request()?;
            let host = self.question.host.to_string();
            let shape = prompt::recognise(&prompt::Head {
                host: &host,
                method: request.method,
                path: request.path,
                query: request.query,
                websocket: is_websocket(request),
                ..prompt::Head::default()
            });
            matches!(shape.api, prompt::Api::Model(..)).then_some(shape)
        };
        self.shape.get_or_init(recognise).as_ref()
    }
}

/// Whether a head asks for a WebSocket.
fn is_websocket(request: &Request<'_>) -> bool {
    let headers = request
        .headers
        .map(|own| own.get_all(http::header::UPGRADE));
    let asked = |value: &http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"websocket");
    headers.is_some_and(|values| values.iter().any(asked))
}
