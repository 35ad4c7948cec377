//! Prints what a container runtime tells of its containers: `watch [SOCKET]`. Changes nothing.

#![expect(clippy::print_stdout, reason = "that is what it is for")]

use enforcer_nri::{Adjustment, Container, Handler, Pod, serve};
use tokio::net::UnixStream;

struct Watch;

impl Handler for Watch {
    async fn running(&self, pods: Vec<Pod>, containers: Vec<Container>) {
        println!(
            "{} pods and {} containers run",
            pods.len(),
            containers.len()
        );
    }

    async fn create(&self, pod: Pod, container: Container) -> Result<Adjustment, String> {
        println!("{pod:?}\n{container:?}");
        Ok(Adjustment::default())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let socket = std::env::args().nth(1);
    let socket = socket.as_deref().unwrap_or("/run/nri/nri.sock");
    serve(UnixStream::connect(socket).await?, "90", "watch", &Watch).await?;
    Ok(())
}
