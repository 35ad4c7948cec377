//! `POST …/batches`: what is asked is in a file that was uploaded before.

use crate::Undecidable;
use crate::call::{Attachment, ModelCall};
use crate::json::Value;
use crate::read::{self, Notes};

const KNOWN: &[&str] = &["input_file_id", "endpoint", "model"];

pub(super) fn read<'b>(
    call: &mut ModelCall<'b>,
    root: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    read::members(root, KNOWN, notes, |key, at, value| {
        match key {
            "input_file_id" => {
                call.attachments
                    .extend(read::text(at, value)?.map(|id| Attachment {
                        kind: "file",
                        reference: Some(id),
                        ..Attachment::default()
                    }));
            }
            "endpoint" => call.context.extend(read::text(at, value)?),
            "model" => call.model = read::text(at, value)?,
            "completion_window" | "metadata" | "output_expires_after" => {}
            _ => return Ok(false),
        }
        Ok(true)
    })
}
