//! A daemon that stops: what is under way may end, and every ending is in the ledger.

use std::num::NonZeroUsize;
use std::time::Duration;

use tokio::io::AsyncReadExt;

use crate::agent::{ask, echoed, get, get_and_stay, get_http2, is_ok, reset};
use crate::far::Far;
use crate::world::Setup;

#[tokio::test]
async fn an_exchange_under_way_may_end_when_the_daemon_stops() {
    let far = Far::held().await;
    let world = Setup::default().towards("api.example", 80, &far).start();
    let stream = world.open(world.named("api.example", 80)).await;
    let answer = tokio::spawn(get(stream, "api.example", "/v1/models"));
    world
        .ledger(|it| it.all("exchange_granted").len() == 1)
        .await;
    let stopped = world.stop();
    far.answers.add_permits(1);
    is_ok(&answer.await.unwrap());
    stopped.await.unwrap();
    let entries = world.ended(1).await;
    entries.one("exchange_closed");
    entries.one("flow_closed");
}

#[tokio::test]
async fn a_connection_between_two_requests_ends_at_once_when_the_daemon_stops() {
    let far = Far::answering().await;
    let world = Setup::default().towards("api.example", 80, &far).start();
    let mut stream = world.open(world.named("api.example", 80)).await;
    get_and_stay(&mut stream, "api.example", "/v1/models").await;
    world.stop().await.unwrap();
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    world.ended(1).await.one("flow_closed");
}

#[tokio::test]
async fn a_stopping_daemon_drains_and_records_every_ending() {
    let (held, echo) = (Far::held().await, Far::echo().await);
    let setup = Setup {
        drain_timeout: Duration::from_millis(200),
        workers: NonZeroUsize::MIN.saturating_add(1),
        ..Setup::default()
    };
    let setup = setup.towards("api.example", 80, &held);
    let world = setup.towards("db.example", 5432, &echo).start();
    let mut unanswered = world.open(world.named("api.example", 80)).await;
    ask(&mut unanswered, "api.example", "/v1/slow").await;
    let over_http2 = world.open(world.named("api.example", 80)).await;
    let over_http2 = tokio::spawn(get_http2(over_http2, "http://api.example/v1/slow"));
    let mut relayed = world.open(world.named("db.example", 5432)).await;
    echoed(&mut relayed, "\x00\x01 startup").await;
    let _silent = world.open(world.named("api.example", 80)).await;
    let under_way = |it: &crate::entries::Entries| {
        it.all("exchange_granted").len() == 3 && it.all("flow_opened").len() == 4
    };
    world.ledger(under_way).await;
    world.stop().await.unwrap();
    assert!(over_http2.await.is_err());
    let entries = world.ended(4).await;
    for (event, count) in [("exchange_aborted", 3), ("flow_aborted", 4)] {
        let endings = entries.all(event);
        assert_eq!(endings.len(), count, "{entries}");
        for ending in endings {
            assert_eq!(
                (&ending["side"], &ending["cause"]),
                (&"own".into(), &"stopped".into())
            );
        }
    }
    entries.none("exchange_closed");
    entries.none("flow_closed");
}

#[tokio::test]
async fn an_agent_that_leaves_is_not_taken_for_a_stop() {
    let held = Far::held().await;
    let world = Setup::default().towards("api.example", 80, &held).start();
    let mut unanswered = world.open(world.named("api.example", 80)).await;
    ask(&mut unanswered, "api.example", "/v1/slow").await;
    world
        .ledger(|it| it.all("exchange_granted").len() == 1)
        .await;
    drop(unanswered);
    let entries = world.ended(1).await;
    let aborted = entries.one("exchange_aborted");
    assert_eq!(
        (&aborted["side"], &aborted["cause"]),
        (&"agent".into(), &"agent_gone".into())
    );
    entries.none("exchange_closed");
}

#[tokio::test]
async fn a_connection_that_said_nothing_does_not_hold_up_a_stop() {
    let world = Setup::default().start();
    let _silent = world.open(world.named("api.example", 80)).await;
    world.ledger(|it| it.all("flow_opened").len() == 1).await;
    // Both timeouts are a minute: whoever waits for either is late.
    let stopped = tokio::time::timeout(Duration::from_secs(10), world.stop()).await;
    stopped.unwrap().unwrap();
    world.ended(1).await.aborted("own", "stopped");
}

#[tokio::test]
async fn a_connection_that_comes_after_the_stop_is_recorded() {
    let world = Setup::default().start();
    world.stop().await.unwrap();
    let dst = world.named("api.example", 80);
    reset(world.connect(world.agent, dst).await).await;
    assert_eq!(world.ended(1).await.one("flow_refused")["cause"], "stopped");
}
