use std::os::unix::fs::PermissionsExt as _;

use super::*;

const WANTED: Wanted = Wanted {
    request: true,
    answer: true,
    limit: 8,
};

fn request(target: &str) -> Message {
    Message {
        method: Some("POST".to_owned()),
        target: Some(target.to_owned()),
        headers: vec![("accept".to_owned(), "*/*".to_owned())],
        ..Message::default()
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// One whole recording with these bodies.
fn record(recordings: &Arc<Recordings>, wanted: Wanted, bodies: (&[u8], &[u8])) -> ExchangeId {
    let id = ExchangeId::new();
    let recording = recordings.begin(id, wanted).unwrap();
    recording.head(Way::Request, request("/v1"));
    for (way, body) in [(Way::Request, bodies.0), (Way::Answer, bodies.1)] {
        if let Some(track) = recording.track(way) {
            body.chunks(3).for_each(|chunk| track.push(chunk).unwrap());
        }
    }
    recording.seal().unwrap().unwrap();
    id
}

#[test]
fn what_passed_is_read_back_and_what_is_beyond_the_limit_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("recordings");
    let recordings = Recordings::new(folder.clone(), 64 << 20);
    let id = ExchangeId::new();
    let recording = recordings.begin(id, WANTED).unwrap();
    recording.head(Way::Request, request("/v1?q=1"));
    recording
        .track(Way::Request)
        .unwrap()
        .push(b"hello")
        .unwrap();
    let answer = recording.track(Way::Answer).unwrap();
    answer.push(b"12345").unwrap();
    answer.push(b"67890").unwrap();
    answer.push(b"!").unwrap();
    let facts = recording.seal().unwrap().unwrap();
    assert_eq!(facts.request.unwrap().bytes, 5);
    assert_eq!(facts.request.unwrap().digest, Digest::of(b"hello"));
    let cut = facts.answer.unwrap();
    assert_eq!((cut.bytes, cut.cut), (8, 3));
    assert_eq!(cut.digest, Digest::of(b"12345678"));

    let read = read_recording(&folder, &id.to_string()).unwrap().unwrap();
    assert_eq!(read.digest, facts.digest);
    let (message, body) = read.request.unwrap();
    assert_eq!(message.target.as_deref(), Some("/v1?q=1"));
    assert_eq!(body, b"hello");
    assert_eq!(read.answer.unwrap().1, b"12345678");
    // Nothing more is taken: it would be kept by nobody.
    assert!(answer.push(b"more").is_err());
}

#[test]
fn only_the_owner_can_read_what_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("recordings");
    let recordings = Recordings::new(folder.clone(), 64 << 20);
    assert!(!folder.exists(), "nothing was recorded yet");
    let id = record(&recordings, WANTED, (b"a", b"b"));
    assert_eq!(mode(&folder), 0o700);
    for kind in ["json", "request", "answer"] {
        assert_eq!(mode(&folder.join(format!("{id}.{kind}"))), 0o600, "{kind}");
    }
    assert_eq!(names(&folder).len(), 3);

    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let again = Recordings::new(folder, 64 << 20);
    let found = again.begin(ExchangeId::new(), WANTED);
    assert!(matches!(
        found,
        Err(RecordingError::Mode { mode: 0o755, .. })
    ));
}

#[test]
fn the_oldest_go_first_and_never_is_there_more_than_may_be() {
    let dir = tempfile::tempdir().unwrap();
    let wanted = Wanted {
        limit: 100_000,
        ..WANTED
    };
    let most = 1 << 20;
    let recordings = Recordings::new(dir.path().to_owned(), most);
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(dir.path().join("not-ours.txt"), b"kept").unwrap();
    let body = vec![b'x'; 100_000];
    let ids: Vec<ExchangeId> = (0..6)
        .map(|_| record(&recordings, wanted, (&body, &body)))
        .collect();
    let there = |id: &ExchangeId| dir.path().join(format!("{id}.json")).exists();
    let kept: Vec<bool> = ids.iter().map(there).collect();
    assert_eq!(kept.last(), Some(&true));
    assert!(!kept[0] && kept.is_sorted(), "{kept:?}");
    let all = names(dir.path());
    assert!(all.contains(&"not-ours.txt".to_owned()), "{all:?}");
    assert_eq!(all.len(), 1 + 3 * kept.iter().filter(|kept| **kept).count());
    let sizes = all
        .iter()
        .map(|name| fs::metadata(dir.path().join(name)).unwrap().len());
    assert!(sizes.sum::<u64>() <= most);

    // What is under way is nobody's to remove.
    let small = Recordings::new(dir.path().to_owned(), HEADS + 16 + 1);
    let first = small.begin(ExchangeId::new(), WANTED).unwrap();
    assert!(!there(&ids[5]), "the new bound holds for what was there");
    let second = small.begin(ExchangeId::new(), WANTED);
    assert!(matches!(second, Err(RecordingError::Full { .. })));
    drop(first);
    assert!(small.begin(ExchangeId::new(), WANTED).is_ok());
}

#[test]
fn what_never_left_or_was_not_sealed_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("recordings");
    let recordings = Recordings::new(folder.clone(), 64 << 20);
    drop(recordings.begin(ExchangeId::new(), WANTED).unwrap());
    assert!(names(&folder).is_empty());
    let unsent = recordings.begin(ExchangeId::new(), WANTED).unwrap();
    assert_eq!(unsent.seal().unwrap(), None);
    drop(unsent);
    assert!(names(&folder).is_empty());
    let taken = recordings.with_room(|room| Ok(room.taken)).unwrap();
    assert_eq!(taken, 0);
}

#[test]
fn what_is_torn_is_not_read_and_goes_like_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("recordings");
    let recordings = Recordings::new(folder.clone(), 64 << 20);
    let id = record(&recordings, WANTED, (b"hello", b"there")).to_string();
    let body = folder.join(format!("{id}.request"));
    fs::write(&body, b"hellO").unwrap();
    let found = read_recording(&folder, &id);
    assert!(matches!(found, Err(RecordingError::Torn { path }) if path == body));
    let json = folder.join(format!("{id}.json"));
    fs::write(&json, b"{\"version\":1,").unwrap();
    let found = read_recording(&folder, &id);
    assert!(matches!(found, Err(RecordingError::Torn { path }) if path == json));
    fs::remove_file(&json).unwrap();
    assert!(read_recording(&folder, &id).unwrap().is_none());
    assert!(
        read_recording(&folder, "../../etc/passwd")
            .unwrap()
            .is_none()
    );

    let small = Recordings::new(folder.clone(), HEADS + 16);
    let begun = small.begin(ExchangeId::new(), WANTED).unwrap();
    assert!(!body.exists(), "what a crash left makes room too");
    drop(begun);
}

#[test]
fn a_folder_that_cannot_be_made_or_written_opens_no_recording() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"").unwrap();
    let recordings = Recordings::new(file.join("recordings"), 64 << 20);
    let found = recordings.begin(ExchangeId::new(), WANTED);
    assert!(matches!(found, Err(RecordingError::File { .. })));
    // And one that can be made later is.
    fs::remove_file(&file).unwrap();
    assert!(recordings.begin(ExchangeId::new(), WANTED).is_ok());
}

#[test]
fn heads_are_bounded() {
    let message = Message {
        headers: (0..1000)
            .map(|index| (format!("x-{index}"), "v".repeat(1000)))
            .collect(),
        ..request(&"a".repeat(100))
    };
    let bounded = message.bounded();
    assert!(bounded.more_headers > 900 && bounded.headers.len() > 50);
    assert_eq!(bounded.headers.len() as u64 + bounded.more_headers, 1000);
}

#[test]
fn messages_of_both_sides_are_read_back_in_their_order() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("recordings");
    let recordings = Recordings::new(folder.clone(), 64 << 20);
    for (limit, whole) in [(1 << 10, 4), (30, 1)] {
        let id = ExchangeId::new();
        let recording = recordings.begin(id, Wanted { limit, ..WANTED }).unwrap();
        recording.head(Way::Request, request("/socket"));
        recording.opened();
        for (way, spoken) in [
            (Way::Request, Spoken::Text("a\"b\nc")),
            (Way::Request, Spoken::Text("second of this side")),
            (Way::Answer, Spoken::Binary(&[0, 255, 7, 8, 9, 10])),
            (Way::Request, Spoken::Text("last")),
        ] {
            recording.message(way, spoken).unwrap();
        }
        recording.seal().unwrap().unwrap();
        let read = read_recording(&folder, &id.to_string()).unwrap().unwrap();
        let said = read.said().unwrap();
        assert_eq!(said.len(), whole, "{said:?}");
        let first = Said {
            seq: 1,
            way: Way::Request,
            text: Some("a\"b\nc".to_owned()),
        };
        assert_eq!(said[0], first);
        assert_eq!(read.request.as_ref().unwrap().0.messages, Some(3));
        let sides: Vec<(u64, Way)> = said.iter().map(|said| (said.seq, said.way)).collect();
        let all = [
            (1, Way::Request),
            (2, Way::Request),
            (3, Way::Answer),
            (4, Way::Request),
        ];
        assert_eq!(sides, all[..whole]);
    }
    // What is no socket has none.
    let id = record(&recordings, WANTED, (b"a", b"b"));
    let read = read_recording(&folder, &id.to_string()).unwrap().unwrap();
    assert!(read.said().is_none());
}

#[test]
fn what_is_whole_is_synced_whatever_is_gone_by_then() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("recordings");
    let recordings = Recordings::new(folder.clone(), 64 << 20);
    assert!(recordings.look_ahead().is_ok());
    assert!(!folder.exists(), "nothing was recorded yet");
    for _ in 0..3 {
        record(&recordings, WANTED, (b"a", b"b"));
    }
    let gone = record(&recordings, WANTED, (b"a", b"b"));
    fs::remove_file(folder.join(format!("{gone}.json"))).unwrap();
    // Waits for the thread, which must have got through all of it.
    drop(recordings);
    assert_eq!(names(&folder).len(), 3 * 3 + 2);
}
