//! What holds of any text: no detector panics, and none says of a text that is cut what it would not say of the whole.

use proptest::prelude::*;

use super::check::{cut_everywhere, findings};
use enforcer_recognize::{Family, all};

/// Pieces of which values are made, and of what stands beside them.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[0-9]{1,10}",
        3 => "[-. /:+()]",
        2 => "[A-Z]{1,3}",
        1 => "[a-f0-9]{1,5}",
        1 => Just("@".to_owned()),
        1 => "[a-z]{2,5}\\.(com|de)",
        1 => prop::sample::select(vec![
            "ssn ", "tel: ", "born ", "passport ", "mrn ", "iban ", " April ", "::", "\\n", "é", "bc1q", "0x", "xprv", "zoo zoo zoo ", "DE89", "+49 ", "card ", "cpr ", "ip ",
        ]).prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn a_cut_text_is_judged_as_its_whole_or_not_yet(
        pieces in prop::collection::vec(piece(), 1..14),
        field in prop::sample::select(vec!["", "ssn", "phone", "name", "address"]),
    ) {
        let text = pieces.concat();
        for detector in all().filter(|detector| detector.family != Family::Secret) {
            let _found = findings(detector, field, text.as_bytes());
            cut_everywhere(detector, field, text.as_bytes());
        }
    }
}
