//! Who a connection belongs to, and what becomes of those that belong to nobody.

use enforcer_flow::CgroupId;
use tokio::net::TcpStream;

use crate::agent::{get, is_ok, is_refused, reset};
use crate::far::{ELSEWHERE, Far};
use crate::world::{Setup, World, at};

#[tokio::test]
async fn a_connection_of_a_workload_is_served_and_recorded() {
    let far = Far::answering().await;
    let world = Setup::default().towards("api.example", 80, &far).start();
    let dst = world.named("api.example", 80);
    is_ok(&get(world.open(dst).await, "api.example", "/v1/models").await);
    let entries = world.ended(1).await;
    let opened = entries.one("flow_opened");
    assert_eq!(opened["original_dst"], dst.to_string());
    let granted = entries.one("exchange_granted");
    assert_eq!(
        (&granted["flow"], &granted["rule"]),
        (&opened["flow"], &"test/web".into())
    );
    assert_eq!(entries.one("exchange_closed")["status"], 200);
    entries.one("flow_closed");
}

#[tokio::test]
async fn a_connection_without_a_record_is_reset() {
    let world = Setup::default().start();
    reset(TcpStream::connect(world.listener).await).await;
    refused(&world, "no_origin").await;
}

#[tokio::test]
async fn a_connection_of_no_workload_is_reset() {
    let world = Setup::default().start();
    let nobody = CgroupId(u64::MAX);
    reset(world.connect(nobody, at(ELSEWHERE, 80)).await).await;
    let refused = refused(&world, "no_workload").await;
    assert_eq!(refused["original_dst"], at(ELSEWHERE, 80).to_string());
}

#[tokio::test]
async fn a_connection_to_the_listener_itself_is_reset() {
    let world = Setup::default().start();
    reset(world.connect(world.agent, world.listener).await).await;
    refused(&world, "loop").await;
}

#[tokio::test]
async fn a_synthetic_address_that_stands_for_nothing_is_nowhere() {
    let world = Setup::default().start();
    let stale = "198.18.7.7:80".parse().unwrap();
    reset(world.connect(world.agent, stale).await).await;
    let entries = world.ended(1).await;
    entries.aborted("agent", "stale_name");
    entries.none("exchange_granted");
}

#[tokio::test]
async fn a_name_means_nothing_to_another_workload() {
    let far = Far::answering().await;
    let world = Setup::default().towards("api.example", 80, &far).start();
    let dst = world.named("api.example", 80);
    reset(world.connect(world.other, dst).await).await;
    world.ended(1).await.aborted("agent", "stale_name");
    assert_eq!(far.accepted(), 0);
}

#[tokio::test]
async fn a_name_that_was_looked_up_binds_the_host_header() {
    let far = Far::answering().await;
    let world = Setup::default().towards("api.example", 80, &far).start();
    let dst = world.named("elsewhere.example", 80);
    is_refused(&get(world.open(dst).await, "api.example", "/v1/models").await);
    let entries = world.ended(1).await;
    assert_eq!(
        entries.one("exchange_denied")["cause"],
        "authority_mismatch"
    );
    assert_eq!(far.accepted(), 0);
}

#[tokio::test]
async fn a_path_that_no_rule_names_is_refused() {
    let far = Far::answering().await;
    let world = Setup::default().towards("api.example", 80, &far).start();
    let dst = world.named("api.example", 80);
    is_refused(&get(world.open(dst).await, "api.example", "/v2/models").await);
    let entries = world.ended(1).await;
    assert_eq!(entries.one("exchange_denied")["cause"], "no_rule");
    entries.one("flow_closed");
    assert_eq!(far.accepted(), 0);
}

async fn refused(world: &World, cause: &str) -> serde_json::Value {
    let entries = world.ended(1).await;
    let refused = entries.one("flow_refused");
    assert_eq!(refused["cause"], cause, "{entries}");
    entries.none("flow_opened");
    refused.clone()
}
