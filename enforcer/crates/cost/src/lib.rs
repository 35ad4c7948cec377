//! What requests to models take. [`Estimator`] says before a request is sent how many tokens it has and what it will cost
//! at most, from a tokenizer and a table of [`Prices`]; [`Budgets`] keeps what was spent in sliding windows, in a database
//! that outlives the daemon.
//!
//! Decides nothing: whether a request may be sent is for policy to say, and for the gate to ask.

#![forbid(unsafe_code)]

mod budgets;
mod estimate;
mod prices;
mod tokens;

pub use budgets::{Beyond, BudgetError, Budgets, Charge, Clock, Key, Reservation, SystemClock};
pub use estimate::{Estimate, Estimator};
pub use prices::{Price, PriceError, Prices};
pub use tokens::Tokenizer;
