//! PyPI: `pypi-` and a macaroon.

use super::alphabet::Alphabet;
use super::chance::drawn;
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// API tokens; a macaroon says where it is from.
pub(super) static DETECTOR: Detector = Detector {
    name: "pypi_token",
    family: Family::Secret,
    wake: &[Wake::Prefix("pypi-")],
    longest: 605,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["pypi-"],
    body: Alphabet::URL,
    length: (64, 600),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| {
        let named = body.starts_with(OF_PYPI) || body.starts_with(OF_TEST_PYPI);
        let drawn = body.starts_with(b"AgE") && drawn(body);
        drawn.then_some(if named {
            Confidence::High
        } else {
            Confidence::Medium
        })
    })
}

/// A macaroon of `pypi.org`, in base64.
const OF_PYPI: &[u8] = b"AgEIcHlwaS5vcmc";

/// The same, of `test.pypi.org`.
const OF_TEST_PYPI: &[u8] = b"AgENdGVzdC5weXBpLm9yZ";
