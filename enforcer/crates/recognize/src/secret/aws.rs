//! Amazon Web Services: the names of keys, the keys, and the tokens of sessions.

pub(super) mod access_key_id;
pub(super) mod secret_access_key;
pub(super) mod session_token;
