//! What is attached to a request to a model.

use enforcer_prompt::{Attachment, ModelCall};

use crate::condition::Reader;
use crate::condition::call::optional;
use crate::condition::range::{Range, Unit};
use crate::condition::words::Words;
use crate::facts;
use crate::parse::fields::Fields;
use crate::parse::tree::Entry;
use crate::truth::{Stance, Truth};

/// What attachments are to be like, and how many of these there are to be.
#[derive(Debug)]
pub(crate) struct AttachmentTest {
    kind: Option<Words>,
    content_type: Option<Words>,
    name: Option<Words>,
    reference: Option<Words>,
    size: Option<Range>,
    count: Option<Range>,
}

impl AttachmentTest {
    pub(crate) const KEYS: [&'static str; 6] =
        ["kind", "content_type", "name", "reference", "size", "count"];

    pub(crate) fn read(entry: Entry<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let what = "`attachments`";
        let mut map = Fields::open(entry.into_value(), what, &Self::KEYS, reader.findings)?;
        let (size, count) = (map.take("size"), map.take("count"));
        let mut words = |key| optional(map.take(key).map(|entry| Words::read(entry, reader)));
        let (kind, content_type) = (words("kind")?, words("content_type")?);
        let (name, reference) = (words("name")?, words("reference")?);
        Some(Self {
            kind,
            content_type,
            name,
            reference,
            size: optional(size.map(|entry| Range::read(entry, Unit::Bytes, reader)))?,
            count: optional(count.map(|entry| Range::read(entry, Unit::Count, reader)))?,
        })
    }

    pub(crate) fn judge(&self, call: &ModelCall<'_>, stance: Stance) -> Truth {
        let attached: Vec<&Attachment<'_>> = facts::attachments(call).collect();
        let count = self.count.as_ref();
        let count = count.map_or(Truth::Yes, |range| range.judge_count(attached.len() as u64));
        if self.asks_only_how_many() {
            return count;
        }
        count.and(stance.over(attached.iter().map(|one| self.one(one, stance))))
    }

    fn one(&self, attachment: &Attachment<'_>, stance: Stance) -> Truth {
        let words = |words: &Option<Words>, value: Option<&str>| match (words, value) {
            (None, _) => Truth::Yes,
            // What is not said may be anything.
            (Some(_), None) => Truth::Unknown,
            (Some(words), Some(value)) => words.judge(value, stance),
        };
        let reference = match (&self.reference, attachment.reference) {
            (Some(words), None) => words.absent(),
            (own, reference) => words(own, reference),
        };
        let size = match (&self.size, attachment.size) {
            (None, _) => Truth::Yes,
            (Some(_), None) => Truth::Unknown,
            (Some(range), Some(size)) => range.judge_count(size),
        };
        words(&self.kind, Some(attachment.kind))
            .and(words(&self.content_type, attachment.media_type))
            .and(words(&self.name, attachment.name))
            .and(reference)
            .and(size)
    }

    fn asks_only_how_many(&self) -> bool {
        let Self {
            kind,
            content_type,
            name,
            reference,
            size,
            count: _,
        } = self;
        let words = [kind, content_type, name, reference];
        words.iter().all(|words| words.is_none()) && size.is_none()
    }
}
