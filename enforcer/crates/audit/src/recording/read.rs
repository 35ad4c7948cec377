//! A recording read back, and held against what it says of itself.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::head::{Head, VERSION};
use super::{Message, RecordingError};
use crate::Digest;

/// The longest `ID.json` that is read.
const MAX_JSON: u64 = 4 << 20;
/// The longest body that is read.
const MAX_BODY: u64 = 64 << 20;

/// A recording.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The request with its body, where it was kept.
    pub request: Option<(Message, Vec<u8>)>,
    /// The answer, likewise.
    pub answer: Option<(Message, Vec<u8>)>,
    /// The digest of `ID.json`, as the ledger has it.
    pub digest: Digest,
}

/// Reads the recording of an exchange; none when there is none.
///
/// # Errors
/// When it cannot be read, or is not what was recorded.
pub fn read_recording(folder: &Path, exchange: &str) -> Result<Option<Recorded>, RecordingError> {
    let Ok(id) = Uuid::try_parse(exchange) else {
        return Ok(None);
    };
    let path = folder.join(format!("{id}.json"));
    let text = match read(&path, MAX_JSON) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(RecordingError::File { path, source }),
    };
    let head: Head = match serde_json::from_slice(&text) {
        Ok(head) => head,
        Err(_) => return Err(RecordingError::Torn { path }),
    };
    if head.version != VERSION || head.exchange != id.to_string() {
        return Err(RecordingError::Torn { path });
    }
    Ok(Some(Recorded {
        request: with_body(head.request, folder.join(format!("{id}.request")))?,
        answer: with_body(head.answer, folder.join(format!("{id}.answer")))?,
        digest: Digest::of(&text),
    }))
}

fn with_body(
    message: Option<Message>,
    path: PathBuf,
) -> Result<Option<(Message, Vec<u8>)>, RecordingError> {
    let Some(message) = message else {
        return Ok(None);
    };
    let bytes = match read(&path, MAX_BODY) {
        Ok(bytes) => bytes,
        Err(source) => return Err(RecordingError::File { path, source }),
    };
    if Digest::of(&bytes).to_string() != message.body.sha256 {
        return Err(RecordingError::Torn { path });
    }
    Ok(Some((message, bytes)))
}

fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}
