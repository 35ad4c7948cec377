//! `POST …/fine_tuning/…`: what is learned is in files that were uploaded before.

use crate::Undecidable;
use crate::call::{Attachment, ModelCall};
use crate::json::Value;
use crate::read::{self, Notes};

const KNOWN: &[&str] = &["model", "training_file", "validation_file"];

pub(super) fn read<'b>(
    call: &mut ModelCall<'b>,
    root: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    read::members(root, KNOWN, notes, |key, at, value| {
        match key {
            "model" => call.model = read::text(at, value)?,
            "training_file" | "validation_file" => {
                call.attachments
                    .extend(read::text(at, value)?.map(|id| Attachment {
                        kind: "file",
                        reference: Some(id),
                        ..Attachment::default()
                    }));
            }
            "hyperparameters" | "metadata" | "method" | "seed" | "suffix" => {}
            // `integrations` hand results to third parties: visible as what is not looked into.
            _ => return Ok(false),
        }
        Ok(true)
    })
}
