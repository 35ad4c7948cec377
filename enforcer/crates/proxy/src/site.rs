//! One network namespace in which agents are served: its listeners, for as long as the site is held.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use enforcer_flow::{ClientAddr, NetnsCookie, OriginalDst};
use enforcer_kernel::Listeners;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

use crate::connection::Accepted;
use crate::proxy::Proxy;
use crate::worker::Workers;

/// How long accepting pauses when the process is out of descriptors or memory.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// The listeners of one namespace. Dropping it closes them.
pub struct Site {
    netns: NetnsCookie,
    tasks: Vec<AbortHandle>,
}

impl Site {
    /// Begins to accept. Must be called within the front runtime.
    ///
    /// # Errors
    /// When a listener cannot be registered with the runtime.
    pub fn open(
        netns: NetnsCookie,
        listeners: Listeners,
        proxy: &Arc<Proxy>,
        workers: &Arc<Workers>,
    ) -> io::Result<Self> {
        let Listeners { tcp, dns, dns6 } = listeners;
        let address = OriginalDst::new(tcp.local_addr()?);
        let accepting = accept(
            TcpListener::from_std(tcp)?,
            netns,
            address,
            Arc::clone(workers),
        );
        let mut tasks = vec![tokio::spawn(accepting).abort_handle()];
        for socket in [Some(dns), dns6].into_iter().flatten() {
            let socket = tokio::net::UdpSocket::from_std(socket)?;
            let resolver = Arc::clone(&proxy.parts.resolver);
            let answering = async move {
                let error = enforcer_dns::serve_udp(socket, netns, resolver).await;
                tracing::error!(%error, %netns, "lookups are not answered any more");
            };
            tasks.push(tokio::spawn(answering).abort_handle());
        }
        Ok(Self { netns, tasks })
    }

    /// The namespace.
    #[must_use]
    pub fn netns(&self) -> NetnsCookie {
        self.netns
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn accept(
    listener: TcpListener,
    netns: NetnsCookie,
    address: OriginalDst,
    workers: Arc<Workers>,
) {
    loop {
        let ready = listener.accept().await;
        match ready.and_then(|(stream, client)| accepted(stream, client, netns, address)) {
            Ok(accepted) => workers.take(accepted),
            // A connection that went away before it was accepted is nobody's fault.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
            }
        }
    }
}

/// Takes the socket out of this runtime: it belongs to a worker's.
fn accepted(
    stream: TcpStream,
    client: SocketAddr,
    netns: NetnsCookie,
    listener: OriginalDst,
) -> io::Result<Accepted> {
    Ok(Accepted {
        stream: stream.into_std()?,
        client: ClientAddr::new(client),
        netns,
        listener,
    })
}
