//! Requests to models, provider by provider.

mod anthropic;
mod attachment;
mod gemini;
mod openai;

pub(crate) use anthropic::{call as block_call, content as blocks, run_by as block_run_by};
pub(crate) use attachment::from_base64;
pub(crate) use gemini::{
    call as gemini_call, camel, field, hosted as gemini_hosted, message as gemini_message, once,
    texts,
};
pub(crate) use openai::{
    Beside, chat_call, chat_message, function_call, is_said, item, item_call, item_run_by,
};

use crate::body::Body;
use crate::call::ModelCall;
use crate::read::Notes;
use crate::{Cause, Operation, Provider, Shape, Undecidable};

/// What a body of this shape says to a model.
pub(crate) fn call<'b>(
    body: &'b Body<'b>,
    shape: &'b Shape,
    (provider, operation): (Provider, Operation),
) -> Result<ModelCall<'b>, Undecidable> {
    let mut call = ModelCall {
        provider,
        operation,
        model: shape.model.as_deref(),
        context: shape.context.iter().map(String::as_str).collect(),
        stream: shape.stream,
        ..ModelCall::default()
    };
    let mut notes = Notes::default();
    match body {
        Body::Empty if shape.expects_body && openai::needs_body(operation) => {
            return Err(Undecidable::whole(Cause::Empty));
        }
        Body::Empty => {}
        Body::Json(document) => match provider {
            Provider::Anthropic => anthropic::read(&mut call, document.root(), &mut notes)?,
            Provider::Gemini => gemini::read(&mut call, document.root(), &mut notes)?,
            Provider::Azure | Provider::OpenAi => {
                openai::read(&mut call, document.root(), &mut notes)?;
            }
        },
        Body::Multipart(fields) if openai::takes_files(operation) => {
            openai::multipart(&mut call, fields)?;
        }
        Body::Opaque(_) if provider == Provider::Gemini && operation == Operation::Files => {}
        Body::Form(_)
        | Body::JsonLines(_)
        | Body::Multipart(_)
        | Body::Opaque(_)
        | Body::Text(_) => {
            return Err(Undecidable::whole(Cause::UnknownType));
        }
    }
    call.unknown.append(&mut notes.unknown);
    Ok(call)
}
