//! Bytes in both directions, as they are: WebSockets, TLS that is not opened, streams that nobody here understands.

use std::io;
use std::time::Duration;

use enforcer_flow::Side;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::Meter;

/// Large enough for four full TLS records; below that, system calls dominate.
const BUFFER: usize = 64 * 1024;

/// A stream that broke, and at whose end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause} at the {side} side")]
pub struct Broken {
    /// Whose end.
    pub side: Side,
    /// The stable word.
    pub cause: &'static str,
}

/// Copies until both sides have ended. Half-closed streams stay open in the other direction; `idle` bounds how long
/// nothing may pass in either.
///
/// # Errors
/// When either side breaks, or nothing passes for `idle`.
pub async fn relay<A, F>(agent: A, far: F, meter: &Meter, idle: Duration) -> Result<(), Broken>
where
    A: AsyncRead + AsyncWrite,
    F: AsyncRead + AsyncWrite,
{
    let (agent_reader, agent_writer) = tokio::io::split(agent);
    let (far_reader, far_writer) = tokio::io::split(far);
    let up = copy(agent_reader, Side::Agent, far_writer, Side::Upstream, |n| {
        meter.add_up(n);
    });
    let down = copy(far_reader, Side::Upstream, agent_writer, Side::Agent, |n| {
        meter.add_down(n);
    });
    tokio::select! {
        // Boxed: two 64 KiB copies would make every caller's future carry their state inline.
        ended = Box::pin(async { tokio::try_join!(up, down) }) => ended.map(|_| ()),
        () = stalled(meter, idle) => Err(Broken { side: Side::Own, cause: "idle_timeout" }),
    }
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    from_side: Side,
    mut to: impl AsyncWrite + Unpin,
    to_side: Side,
    count: impl Fn(usize),
) -> Result<(), Broken> {
    let broken = |side, cause| move |_: io::Error| Broken { side, cause };
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = from
            .read(&mut buffer)
            .await
            .map_err(broken(from_side, "read_failed"))?;
        if read == 0 {
            break;
        }
        let bytes = buffer.get(..read).unwrap_or_default();
        to.write_all(bytes)
            .await
            .map_err(broken(to_side, "write_failed"))?;
        to.flush().await.map_err(broken(to_side, "write_failed"))?;
        count(read);
    }
    to.shutdown().await.map_err(broken(to_side, "write_failed"))
}

/// Returns once a whole interval has passed without a byte. One timer per interval, none per byte.
pub async fn stalled(meter: &Meter, idle: Duration) {
    let mut seen = None;
    loop {
        let now = Some((meter.up(), meter.down()));
        if seen == now {
            return;
        }
        seen = now;
        tokio::time::sleep(idle).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn both_directions_pass_and_half_close_is_kept() {
        let (agent, mut agent_end) = tokio::io::duplex(64);
        let (far, mut far_end) = tokio::io::duplex(64);
        let meter = Meter::default();
        let ends = async {
            agent_end.write_all(b"question").await.unwrap();
            agent_end.shutdown().await.unwrap();
            let mut text = String::new();
            far_end.read_to_string(&mut text).await.unwrap();
            assert_eq!(text, "question");
            far_end.write_all(b"the answer").await.unwrap();
            far_end.shutdown().await.unwrap();
            text.clear();
            agent_end.read_to_string(&mut text).await.unwrap();
            assert_eq!(text, "the answer");
        };
        let (relayed, ()) = tokio::join!(relay(agent, far, &meter, Duration::from_secs(60)), ends);
        assert_eq!(relayed, Ok(()));
        assert_eq!((meter.up(), meter.down()), (8, 10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_stream_ends() {
        let (agent, _agent_end) = tokio::io::duplex(64);
        let (far, _far_end) = tokio::io::duplex(64);
        let relayed = relay(agent, far, &Meter::default(), Duration::from_secs(60)).await;
        assert_eq!(relayed.map_err(|broken| broken.cause), Err("idle_timeout"));
    }
}
