//! Requests as the tests of masking write them: for curl, byte for byte.

use std::sync::atomic::{AtomicU32, Ordering};

use enforcer_tests::agent::Answer;
use serde_json::Value;

use crate::stage::Stage;

static SERIAL: AtomicU32 = AtomicU32::new(0);

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    host: String,
    target: String,
    headers: Vec<String>,
    body: Option<Vec<u8>>,
    is_chunked: bool,
}

impl Request {
    /// A request without a body, for path and query as they are written here.
    pub(crate) fn to(host: &str, target: &str) -> Self {
        Self {
            host: host.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: None,
            is_chunked: false,
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(format!("{name}: {value}"));
        self
    }

    /// With a body of this type.
    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self.header("content-type", content_type)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// The same for another host.
    pub(crate) fn at(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// In chunks, without a length.
    pub(crate) fn chunked(mut self) -> Self {
        self.is_chunked = true;
        self
    }

    /// Has the agent send it.
    pub(crate) fn send(&self, stage: &Stage) -> Answer {
        let Self {
            host,
            target,
            headers,
            body,
            is_chunked,
        } = self;
        let url = format!("https://{host}{target}");
        let mut arguments = vec!["--http1.1", "--globoff", "--path-as-is"];
        for header in headers {
            arguments.extend(["-H", header]);
        }
        let file = body.as_ref().map(|body| {
            let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
            let path = stage.sandbox.folder().join(format!("body-{serial}"));
            std::fs::write(&path, body).expect("a file");
            path
        });
        let from = file.as_ref().map(|path| format!("@{}", path.display()));
        if let Some(from) = &from {
            arguments.extend(["--data-binary", from]);
        }
        if *is_chunked {
            arguments.extend(["-H", "transfer-encoding: chunked"]);
        }
        arguments.push(&url);
        let answer = stage.curl(&arguments);
        if let Some(path) = file {
            let _ = std::fs::remove_file(path);
        }
        answer
    }
}
