use std::convert::Infallible;

use futures_util::stream;
use http_body_util::{Full, StreamBody};

use super::*;

const WORKLOAD: CgroupId = CgroupId(7);

fn bounds(limit: usize, memory: usize) -> Bounds {
    Bounds {
        limit,
        time: Duration::from_secs(10),
        memory: Quota::new(memory, memory),
        workload: WORKLOAD,
    }
}

fn headers(length: Option<&str>) -> HeaderMap {
    let length = length.map(|length| (CONTENT_LENGTH, length.parse().unwrap()));
    length.into_iter().collect()
}

fn frames(parts: &[&'static str]) -> impl Body<Data = Bytes, Error = Infallible> + Unpin {
    let frames: Vec<_> = parts
        .iter()
        .map(|part| Ok(Frame::data(Bytes::from_static(part.as_bytes()))))
        .collect();
    StreamBody::new(stream::iter(frames))
}

#[tokio::test]
async fn a_body_is_gathered_whole_with_its_trailers() {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "42".parse().unwrap());
    let parts = vec![
        Ok::<_, Infallible>(Frame::data(Bytes::from("part one, "))),
        Ok(Frame::data(Bytes::from("part two"))),
        Ok(Frame::trailers(trailers)),
    ];
    let mut body = StreamBody::new(stream::iter(parts));
    let bounds = bounds(64, 1 << 20);
    let gathered = gather(&headers(None), &mut body, &bounds).await.unwrap();
    assert_eq!(gathered.bytes, "part one, part two");
    assert_eq!(gathered.trailers.unwrap()["x-sum"], "42");
}

#[tokio::test]
async fn a_body_longer_than_the_limit_is_not_kept() {
    let bounds = bounds(10, 1 << 20);
    for (length, parts) in [
        (None, &["0123456789", "x"][..]),
        (Some("11"), &["0123456789", "x"]),
        (Some("99999999999999999999"), &["x"]),
    ] {
        let found = gather(&headers(length), &mut frames(parts), &bounds).await;
        let expected = match length {
            // Not a number that any body has.
            Some(text) if text.len() > 19 => Ungathered::Length,
            Some(_) | None => Ungathered::TooLong,
        };
        assert_eq!(found.err(), Some(expected), "{length:?}");
    }
    assert_eq!(bounds.memory.all(), 0);
}

#[tokio::test]
async fn a_length_that_lies_is_refused() {
    let bounds = bounds(64, 1 << 20);
    for length in ["4", "6", "5, 5", "+5", "-1", ""] {
        let found = gather(&headers(Some(length)), &mut frames(&["hello"]), &bounds).await;
        assert_eq!(found.err(), Some(Ungathered::Length), "{length:?}");
    }
    let mut twice = headers(Some("5"));
    twice.append(CONTENT_LENGTH, "5".parse().unwrap());
    let found = gather(&twice, &mut frames(&["hello"]), &bounds).await;
    assert_eq!(found.err(), Some(Ungathered::Length));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let mut body = StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>());
    let bounds = bounds(64, 1 << 20);
    let found = gather(&headers(None), &mut body, &bounds).await;
    assert_eq!(found.err(), Some(Ungathered::Late));
    assert_eq!(bounds.memory.all(), 0);
}

#[tokio::test]
async fn bodies_take_no_more_memory_than_there_is() {
    let memory = 3 * STEP;
    let bounds = bounds(1 << 20, memory);
    let large = || Full::new(Bytes::from(vec![b'x'; 2 * STEP]));
    let first = gather(&headers(None), &mut large(), &bounds).await.unwrap();
    assert_eq!(bounds.memory.all(), 2 * STEP);
    let second = gather(&headers(None), &mut large(), &bounds).await;
    assert_eq!(second.err(), Some(Ungathered::NoRoom));
    drop(first);
    assert_eq!(bounds.memory.all(), 0);
    assert!(gather(&headers(None), &mut large(), &bounds).await.is_ok());
}
