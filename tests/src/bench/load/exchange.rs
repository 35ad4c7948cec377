//! Exchanges one after another on a connection that stays.

use std::time::Instant;

use anyhow::{Result, bail};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;

use super::{
    dial::{Dial, Session},
    record::Record,
    window::Window,
};
use crate::bench::job::{ANSWER_BYTES, LARGE_BYTES, QUESTION_BYTES};

/// Which exchange is repeated.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Download,
    Small,
    Upload,
}

/// Exchanges until the window closes; a lost connection is an error and is opened again.
pub(super) async fn repeat(dial: &Dial, kind: Kind, window: Window) -> Record {
    let mut record = Record::default();
    while window.is_open() && record.is_hopeful() {
        if let Err(error) = on_one_connection(dial, kind, window, &mut record).await {
            record.fail(&error);
        }
    }
    record
}

async fn on_one_connection(
    dial: &Dial,
    kind: Kind,
    window: Window,
    record: &mut Record,
) -> Result<()> {
    let mut session = dial.open().await?;
    let template = kind.request(dial)?;
    while window.is_open() {
        let request = template.clone();
        let began = Instant::now();
        let received = drain(session.send(request).await?).await?;
        if received != kind.answer_bytes() {
            bail!("{received} bytes answered, not {}", kind.answer_bytes());
        }
        record.done(window, began, kind.large_bytes());
    }
    Ok(())
}

/// One small exchange, for the rows that open a connection for each.
pub(super) async fn once(dial: &Dial, session: &mut Session) -> Result<()> {
    let received = drain(session.send(Kind::Small.request(dial)?).await?).await?;
    if received != ANSWER_BYTES {
        bail!("{received} bytes answered, not {ANSWER_BYTES}");
    }
    Ok(())
}

async fn drain(response: Response<Incoming>) -> Result<usize> {
    let mut body = response.into_body();
    let mut received = 0;
    while let Some(frame) = body.frame().await {
        received += frame?.data_ref().map_or(0, Bytes::len);
    }
    Ok(received)
}

/// A chat completion request of [`QUESTION_BYTES`].
pub(super) fn question() -> Bytes {
    let head = r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":""#;
    let tail = r#""}]}"#;
    let filler = "Summarise the following meeting notes in three short sentences. ";
    let mut body = String::with_capacity(QUESTION_BYTES);
    body.push_str(head);
    body.extend(
        filler
            .chars()
            .cycle()
            .take(QUESTION_BYTES - head.len() - tail.len()),
    );
    body.push_str(tail);
    Bytes::from(body)
}

// === impl Kind ===

impl Kind {
    fn request(self, dial: &Dial) -> Result<Request<Full<Bytes>>> {
        match self {
            Self::Download => dial.request(Method::GET, "/v1/files/large", Bytes::new()),
            Self::Small => dial.request(Method::POST, "/v1/chat/completions", question()),
            Self::Upload => dial.request(
                Method::POST,
                "/v1/files",
                Bytes::from(vec![b'x'; LARGE_BYTES]),
            ),
        }
    }

    fn answer_bytes(self) -> usize {
        match self {
            Self::Download => LARGE_BYTES,
            Self::Small | Self::Upload => ANSWER_BYTES,
        }
    }

    fn large_bytes(self) -> usize {
        match self {
            Self::Download | Self::Upload => LARGE_BYTES,
            Self::Small => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_is_json_of_the_size_stated() {
        let body = question();
        assert_eq!(body.len(), QUESTION_BYTES);
        serde_json::from_slice::<serde_json::Value>(&body).expect("the question is JSON");
    }
}
