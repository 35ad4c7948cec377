//! Azure: keys of accounts, signatures of shared access, and secrets of applications.

use super::alphabet::Alphabet;
use super::assignment::{self, Assigned};
use super::chance::drawn;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Keys of storage and Cosmos accounts: 64 bytes in base64.
pub(super) static ACCOUNT_KEY: Detector = Detector {
    name: "azure_account_key",
    family: Family::Secret,
    wake: &[
        Wake::Key("accountkey"),
        Wake::Key("storagekey"),
        Wake::Key("accesskey"),
        Wake::Key("cosmoskey"),
    ],
    longest: 88,
    recognise: account_key,
    // Those of the emulators, which are the same everywhere.
    examples: &[
        concat!(
            "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsu",
            "Fq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
        ),
        concat!(
            "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nD",
            "uVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="
        ),
    ],
};

/// Keys of shared access to queues, events and devices: 32 bytes in base64.
pub(super) static SHARED_ACCESS_KEY: Detector = Detector {
    name: "azure_shared_access_key",
    family: Family::Secret,
    wake: &[Wake::Key("sharedaccesskey")],
    longest: 44,
    recognise: shared_access_key,
    examples: &[],
};

/// The signature in an address that gives shared access.
pub(super) static SAS: Detector = Detector {
    name: "azure_sas_signature",
    family: Family::Secret,
    wake: &[Wake::Key("sig")],
    longest: 140,
    recognise: sas,
    examples: &[],
};

/// Secrets of applications: `Q~` in the midst.
pub(super) static CLIENT_SECRET: Detector = Detector {
    name: "azure_client_secret",
    family: Family::Secret,
    wake: &[
        Wake::Key("secret"),
        Wake::Key("password"),
        Wake::Key("secretvalue"),
        Wake::Key("secrettext"),
    ],
    longest: 40,
    recognise: client_secret,
    examples: &[],
};

fn account_key(look: &Look<'_>) -> Sight {
    assignment::see(look, 88, |assigned| {
        (base64_of_64(assigned.value) && drawn(assigned.value)).then_some(Confidence::High)
    })
}

/// The last digit before the padding carries two bits, the others of it are none.
fn base64_of_64(value: &[u8]) -> bool {
    value.len() == 88
        && value.ends_with(b"==")
        && Alphabet::BASE64.all(value)
        && matches!(value[85], b'A' | b'Q' | b'g' | b'w')
}

fn shared_access_key(look: &Look<'_>) -> Sight {
    assignment::see(look, 44, |assigned| {
        let value = assigned.value;
        let shaped = value.len() == 44 && value[43] == b'=' && Alphabet::BASE64.all(value);
        (shaped && drawn(value)).then_some(Confidence::High)
    })
}

fn sas(look: &Look<'_>) -> Sight {
    assignment::see(look, 140, |assigned| {
        // 32 bytes in base64; what URLs do not bear is written with a percent sign.
        let escapes = assigned.value.iter().filter(|byte| **byte == b'%').count();
        let length = assigned.value.len().checked_sub(2 * escapes)?;
        let shaped = length == 44 && SIGNED.all(assigned.value) && drawn(assigned.value);
        shaped.then_some(if of_sas(assigned) {
            Confidence::High
        } else {
            Confidence::Low
        })
    })
}

const SIGNED: Alphabet = Alphabet::of("A-Za-z0-9+/=%");

/// Stands among the other parameters of such an address.
fn of_sas(assigned: &Assigned<'_>) -> bool {
    [
        "&sp=",
        "&sv=",
        "&se=",
        "&sr=",
        "&spr=",
        "&st=",
        "?sv=",
        "?sp=",
        "sharedaccesssignature",
    ]
    .iter()
    .any(|parameter| assigned.near_has(parameter))
}

fn client_secret(look: &Look<'_>) -> Sight {
    assignment::see(look, 40, |assigned| {
        let value = assigned.value;
        let marked = value.get(4..6) == Some(b"Q~") && value[3].is_ascii_digit();
        let shaped = marked && (37..=40).contains(&value.len()) && SECRET.all(value);
        (shaped && drawn(value)).then_some(Confidence::High)
    })
}

const SECRET: Alphabet = Alphabet::of("A-Za-z0-9._~-");
