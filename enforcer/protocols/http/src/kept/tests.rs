use std::convert::Infallible;
use std::time::Duration;

use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};

use super::*;

const WORKLOAD: CgroupId = CgroupId(7);
const ABOVE: usize = 1000;

fn bounds() -> Bounds {
    Bounds {
        limit: 8 << 20,
        time: Duration::from_secs(10),
        memory: Quota::new(1 << 20, 1 << 20),
        workload: WORKLOAD,
    }
}

fn spilling(folder: &std::path::Path, (bytes, files): (usize, usize)) -> Arc<Spilling> {
    Arc::new(Spilling {
        place: Spill::new(folder),
        above: ABOVE,
        disk: Quota::new(bytes, bytes),
        files: Quota::new(files, files),
    })
}

fn text(length: usize) -> Vec<u8> {
    let line = b"0123456789abcdef\n";
    line.iter().copied().cycle().take(length).collect()
}

fn frames(body: &[u8], step: usize) -> impl Body<Data = Bytes, Error = Infallible> + Unpin {
    let frames: Vec<_> = body
        .chunks(step)
        .map(|part| Ok(Frame::data(Bytes::copy_from_slice(part))))
        .collect();
    StreamBody::new(stream::iter(frames))
}

async fn kept(body: &[u8], bounds: &Bounds, spilling: &Arc<Spilling>) -> Result<Kept, Ungathered> {
    let mut frames = frames(body, 10_000);
    keep(&HeaderMap::new(), &mut frames, bounds, Some(spilling)).await
}

async fn sent(filed: Filed) -> Vec<u8> {
    let source = crate::body::Source::from(Kept::Filed(filed));
    let body = crate::RequestBody::new(source, Arc::default(), Duration::from_secs(10));
    body.collect().await.unwrap().to_bytes().to_vec()
}

#[tokio::test]
async fn a_long_body_waits_on_disk_and_is_sent_as_it_came() {
    let folder = tempfile::tempdir().unwrap();
    let (bounds, spilling) = (bounds(), spilling(folder.path(), (8 << 20, 4)));
    for length in [ABOVE, ABOVE + 1, CHUNK, 5 * CHUNK + 1, 3 << 20] {
        let body = text(length);
        match kept(&body, &bounds, &spilling).await.unwrap() {
            Kept::Here(gathered) => assert!(length <= ABOVE && gathered.bytes == body),
            Kept::Filed(filed) => {
                // Nothing of it is in memory, where three MiB would not have had room.
                assert!(length > ABOVE && bounds.memory.all() == 0);
                let taken = (spilling.disk.all(), spilling.files.all());
                assert_eq!(taken, (length, 1));
                assert_eq!(filed.size_hint().exact(), Some(length as u64));
                assert!(sent(filed).await == body);
            }
        }
        assert_eq!((spilling.disk.all(), spilling.files.all()), (0, 0));
    }
    assert!(folder.path().read_dir().unwrap().next().is_none());
}

#[tokio::test]
async fn what_waits_on_disk_comes_back_into_memory_where_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let (bounds, spilling) = (bounds(), spilling(folder.path(), (8 << 20, 4)));
    let body = text(500_000);
    let first = kept(&body, &bounds, &spilling).await.unwrap();
    let first = first.here(&bounds).unwrap();
    assert!(first.bytes == body && bounds.memory.all() == body.len());
    assert_eq!(spilling.files.all(), 0);
    let second = kept(&text(600_000), &bounds, &spilling).await.unwrap();
    assert_eq!(second.here(&bounds).err(), Some(Ungathered::NoRoom));
    let settled = spilling.settle(first, WORKLOAD).unwrap();
    assert_eq!(bounds.memory.all(), 0);
    match settled {
        Kept::Filed(filed) => assert!(sent(filed).await == body),
        Kept::Here(_) => panic!("it is long"),
    }
}

#[tokio::test]
async fn disk_and_files_are_bounded_and_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let (bounds, spilling) = (bounds(), spilling(folder.path(), (100_000, 2)));
    let body = text(40_000);
    let first = kept(&body, &bounds, &spilling).await.unwrap();
    let long = kept(&text(60_001), &bounds, &spilling).await;
    assert_eq!(long.err(), Some(Ungathered::NoRoom));
    let second = kept(&body, &bounds, &spilling).await.unwrap();
    let third = kept(&text(ABOVE + 1), &bounds, &spilling).await;
    assert_eq!(third.err(), Some(Ungathered::NoRoom));
    drop((first, second));
    assert_eq!((spilling.disk.all(), spilling.files.all()), (0, 0));
    assert_eq!(bounds.memory.all(), 0);
    assert!(kept(&body, &bounds, &spilling).await.is_ok());
}

#[tokio::test]
async fn what_cannot_wait_on_disk_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("taken");
    std::fs::write(&taken, "").unwrap();
    let (bounds, spilling) = (bounds(), spilling(&taken, (1 << 20, 4)));
    let found = kept(&text(ABOVE + 1), &bounds, &spilling).await;
    assert_eq!(found.err(), Some(Ungathered::Unkept));
    assert_eq!(bounds.memory.all(), 0);
    assert_eq!((spilling.disk.all(), spilling.files.all()), (0, 0));
}
