//! A recording while its exchange goes on.

use std::fs::{self, File};
use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{Context, SHA256};
use enforcer_flow::ExchangeId;

use super::head::{BodyHead, Head, Message, VERSION};
use super::{BodyFacts, RecordingError, RecordingFacts, Recordings, Spoken, Wanted, Way, on_disk};
use crate::Digest;

/// A recording under way. Dropped before it was sealed, it leaves nothing.
#[derive(Clone, Debug)]
pub struct Recording(Arc<Inner>);

/// One message's body on its way into a recording.
#[derive(Clone, Debug)]
pub struct Track {
    recording: Recording,
    way: Way,
}

#[derive(Debug)]
struct Inner {
    folder: Arc<Recordings>,
    id: String,
    limit: u64,
    reserved: u64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    request: Option<Kept>,
    answer: Option<Kept>,
    stage: Stage,
    /// Messages of both sides, where it is a WebSocket.
    spoken: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Open,
    /// Something was not written that had to be.
    Broken,
    Sealed,
}

/// A message as far as it has come.
struct Kept {
    head: Option<Message>,
    file: File,
    digest: Context,
    bytes: u64,
    cut: u64,
    /// How many messages, where it is one side of a WebSocket.
    messages: Option<u64>,
}

// === impl Recording ===

impl Recording {
    pub(super) fn open(
        folder: Arc<Recordings>,
        exchange: ExchangeId,
        (wanted, reserved): (Wanted, u64),
    ) -> Result<Self, RecordingError> {
        let id = exchange.to_string();
        let Wanted {
            request,
            answer,
            limit,
        } = wanted;
        let part = |wanted: bool, kind| match wanted {
            true => folder.create(&id, kind).map(|file| Some(Kept::new(file))),
            false => Ok(None),
        };
        let opened = part(request, "request").and_then(|request| {
            let answer = part(answer, "answer")?;
            Ok((request, answer))
        });
        let (request, answer) = opened.inspect_err(|_| {
            // Nothing is left of what was made before; it holds nothing.
            let _ = folder.remove(&id, "request");
        })?;
        Ok(Self(Arc::new(Inner {
            folder,
            id,
            limit,
            reserved,
            state: Mutex::new(State {
                request,
                answer,
                stage: Stage::Open,
                spoken: 0,
            }),
        })))
    }

    /// Notes the head of a message, where that message is kept.
    pub fn head(&self, way: Way, message: Message) {
        if let Some(kept) = self.0.state().of(way) {
            kept.head = Some(message.bounded());
        }
    }

    /// Where the body of a message goes, where that message is kept.
    #[must_use]
    pub fn track(&self, way: Way) -> Option<Track> {
        self.0.state().of(way).is_some().then(|| Track {
            recording: self.clone(),
            way,
        })
    }

    /// Notes that it has become a WebSocket, and has messages in place of bodies.
    pub fn opened(&self) {
        let state = &mut *self.0.state();
        let sides = state.request.iter_mut().chain(&mut state.answer);
        sides.for_each(|kept| kept.messages = Some(0));
    }

    /// Keeps a message that passes, as far as it may, and which of all it was.
    ///
    /// # Errors
    /// When it cannot be kept. It must not pass then.
    pub fn message(&self, way: Way, spoken: Spoken<'_>) -> Result<(), RecordingError> {
        let state = &mut *self.0.state();
        state.spoken += 1;
        let line = spoken.line(state.spoken);
        if let Some(kept) = state.of(way) {
            *kept.messages.get_or_insert_default() += 1;
        }
        match line {
            Ok(line) => self.0.push(state, way, &line),
            Err(error) => Err(self.0.broken(state, way, error.into())),
        }
    }

    /// Whether something was not written that had to be.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.0.state().stage == Stage::Broken
    }

    /// Ends it, and says what the ledger is to say; none when nothing has left, and nothing is kept.
    ///
    /// # Errors
    /// When it is not whole.
    pub fn seal(&self) -> Result<Option<RecordingFacts>, RecordingError> {
        let state = &mut *self.0.state();
        if state.stage != Stage::Open {
            return Err(RecordingError::Over);
        }
        let said = |kept: &Option<Kept>| kept.as_ref().is_some_and(|kept| kept.head.is_some());
        if !said(&state.request) && !said(&state.answer) {
            return Ok(None);
        }
        // Whatever comes of it: nothing more is taken.
        state.stage = Stage::Broken;
        let request = state.request.take().map(Kept::close);
        let answer = state.answer.take().map(Kept::close);
        let facts = |part: &Option<(Message, BodyFacts)>| part.as_ref().map(|(_, facts)| *facts);
        let (request_facts, answer_facts) = (facts(&request), facts(&answer));
        let head = Head {
            version: VERSION,
            exchange: self.0.id.clone(),
            request: request.map(|(message, _)| message),
            answer: answer.map(|(message, _)| message),
        };
        let (digest, length) = self.0.place(&head)?;
        state.stage = Stage::Sealed;
        let bodies = [request_facts, answer_facts].into_iter().flatten();
        let size = on_disk(length) + bodies.map(|facts| on_disk(facts.bytes)).sum::<u64>();
        let became = Some((self.0.id.clone(), size));
        self.0.folder.give_back(self.0.reserved, became);
        self.0.folder.bring_to_disk(&self.0.id);
        Ok(Some(RecordingFacts {
            digest,
            request: request_facts,
            answer: answer_facts,
        }))
    }
}

// === impl Track ===

impl Track {
    /// Keeps what passes, as far as it may.
    ///
    /// # Errors
    /// When it cannot be kept. It must not pass then.
    pub fn push(&self, bytes: &[u8]) -> Result<(), RecordingError> {
        let inner = &self.recording.0;
        inner.push(&mut inner.state(), self.way, bytes)
    }
}

// === impl Inner ===

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, state: &mut State, way: Way, bytes: &[u8]) -> Result<(), RecordingError> {
        if state.stage != Stage::Open {
            return Err(RecordingError::Over);
        }
        match state.of(way).map(|kept| kept.push(bytes, self.limit)) {
            None | Some(Ok(())) => Ok(()),
            Some(Err(source)) => Err(self.broken(state, way, source)),
        }
    }

    fn broken(&self, state: &mut State, way: Way, source: std::io::Error) -> RecordingError {
        state.stage = Stage::Broken;
        let kind = match way {
            Way::Request => "request",
            Way::Answer => "answer",
        };
        let path = self.folder.path(&self.id, kind);
        RecordingError::File { path, source }
    }

    /// Puts `ID.json` there whole.
    fn place(&self, head: &Head) -> Result<(Digest, u64), RecordingError> {
        let draft = self.folder.path(&self.id, "part");
        let failed = |source| RecordingError::File {
            path: draft.clone(),
            source,
        };
        let mut text = serde_json::to_vec(head).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        let mut file = self.folder.create(&self.id, "part")?;
        file.write_all(&text).map_err(failed)?;
        fs::rename(&draft, self.folder.path(&self.id, "json")).map_err(failed)?;
        Ok((Digest::of(&text), text.len() as u64))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.state().stage == Stage::Sealed {
            return;
        }
        for kind in ["request", "answer", "part"] {
            if let Err(error) = self.folder.remove(&self.id, kind) {
                tracing::warn!(%error, exchange.id = self.id, "what is left of a recording cannot be removed");
            }
        }
        self.folder.give_back(self.reserved, None);
    }
}

// === impl State ===

impl State {
    fn of(&mut self, way: Way) -> Option<&mut Kept> {
        match way {
            Way::Request => self.request.as_mut(),
            Way::Answer => self.answer.as_mut(),
        }
    }
}

// === impl Kept ===

impl Kept {
    fn new(file: File) -> Self {
        Self {
            head: None,
            file,
            digest: Context::new(&SHA256),
            bytes: 0,
            cut: 0,
            messages: None,
        }
    }

    fn push(&mut self, bytes: &[u8], limit: u64) -> std::io::Result<()> {
        let room = usize::try_from(limit - self.bytes).unwrap_or(usize::MAX);
        let (kept, cut) = bytes.split_at(bytes.len().min(room));
        self.file.write_all(kept)?;
        self.digest.update(kept);
        self.bytes += kept.len() as u64;
        self.cut += cut.len() as u64;
        Ok(())
    }

    fn close(self) -> (Message, BodyFacts) {
        let Self {
            head,
            file: _,
            digest,
            bytes,
            cut,
            messages,
        } = self;
        let digest = Digest::finished(digest);
        let mut message = head.unwrap_or_default();
        message.messages = messages;
        message.body = BodyHead {
            bytes,
            cut,
            sha256: digest.to_string(),
        };
        let facts = BodyFacts { bytes, cut, digest };
        (message, facts)
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept")
            .field("bytes", &self.bytes)
            .field("cut", &self.cut)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_breaks_the_recording_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("recordings");
        let recordings = Recordings::new(folder.clone(), 64 << 20);
        let wanted = Wanted {
            request: true,
            answer: true,
            limit: 1 << 20,
        };
        let recording = recordings.begin(ExchangeId::new(), wanted).unwrap();
        recording.head(Way::Request, Message::default());
        let full = File::options().write(true).open("/dev/full").unwrap();
        recording.0.state().answer = Some(Kept::new(full));
        let request = recording.track(Way::Request).unwrap();
        let answer = recording.track(Way::Answer).unwrap();
        request.push(b"kept").unwrap();
        let found = answer.push(b"not kept");
        assert!(matches!(found, Err(RecordingError::File { .. })));
        assert!(recording.is_broken());
        // Nothing passes any more, in either way.
        assert!(request.push(b"more").is_err());
        assert!(recording.seal().is_err());
        drop((recording, request, answer));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }
}
