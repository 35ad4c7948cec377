//! Flows that are ended from outside: at once, whatever they are doing, with the cause in the ledger.

use std::num::NonZeroUsize;

use tokio::io::AsyncReadExt;

use crate::agent::{ask, echoed, get, get_and_stay, get_http2, is_ok};
use crate::far::Far;
use crate::world::{Setup, World};

const CAUSE: &str = "quarantined";

/// Waits for the ledger to say that so many flows were ended by us, and nothing else of them.
async fn ended(world: &World, flows: usize, exchanges: usize) {
    let entries = world.ended(flows).await;
    for (event, count) in [("flow_aborted", flows), ("exchange_aborted", exchanges)] {
        let endings = entries.all(event);
        assert_eq!(endings.len(), count, "{entries}");
        for ending in endings {
            assert_eq!(
                (&ending["side"], &ending["cause"]),
                (&"own".into(), &CAUSE.into()),
                "{entries}"
            );
        }
    }
}

#[tokio::test]
async fn every_flow_of_a_workload_ends_whatever_it_is_doing() {
    let (held, echo, quick) = (Far::held().await, Far::echo().await, Far::answering().await);
    let setup = Setup {
        workers: NonZeroUsize::MIN.saturating_add(1),
        ..Setup::default()
    };
    let world = setup
        .towards("api.example", 80, &held)
        .towards("db.example", 5432, &echo)
        .towards("localhost", 80, &quick)
        .start();
    let mut waiting = world.open(world.named("api.example", 80)).await;
    ask(&mut waiting, "api.example", "/v1/slow").await;
    let over_http2 = world.open(world.named("api.example", 80)).await;
    let over_http2 = tokio::spawn(get_http2(over_http2, "http://api.example/v1/slow"));
    let mut relayed = world.open(world.named("db.example", 5432)).await;
    echoed(&mut relayed, "\x00\x01 startup").await;
    let mut idle = world.open(world.named("localhost", 80)).await;
    get_and_stay(&mut idle, "localhost", "/v1/models").await;
    let mut silent = world.open(world.named("api.example", 80)).await;
    let under_way = |it: &crate::entries::Entries| {
        it.all("exchange_granted").len() == 4 && it.all("flow_opened").len() == 5
    };
    world.ledger(under_way).await;

    assert_eq!(world.end(world.agent, CAUSE), 5);

    for stream in [&mut waiting, &mut relayed, &mut idle, &mut silent] {
        let error = stream.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
    }
    assert!(over_http2.await.is_err());
    // One exchange, the idle connection's, had come to its own end.
    ended(&world, 5, 3).await;
    world.open_flows(0).await;
    assert_eq!(world.end(world.agent, CAUSE), 0);
}

#[tokio::test]
async fn other_workloads_flows_go_on() {
    let far = Far::answering().await;
    let world = Setup::default().towards("api.example", 80, &far).start();
    let mut stays = world
        .connect(world.other, world.named_for(world.other, "api.example", 80))
        .await
        .unwrap();
    get_and_stay(&mut stays, "api.example", "/v1/models").await;
    assert_eq!(world.end(world.agent, CAUSE), 0);
    get_and_stay(&mut stays, "api.example", "/v1/models").await;
}

#[tokio::test]
async fn a_workload_whose_flows_were_ended_may_open_others() {
    let far = Far::answering().await;
    let world = Setup::default().towards("api.example", 80, &far).start();
    let mut first = world.open(world.named("api.example", 80)).await;
    get_and_stay(&mut first, "api.example", "/v1/models").await;
    assert_eq!(world.end(world.agent, CAUSE), 1);
    let second = world.open(world.named("api.example", 80)).await;
    is_ok(&get(second, "api.example", "/v1/models").await);
    let entries = world.ended(2).await;
    assert_eq!(entries.one("flow_aborted")["cause"], CAUSE);
    entries.one("flow_closed");
}

#[tokio::test]
async fn connections_for_lookups_do_not_outlive_the_label() {
    let world = Setup::default().start();
    let mut stream = world.open(([192, 0, 2, 53], 53).into()).await;
    world.open_flows(1).await;
    world.relabel();
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    world.open_flows(0).await;
}
