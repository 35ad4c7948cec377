//! Bytes read ahead come back first, once, and nothing else changes.

use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex};

use crate::Prefixed;

#[tokio::test]
async fn the_prefix_is_read_first_whatever_the_buffer() {
    for size in 1..8 {
        let (near, mut far) = duplex(64);
        far.write_all(b"world").await.unwrap();
        far.shutdown().await.unwrap();
        let mut stream = Prefixed::new(b"hello ".to_vec(), near);
        let (mut all, mut buffer) = (Vec::new(), vec![0; size]);
        loop {
            let count = stream.read(&mut buffer).await.unwrap();
            if count == 0 {
                break;
            }
            all.extend_from_slice(&buffer[..count]);
        }
        assert_eq!(all, b"hello world", "buffers of {size}");
    }
}

#[tokio::test]
async fn the_prefix_does_not_wait_for_the_stream() {
    let (near, _far) = duplex(64);
    let mut stream = Prefixed::new(&b"hello"[..], near);
    let mut buffer = [0; 64];
    assert_eq!(stream.read(&mut buffer).await.unwrap(), 5);
    assert_eq!(stream.into_parts().0, "");
}

#[tokio::test]
async fn writes_go_straight_through() {
    let (near, mut far) = duplex(64);
    let mut stream = Prefixed::new(&b"unread"[..], near);
    stream.write_all(b"out").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut all = Vec::new();
    far.read_to_end(&mut all).await.unwrap();
    assert_eq!(all, b"out");
}

/// Takes vectored writes only.
struct Vectored(Vec<usize>);

impl AsyncWrite for Vectored {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        unreachable!("a vectored write was taken apart")
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        self.0.push(bufs.len());
        Poll::Ready(Ok(bufs.iter().map(|buf| buf.len()).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn vectored_writes_stay_vectored() {
    let mut stream = Prefixed::new(&b""[..], Vectored(Vec::new()));
    assert!(stream.is_write_vectored());
    let parts = [IoSlice::new(b"one"), IoSlice::new(b"two")];
    assert_eq!(stream.write_vectored(&parts).await.unwrap(), 6);
    assert_eq!(stream.get_ref().0, [2]);
}
