//! The far side of a trust check: whoever shakes hands with the reserved name is told that it believes us, and nothing more.
//!
//! No exchange is asked for, because nothing leaves: the answer is ours.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const MAX_REQUEST: usize = 8 * 1024;
const PATIENCE: Duration = Duration::from_secs(5);
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 8\r\nconnection: close\r\n\r\ntrusted\n";

/// Reads one request and answers it; the same answer to any.
pub(crate) async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin) {
    // A check that goes away before its answer has learnt what it wanted.
    let _ = tokio::time::timeout(PATIENCE, exchange(stream)).await;
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
    let mut request = Vec::with_capacity(1024);
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if request.len() >= MAX_REQUEST || stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    stream.write_all(ANSWER).await?;
    stream.shutdown().await
}
