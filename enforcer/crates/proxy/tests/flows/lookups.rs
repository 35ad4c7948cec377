//! Lookups at port 53, over either transport.

use enforcer_dns::Names;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;

use crate::agent::{get, is_ok};
use crate::far::Far;
use crate::world::{Setup, World, at};

/// Wherever the agent believes its resolver to be.
const RESOLVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 53)), 53);
const NO_SUCH_NAME: u8 = 3;
const REFUSED: u8 = 5;

/// A query for the IPv4 addresses of a name (RFC 1035, section 4.1).
fn query(name: &str) -> Vec<u8> {
    let mut query = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        query.push(u8::try_from(label.len()).unwrap());
        query.extend(label.as_bytes());
    }
    query.extend([0, 0, 1, 0, 1]);
    query
}

/// The one address of an answer, which ends with it, or the code of a refusal.
fn address(answer: &[u8]) -> Result<Ipv4Addr, u8> {
    assert_eq!(answer[..2], [0x12, 0x34]);
    match answer[3] & 0xf {
        0 => {
            assert_eq!(answer[6..8], [0, 1]);
            Ok(Ipv4Addr::from(*answer.last_chunk::<4>().unwrap()))
        }
        code => Err(code),
    }
}

async fn over_tcp(world: &World, name: &str) -> Result<Ipv4Addr, u8> {
    let mut stream = world.open(RESOLVER).await;
    let query = query(name);
    stream.write_u16(query.len() as u16).await.unwrap();
    stream.write_all(&query).await.unwrap();
    let mut answer = vec![0; stream.read_u16().await.unwrap().into()];
    stream.read_exact(&mut answer).await.unwrap();
    address(&answer)
}

async fn over_udp(world: &World, socket: &UdpSocket, name: &str) -> Result<Ipv4Addr, u8> {
    socket.send_to(&query(name), world.udp).await.unwrap();
    let mut answer = [0; 512];
    let (length, _) = socket.recv_from(&mut answer).await.unwrap();
    address(&answer[..length])
}

#[tokio::test]
async fn a_name_that_was_looked_up_can_be_reached() {
    let far = Far::answering().await;
    let world = Setup::default().towards("api.example", 80, &far).start();
    let found = over_tcp(&world, "api.example").await.unwrap();
    assert!(Names::is_synthetic(found.into()), "{found}");
    is_ok(
        &get(
            world.open(at(found.into(), 80)).await,
            "api.example",
            "/v1/models",
        )
        .await,
    );
    let entries = world.ended(1).await;
    assert_eq!(entries.one("name_answered")["name"], "api.example");
    assert_eq!(entries.one("exchange_granted")["host"], "api.example");
}

#[tokio::test]
async fn a_name_that_no_rule_allows_does_not_exist() {
    let world = Setup::default().start();
    assert_eq!(
        over_tcp(&world, "secret.exfil.test").await,
        Err(NO_SUCH_NAME)
    );
    let entries = world.ledger(|it| !it.all("name_refused").is_empty()).await;
    assert_eq!(entries.one("name_refused")["name"], "secret.exfil.test");
    entries.none("name_answered");
}

#[tokio::test]
async fn a_datagram_is_answered_to_workloads_only() {
    let world = Setup::default().start();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    assert_eq!(over_udp(&world, &socket, "api.example").await, Err(REFUSED));
    world.file(socket.local_addr().unwrap(), world.agent, RESOLVER);
    let found = over_udp(&world, &socket, "api.example").await.unwrap();
    assert_eq!(at(found.into(), 80), world.named("api.example", 80));
    let entries = world.ledger(|it| !it.all("name_answered").is_empty()).await;
    entries.one("name_answered");
    entries.one("name_refused");
}

#[tokio::test]
async fn lookups_over_tcp_have_their_place_among_the_flows() {
    let setup = Setup {
        flows_per_workload: 1,
        ..Setup::default()
    };
    let world = setup.start();
    let held = world.open(RESOLVER).await;
    world.open_flows(1).await;
    crate::agent::reset(world.connect(world.agent, RESOLVER).await).await;
    assert_eq!(
        world.ended(1).await.one("flow_refused")["cause"],
        "too_many_flows"
    );
    drop(held);
    world.open_flows(0).await;
    assert!(over_tcp(&world, "api.example").await.is_ok());
}
