//! What an event says beside the pieces of texts that go on with the next one: edited whole, each by itself.

use serde_json::value::RawValue;

use super::super::Stop;
use super::super::text::Form;
use super::beside;
use super::channel::Channels;
use super::known::{self, Role};
use super::sheet::Sheet;
use super::stencil::quote;
use crate::Cause;
use crate::json::{Document, Member, Patch, Value};
use crate::read::Place;

/// A walk over one event.
pub(super) struct Rest<'w, 'v> {
    pub(super) document: &'v Document<'v>,
    pub(super) channels: &'w mut Channels,
    pub(super) sheet: &'w Sheet<'v>,
    pub(super) patch: &'w mut Patch,
    /// What names pieces of texts, or hides how long they are.
    pub(super) beside: Vec<(&'v Value<'v>, &'static str)>,
    pub(super) changed: bool,
}

impl<'v> Rest<'_, 'v> {
    pub(super) fn root(mut self) -> Result<(), Stop> {
        let root = self.document.root();
        let at = Place::ROOT;
        if root.as_object().is_some() {
            self.members(&at, root)?;
        } else {
            self.value(&at, ("", Role::Holder), root)?;
        }
        if self.changed {
            for (value, nothing) in self.beside {
                self.patch.replace(value, nothing);
            }
        }
        Ok(())
    }

    fn members(&mut self, at: &Place<'_>, object: &'v Value<'v>) -> Result<(), Stop> {
        for member in object.members() {
            let (name, value) = (member.key(), member.value());
            let at = at.key(name);
            let role = known::role(name);
            if role == Role::Nobody && is_foreign(value) && !self.is_piece(value) {
                self.foreign(&at, member)?;
                continue;
            }
            let changed = self.value(&at, (name, role), value)?;
            if let (Some(changed), Some(text)) = (changed, value.as_str())
                && let Some(annotations) = object.get("annotations")
            {
                beside::mend(text, &changed, annotations, self.patch);
            }
        }
        Ok(())
    }

    /// Gives what a text has become, if that is another.
    fn value(
        &mut self,
        at: &Place<'_>,
        (name, role): (&str, Role),
        value: &'v Value<'v>,
    ) -> Result<Option<String>, Stop> {
        if let Some(text) = value.as_str() {
            return self.text(at, (name, role), (value, text));
        }
        let is_object = value.as_object().is_some();
        match role {
            _ if !is_object && value.as_array().is_none() => {}
            Role::Pieces => {
                let nothing = if is_object { "null" } else { "[]" };
                self.beside.push((value, nothing));
            }
            Role::Bytes | Role::Holder if is_object => self.members(at, value)?,
            Role::Bytes | Role::Holder | Role::Said if !is_object => {
                for (index, element) in value.elements().iter().enumerate() {
                    self.value(&at.index(index), (name, role), element)?;
                }
            }
            Role::Arguments
            | Role::Bytes
            | Role::Holder
            | Role::Interface
            | Role::Nobody
            | Role::Padding
            | Role::Said
            | Role::Sealed => {
                self.holds_no_piece(at, value)?;
                let raw = self.document.raw(value);
                let edited = self.whole((Form::Json, Some(name)), at, raw)?;
                if let Some(edited) = edited {
                    self.is_document(at, &edited)?;
                    self.patch.replace(value, edited);
                }
            }
        }
        Ok(None)
    }

    fn text(
        &mut self,
        at: &Place<'_>,
        (name, role): (&str, Role),
        (value, text): (&'v Value<'v>, &str),
    ) -> Result<Option<String>, Stop> {
        let form = match role {
            _ if self.is_piece(value) => return Ok(None),
            Role::Interface | Role::Pieces => return Ok(None),
            Role::Bytes | Role::Sealed if known::is_bytes(role, text) => return Ok(None),
            Role::Padding => {
                self.beside.push((value, "\"\""));
                return Ok(None);
            }
            Role::Arguments => Form::Json,
            Role::Bytes | Role::Holder | Role::Nobody | Role::Said | Role::Sealed => Form::Plain,
        };
        let edited = self.whole((form, Some(name)), at, text)?;
        if let Some(edited) = &edited {
            self.patch.replace(value, quote(edited));
        }
        Ok(edited)
    }

    /// A member that nobody knows, with its name.
    fn foreign(&mut self, at: &Place<'_>, member: &'v Member<'v>) -> Result<(), Stop> {
        self.holds_no_piece(at, member.value())?;
        let text = self.document.text();
        let raw = text.get(member.span()).unwrap_or_default();
        let document = format!("{{{raw}}}");
        let Some(edited) = self.whole((Form::Json, None), at, &document)? else {
            return Ok(());
        };
        self.is_document(at, &edited)?;
        let inner = edited.trim().strip_prefix('{');
        let inner = inner.and_then(|inner| inner.strip_suffix('}'));
        match inner {
            Some(inner) => self.patch.put(member.span(), inner),
            None => return Err(at.wrong(Cause::Schema, member.value()).into()),
        }
        Ok(())
    }

    fn whole(
        &mut self,
        (form, field): (Form, Option<&str>),
        at: &Place<'_>,
        text: &str,
    ) -> Result<Option<String>, Stop> {
        let place = at.pointer();
        let edited = self.channels.whole((form, field, &place), text)?;
        self.changed |= edited.is_some();
        Ok(edited)
    }

    /// What stands in the place of a document must be one.
    fn is_document(&self, at: &Place<'_>, edited: &str) -> Result<(), Stop> {
        match serde_json::from_str::<&RawValue>(edited) {
            Ok(_) => Ok(()),
            Err(_) => Err(at.wrong(Cause::Malformed, self.document.root()).into()),
        }
    }

    fn is_piece(&self, value: &Value<'_>) -> bool {
        self.sheet.has(&value.span())
    }

    /// What is edited as one must not be edited in pieces too.
    fn holds_no_piece(&self, at: &Place<'_>, value: &Value<'_>) -> Result<(), Stop> {
        if self.sheet.has_in(&value.span()) {
            return Err(at.wrong(Cause::Schema, value).into());
        }
        Ok(())
    }
}

/// Whether there can be words in it.
fn is_foreign(value: &Value<'_>) -> bool {
    value.as_str().is_some() || !value.elements().is_empty() || !value.members().is_empty()
}
