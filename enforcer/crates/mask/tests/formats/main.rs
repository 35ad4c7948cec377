//! Bodies and heads: what is looked for is replaced in every format, what is not stays byte for byte, wherever it is cut.
#![expect(clippy::unwrap_used, reason = "tests state what must hold")]

mod case;
mod golden;
mod heads;
mod properties;
mod rules;
