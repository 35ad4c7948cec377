//! Workloads that are only observed: nothing is refused, and everything that would be is recorded before.

use enforcer_flow::Stance;
use tokio::io::AsyncReadExt;

use crate::agent::{echoed, get, is_ok};
use crate::far::Far;
use crate::world::{Setup, World};

fn observed(setup: Setup) -> World {
    Setup {
        stance: Stance::Observe,
        ..setup
    }
    .start()
}

#[tokio::test]
async fn a_stream_without_a_rule_passes_observed_whoever_speaks_first() {
    let far = Far::greeting().await;
    let world = observed(Setup::default().towards("db.example", 5433, &far));
    let mut stream = world.open(world.named("db.example", 5433)).await;
    let mut greeting = [0; 11];
    stream.read_exact(&mut greeting).await.unwrap();
    assert_eq!(&greeting, b"220 hello\r\n");
    echoed(&mut stream, "QUIT").await;
    drop(stream);
    let entries = world.ended(1).await;
    let observed = entries.one("exchange_observed");
    assert_eq!(
        (&observed["would"], &observed["cause"]),
        (&"deny".into(), &"no_rule".into())
    );
    assert_eq!(observed["workload"]["stance"], "observe");
    entries.none("exchange_denied");
    entries.one("exchange_closed");
}

#[tokio::test]
async fn a_request_that_contradicts_its_connection_goes_on_observed() {
    let far = Far::answering().await;
    let world = observed(Setup::default().towards("api.example", 80, &far));
    let stream = world.open(world.named("api.example", 80)).await;
    is_ok(&get(stream, "elsewhere.example", "/v1/models").await);
    let entries = world.ended(1).await;
    let observed = entries.one("exchange_observed");
    assert_eq!(observed["cause"], "authority_mismatch");
    assert_eq!(observed["host"], "api.example", "where the connection goes");
}

#[tokio::test]
async fn an_address_that_no_rule_names_is_dialled_observed() {
    if !std::path::Path::new("/etc/resolv.conf").exists() {
        return;
    }
    let world = observed(Setup::default());
    let dst = world.named("localhost", 80);
    get(world.open(dst).await, "localhost", "/v1/models").await;
    let entries = world.ended(1).await;
    let addresses = entries.all("address_observed");
    assert!(!addresses.is_empty(), "{entries}");
    for address in addresses {
        assert_eq!(address["cause"], "forbidden_address");
        assert_eq!(address["host"], "localhost");
    }
}

#[tokio::test]
async fn a_quarantined_workload_gets_no_flow() {
    let far = Far::answering().await;
    let setup = Setup {
        stance: Stance::Quarantine,
        ..Setup::default().towards("api.example", 80, &far)
    };
    let world = setup.start();
    crate::agent::reset(Ok(world.open(world.named("api.example", 80)).await)).await;
    let refused = world.ledger(|it| it.all("flow_refused").len() == 1).await;
    assert_eq!(refused.one("flow_refused")["cause"], "quarantined");
    assert_eq!(far.accepted(), 0);
}

#[tokio::test]
async fn what_is_not_understood_is_passed_on_observed() {
    let far = Far::echo().await;
    let world = observed(Setup::default().towards("odd.example", 5433, &far));
    let mut stream = world.open(world.named("odd.example", 5433)).await;
    // A TLS record that holds no handshake message that there is.
    echoed(&mut stream, "\x16\x03\x01\x00\x04\x7f\x00\x00\x00").await;
    drop(stream);
    let entries = world.ended(1).await;
    entries.one("exchange_observed");
    entries.one("exchange_closed");
}
