//! What agents begin with: whole, in pieces, wrong, or not at all.

use std::time::Duration;

use tokio::io::AsyncWriteExt;

use crate::agent::{Crumbs, Tls, get, is_ok, reset};
use crate::far::{ELSEWHERE, Far};
use crate::world::{Setup, World, at};

/// What is waited for in full here.
const SHORT: Duration = Duration::from_millis(200);

fn hurried() -> World {
    let setup = Setup {
        first_byte_timeout: SHORT,
        ..Setup::default()
    };
    setup.start()
}

/// Sends the first bytes and expects no more than a reset and this line.
async fn check(world: World, bytes: &[u8], cause: &str) {
    let mut stream = world.open(at(ELSEWHERE, 443)).await;
    stream.write_all(bytes).await.unwrap();
    reset(Ok(stream)).await;
    let entries = world.ended(1).await;
    entries.aborted("agent", cause);
    entries.none("exchange_granted");
}

fn hello(world: &World) -> Vec<u8> {
    Tls::to("api.example", world.certificate()).hello()
}

#[tokio::test]
async fn a_first_message_in_crumbs_is_understood() {
    let far = Far::answering_as("api.example").await;
    let world = Setup::default().towards("api.example", 443, &far).start();
    let stream = world.open(at(ELSEWHERE, 443)).await;
    stream.set_nodelay(true).unwrap();
    let agent = Tls::to("api.example", world.certificate());
    let stream = agent.shake(Crumbs(stream)).await.unwrap();
    is_ok(&get(stream, "api.example", "/v1/models").await);
    world.ended(1).await.one("flow_closed");
}

#[tokio::test]
async fn tls_that_makes_no_sense_is_reset() {
    let world = Setup::default().start();
    check(
        world,
        b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
        "malformed_client_hello",
    )
    .await;
}

#[tokio::test]
async fn a_server_name_that_is_no_host_is_reset() {
    let world = Setup::default().start();
    let mut hello = hello(&world);
    let name = b"api.example";
    let place = hello.windows(name.len()).position(|it| it == name).unwrap();
    hello[place + 4] = b'.';
    check(world, &hello, "malformed_server_name").await;
}

#[tokio::test]
async fn a_first_message_that_stands_still_is_reset() {
    let world = hurried();
    let hello = hello(&world);
    check(world, &hello[..20], "first_message_timeout").await;
}

#[tokio::test]
async fn silence_is_a_stream_and_needs_a_rule_of_its_own() {
    let world = hurried();
    check(world, b"", "no_rule").await;
}

#[tokio::test]
async fn an_agent_that_leaves_in_its_first_message_is_recorded() {
    let world = Setup::default().start();
    let hello = hello(&world);
    let mut stream = world.open(at(ELSEWHERE, 443)).await;
    stream.write_all(&hello[..20]).await.unwrap();
    drop(stream);
    world.ended(1).await.aborted("agent", "agent_gone");
}

#[tokio::test]
async fn an_agent_that_leaves_without_a_word_is_no_fault() {
    let world = Setup::default().start();
    drop(world.open(at(ELSEWHERE, 443)).await);
    let entries = world.ended(1).await;
    entries.one("flow_closed");
    entries.none("flow_aborted");
}
