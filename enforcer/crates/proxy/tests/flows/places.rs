//! Shares: of flows, and of connections to far sides.

use crate::agent::{ask, echoed, get, get_and_stay, is_ok, reset};
use crate::far::Far;
use crate::world::Setup;

#[tokio::test]
async fn a_flow_over_the_share_is_reset_and_its_place_is_free_again_afterwards() {
    let far = Far::answering().await;
    let setup = Setup {
        flows_per_workload: 1,
        ..Setup::default()
    };
    let world = setup.towards("api.example", 80, &far).start();
    let dst = world.named("api.example", 80);
    let held = world.open(dst).await;
    world.open_flows(1).await;
    reset(world.connect(world.agent, dst).await).await;
    let entries = world.ended(1).await;
    let refused = entries.one("flow_refused");
    assert_eq!(refused["cause"], "too_many_flows");
    assert_eq!(refused["original_dst"], dst.to_string());
    // Another workload has a share of its own.
    let theirs = world.named_for(world.other, "api.example", 80);
    let stream = world.connect(world.other, theirs).await.unwrap();
    is_ok(&get(stream, "api.example", "/v1/models").await);
    drop(held);
    world.open_flows(0).await;
    is_ok(&get(world.open(dst).await, "api.example", "/v1/models").await);
}

#[tokio::test]
async fn upstream_connections_are_not_shared_between_workloads() {
    let far = Far::answering().await;
    let world = Setup::default().towards("api.example", 80, &far).start();
    for (agent, accepted) in [
        (world.agent, 1),
        (world.agent, 1),
        (world.other, 2),
        (world.agent, 2),
    ] {
        let dst = world.named_for(agent, "api.example", 80);
        let stream = world.connect(agent, dst).await.unwrap();
        is_ok(&get(stream, "api.example", "/v1/models").await);
        assert_eq!(far.accepted(), accepted);
    }
    assert_eq!(world.ended(4).await.all("exchange_closed").len(), 4);
}

#[tokio::test]
async fn one_workload_cannot_use_up_the_upstream_connections() {
    let far = Far::held().await;
    let setup = Setup {
        upstream_per_workload: 1,
        ..Setup::default()
    };
    let world = setup.towards("api.example", 80, &far).start();
    let dst = world.named("api.example", 80);
    let mut first = world.open(dst).await;
    ask(&mut first, "api.example", "/v1/slow").await;
    world
        .ledger(|it| it.all("exchange_granted").len() == 1)
        .await;
    let answer = get(world.open(dst).await, "api.example", "/v1/models").await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    let entries = world.ended(1).await;
    assert_eq!(
        entries.one("exchange_aborted")["cause"],
        "too_many_connections"
    );
    // Another workload has a share of its own.
    let theirs = world.named_for(world.other, "api.example", 80);
    let mut second = world.connect(world.other, theirs).await.unwrap();
    far.answers.add_permits(2);
    get_and_stay(&mut second, "api.example", "/v1/models").await;
    assert_eq!(far.accepted(), 2);
}

#[tokio::test]
async fn an_unused_upstream_connection_makes_place_for_a_stream() {
    let (web, echo) = (Far::answering().await, Far::echo().await);
    let setup = Setup {
        upstream_per_workload: 1,
        ..Setup::default()
    };
    let setup = setup.towards("api.example", 80, &web);
    let world = setup.towards("db.example", 5432, &echo).start();
    let stream = world.open(world.named("api.example", 80)).await;
    is_ok(&get(stream, "api.example", "/v1/models").await);
    let mut stream = world.open(world.named("db.example", 5432)).await;
    echoed(&mut stream, "\x00\x01 startup").await;
}
