//! The agent's end of a flow. When its flow was ended from outside, it is reset: an agent must not take what came until then
//! for the whole.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use enforcer_gate::Flow;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::connection;

/// A socket that knows its flow.
pub(crate) struct Socket {
    stream: TcpStream,
    flow: Arc<Flow>,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream, flow: Arc<Flow>) -> Self {
        // Interleaved small writes must not wait for acknowledgements (RFC 896 meets delayed ACK: 40 ms stalls).
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, flow.id = %flow.id(), "TCP_NODELAY could not be set");
        }
        Self { stream, flow }
    }

    /// Has it end with a reset when it is dropped.
    pub(crate) fn reset(&self) {
        connection::reset(&self.stream);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.flow.ending().is_some() {
            self.reset();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
