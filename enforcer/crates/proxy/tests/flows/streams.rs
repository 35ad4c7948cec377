//! Protocols that nobody here opens: whole streams, by rules that say so.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::agent::{echoed, reset};
use crate::far::Far;
use crate::world::Setup;

#[tokio::test]
async fn a_stream_whose_client_speaks_first_passes_with_a_rule() {
    let far = Far::echo().await;
    let world = Setup::default().towards("db.example", 5432, &far).start();
    let mut stream = world.open(world.named("db.example", 5432)).await;
    echoed(&mut stream, "\x00\x01 startup").await;
    drop(stream);
    let entries = world.ended(1).await;
    let granted = entries.one("exchange_granted");
    assert_eq!(
        (&granted["protocol"], &granted["rule"]),
        (&"tcp".into(), &"test/stream".into())
    );
    let closed = entries.one("exchange_closed");
    assert_eq!(
        (&closed["bytes_up"], &closed["bytes_down"]),
        (&10.into(), &10.into())
    );
    entries.one("flow_closed");
}

#[tokio::test]
async fn a_stream_whose_server_speaks_first_passes_with_a_rule() {
    let far = Far::greeting().await;
    let world = Setup::default().towards("db.example", 5432, &far).start();
    let mut stream = world.open(world.named("db.example", 5432)).await;
    let mut greeting = [0; 11];
    stream.read_exact(&mut greeting).await.unwrap();
    assert_eq!(&greeting, b"220 hello\r\n");
    echoed(&mut stream, "QUIT").await;
    drop(stream);
    let entries = world.ended(1).await;
    assert_eq!(entries.one("exchange_closed")["bytes_down"], 15);
    entries.one("flow_closed");
}

#[tokio::test]
async fn a_stream_without_a_rule_is_reset_whoever_speaks_first() {
    let far = Far::greeting().await;
    let setup = Setup {
        first_byte_timeout: Duration::from_millis(200),
        ..Setup::default()
    };
    let world = setup.towards("db.example", 5433, &far).start();
    let dst = world.named("db.example", 5433);
    let mut client_first = world.open(dst).await;
    client_first.write_all(b"\x00\x01 startup").await.unwrap();
    reset(Ok(client_first)).await;
    reset(Ok(world.open(dst).await)).await;
    let entries = world.ended(2).await;
    for event in ["exchange_denied", "flow_aborted"] {
        let causes: Vec<_> = entries.all(event).iter().map(|it| &it["cause"]).collect();
        assert_eq!(causes, ["no_rule", "no_rule"], "{entries}");
    }
    entries.none("exchange_granted");
    assert_eq!(far.accepted(), 0);
}

#[tokio::test]
async fn a_stream_to_nobody_is_reset_and_the_far_side_named() {
    let far = Far::nobody().await;
    let world = Setup::default().towards("db.example", 5432, &far).start();
    let mut stream = world.open(world.named("db.example", 5432)).await;
    stream.write_all(b"\x00\x01 startup").await.unwrap();
    reset(Ok(stream)).await;
    let entries = world.ended(1).await;
    entries.aborted("upstream", "connect_failed");
    assert_eq!(entries.one("exchange_aborted")["cause"], "connect_failed");
}
