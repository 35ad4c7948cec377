//! One socket, all agents of one network namespace.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use enforcer_flow::{ClientAddr, NetnsCookie};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use crate::observe::Said;
use crate::{MAX_QUERY, Resolver};

/// How many errors in a row the socket may give that are nobody's passing fault.
const TOLERANCE: u32 = 32;

/// How long to wait after such an error, so that a broken socket is no busy loop.
const PAUSE: Duration = Duration::from_millis(50);

/// How many lookups of observed workloads may be under way at name servers.
const ERRANDS: usize = 256;

/// Answers the datagrams that arrive at a socket, one after the other: an answer takes microseconds and waits for nobody,
/// but for those of observed workloads, which are asked for real beside the loop.
/// Memory does not grow with the number of queries; those that the socket's buffer cannot hold are dropped by the kernel.
///
/// Ends only when the socket is broken for good, with the error that it gives; otherwise by being dropped.
pub async fn serve_udp(
    socket: UdpSocket,
    netns: NetnsCookie,
    resolver: Arc<Resolver>,
) -> io::Error {
    // One byte more than is read, so that a datagram that was cut is known to be too long.
    let mut buffer = vec![0; MAX_QUERY + 1];
    let mut faults = 0;
    let mut errands = JoinSet::<(Option<Vec<u8>>, SocketAddr)>::new();
    loop {
        let received = tokio::select! {
            Some(done) = errands.join_next(), if !errands.is_empty() => {
                if let Ok((Some(answer), from)) = done {
                    send(&socket, &answer, from).await;
                }
                continue;
            }
            received = socket.recv_from(&mut buffer) => received,
        };
        match received {
            Ok((length, from)) => {
                faults = 0;
                let query = buffer.get(..length).unwrap_or_default();
                match resolver.reply_to(query, netns, ClientAddr::new(from)) {
                    Said::Now(Some(answer)) => send(&socket, &answer, from).await,
                    Said::Now(None) => {}
                    Said::Later(errand) if errands.len() >= ERRANDS => {
                        if let Some(answer) = errand.fail() {
                            send(&socket, &answer, from).await;
                        }
                    }
                    Said::Later(errand) => {
                        let resolver = Arc::clone(&resolver);
                        errands.spawn(async move { (resolver.run(*errand).await, from) });
                    }
                }
            }
            Err(error) if is_passing(&error) => {}
            Err(error) if faults >= TOLERANCE => return error,
            Err(_) => {
                faults += 1;
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn send(socket: &UdpSocket, answer: &[u8], to: SocketAddr) {
    // A client that is gone is no fault of ours, and a lost answer is asked for again.
    let _ = socket.send_to(answer, to).await;
}

/// Errors that tell of an answer sent before and not of the socket: ICMP errors that came back for it.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::Interrupted
            | io::ErrorKind::NetworkUnreachable
    )
}
