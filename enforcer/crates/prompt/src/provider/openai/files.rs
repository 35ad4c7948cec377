//! Files, uploads and vector stores as JSON: what is announced, completed or linked. The bytes come as multipart.

use crate::Undecidable;
use crate::call::{Attachment, ModelCall};
use crate::json::Value;
use crate::read::{self, Notes, Place};

const KNOWN: &[&str] = &[
    "filename",
    "bytes",
    "mime_type",
    "file_id",
    "file_ids",
    "query",
];

pub(super) fn read<'b>(
    call: &mut ModelCall<'b>,
    root: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    let place = Place::ROOT;
    let mut announced = Attachment {
        kind: "file",
        ..Attachment::default()
    };
    for member in read::object(&place, root)? {
        let (key, value) = (member.key(), member.value());
        let at = place.key(key);
        match key {
            "filename" => announced.name = read::text(&at, value)?,
            "bytes" => announced.size = read::whole(&at, value)?,
            "mime_type" => announced.media_type = read::text(&at, value)?,
            "file_id" => announced.reference = read::text(&at, value)?,
            "file_ids" => {
                for (index, id) in read::list(&at, value)?.iter().enumerate() {
                    let id = read::required(&at.index(index), id)?;
                    call.attachments.push(Attachment {
                        kind: "file",
                        reference: Some(id),
                        ..Attachment::default()
                    });
                }
            }
            "query" => super::embeddings::texts(call, &at, value)?,
            "attributes" | "chunking_strategy" | "expires_after" | "filters"
            | "max_num_results" | "md5" | "metadata" | "name" | "part_ids" | "purpose"
            | "ranking_options" | "rewrite_query" => {}
            _ => notes.member(&place, member, KNOWN)?,
        }
    }
    if announced.name.is_some() || announced.reference.is_some() {
        call.attachments.push(announced);
    }
    Ok(())
}
