//! Files, uploads and vector stores as JSON: what is announced, completed or linked. The bytes come as multipart.

use crate::Undecidable;
use crate::call::{Attachment, ModelCall};
use crate::json::Value;
use crate::read::{self, Notes};

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
    let mut announced = Attachment {
        kind: "file",
        ..Attachment::default()
    };
    read::members(root, KNOWN, notes, |key, at, value| {
        match key {
            "filename" => announced.name = read::text(at, value)?,
            "bytes" => announced.size = read::whole(at, value)?,
            "mime_type" => announced.media_type = read::text(at, value)?,
            "file_id" => announced.reference = read::text(at, value)?,
            "file_ids" => {
                for (index, id) in read::list(at, value)?.iter().enumerate() {
                    let id = read::required(&at.index(index), id)?;
                    call.attachments.push(Attachment {
                        kind: "file",
                        reference: Some(id),
                        ..Attachment::default()
                    });
                }
            }
            "query" => super::embeddings::texts(call, at, value)?,
            "attributes" | "chunking_strategy" | "expires_after" | "filters"
            | "max_num_results" | "md5" | "metadata" | "name" | "part_ids" | "purpose"
            | "ranking_options" | "rewrite_query" => {}
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if announced.name.is_some() || announced.reference.is_some() {
        call.attachments.push(announced);
    }
    Ok(())
}
