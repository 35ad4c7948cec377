//! Sensitive data found and masked on its way, with real programs: what SDKs see, what the upstream is shown, and what the
//! ledger says, which never is the value.

mod carriers;
mod coded;
mod doubt;
mod evidence;
mod exfiltration;
mod programs;
mod request;

/// A key of a model's interface, which opens nothing. In two, so that nobody who looks for keys finds it here.
pub(crate) const KEY: &str = concat!("sk-", "AERtTWYZlt21tEvHSzfcT3BlbkFJuQ5TPxA6Dxgi3YJOySpp");
/// A value that was planted; policies here name it.
pub(crate) const CANARY: &str = "wren-42-orchard-lantern";
/// A number that belongs to nobody.
pub(crate) const SSN: &str = "536-22-8721";
/// A customer, whom policies here name.
pub(crate) const CUSTOMER: &str = "Maria Lindqvist";
/// How to reach her.
pub(crate) const EMAIL: &str = "maria.lindqvist@fjord-shipping.se";
