//! Upstreams that answer before they have the whole request.

use std::convert::Infallible;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use enforcer_flow::Protocol;
use http::Request;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::sync::mpsc;

use crate::upstream::answering_early;
use crate::world::World;

#[tokio::test]
async fn an_early_answer_costs_no_connection_and_what_came_after_it_is_counted() {
    let upstream = answering_early().await;
    let accepted = std::sync::Arc::clone(&upstream.accepted);
    let world = World::new(upstream);
    let mut agent = world.agent_http2(Protocol::Http, "api.example").await;
    for ended in 1..=3 {
        let (say, said) = mpsc::channel::<Bytes>(1);
        let body = StreamBody::new(futures_util::stream::unfold(said, |mut said| async {
            let data = said.recv().await?;
            Some((Ok::<_, Infallible>(Frame::data(data)), said))
        }));
        let request = Request::post("http://api.example:8080/v1/chat")
            .header("content-length", "10")
            .body(Box::pin(body))
            .unwrap();
        let answer = agent.send_request(request).await.unwrap();
        let answer = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(answer, "ok");
        say.send(Bytes::from_static(b"0123456789")).await.unwrap();
        drop(say);
        // The next request finds the connection free again once the upstream has all of this one.
        world.ended(ended).await;
    }
    drop(agent);
    assert_eq!(accepted.load(Ordering::SeqCst), 1);
    let ledger = world.ledger().await;
    for closed in ledger.all("exchange_closed") {
        assert_eq!(closed["bytes_up"], 10, "{closed}");
    }
    assert_eq!(ledger.all("exchange_closed").len(), 3);
}
