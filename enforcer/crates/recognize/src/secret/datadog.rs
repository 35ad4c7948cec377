//! Datadog: digits of hex that only their names tell from others.

use super::alphabet::Alphabet;
use super::assignment;
use super::chance::drawn;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Keys of the API (32 digits) and of applications (40).
pub(super) static DETECTOR: Detector = Detector {
    name: "datadog_key",
    family: Family::Secret,
    wake: &[
        Wake::Key("apikey"),
        Wake::Key("appkey"),
        Wake::Key("applicationkey"),
        Wake::Key("datadogkey"),
    ],
    longest: 40,
    recognise,
    examples: &[],
};

fn recognise(look: &Look<'_>) -> Sight {
    assignment::see(look, 40, |assigned| {
        let named = assigned.near_has("datadog")
            || assigned.key_ends(&["ddapikey", "ddappkey", "ddapplicationkey"]);
        let shaped = matches!(assigned.value.len(), 32 | 40) && Alphabet::HEX.all(assigned.value);
        (named && shaped && drawn(assigned.value)).then_some(Confidence::High)
    })
}
