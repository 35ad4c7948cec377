//! Wallets, keys and seed phrases. Their values were made by another implementation.

use super::check::check;
use enforcer_recognize::Confidence::{High, Low, Medium};

#[test]
fn bitcoin_address() {
    check(
        "bitcoin_address",
        &[
            ("", "to «1DHYzrBuuMxh4t8cJEpKohVKDaF4vpnoZh», please", High),
            (
                "",
                "bitcoin:«3PbF3ZFbFhZVPaLSwMXWWESJt62wFh1Zzn»?amount=1",
                High,
            ),
            ("", "«bc1qyxp8y0sgxjexjusgz0r5m79c5rq34rqtfxjhf4»", High),
            (
                "",
                "\\n«bc1p6cn3q2p5fgdj5l48r25clf3e4pztd9rvtvpxgg9tym5z3wjn6nusclnhlz»\\n",
                High,
            ),
            ("", "«BC1QYXP8Y0SGXJEXJUSGZ0R5M79C5RQ34RQTFXJHF4»", High),
            (
                "",
                "https://a.example/address/«1DHYzrBuuMxh4t8cJEpKohVKDaF4vpnoZh»",
                High,
            ),
        ],
        &[
            (
                "",
                "1DHYzrBuuMxh4t8cJEpKohVKDaF4vpnoZi bc1qyxp8y0sgxjexjusgz0r5m79c5rq34rqtfxjhf5",
            ),
            (
                "",
                "x1DHYzrBuuMxh4t8cJEpKohVKDaF4vpnoZh 1DHYzrBuuMxh4t8cJEpKohVKDaF4vpnoZhh",
            ),
            (
                "",
                "3f2a9c1b7d4e5f60718293a4b5c6d7e8f9012345 1234567890123456789012345678",
            ),
        ],
    );
}

#[test]
fn litecoin_address() {
    check(
        "litecoin_address",
        &[
            ("", "«LhCA2XDJNVSzGFJB9mAUZG6H8ASB4mZcdy»", High),
            ("", "«MD8AMVNxpNMaUsSuVdmiY4DfbDf2XjpbVM»", High),
            ("", "«ltc1q5e7m6rgt7a7r6v4280y545yn57jsgqgvqf25y6».", High),
        ],
        &[(
            "",
            "LhCA2XDJNVSzGFJB9mAUZG6H8ASB4mZcdz ltc1q5e7m6rgt7a7r6v4280y545yn57jsgqgvqf25y7 LoremIpsumDolorSitAmetConsectetur",
        )],
    );
}

#[test]
fn dogecoin_address() {
    check(
        "dogecoin_address",
        &[("", "«DPzGYA92k2HyxoTVKkaqzxGGMgoKNUEbQz»", High)],
        &[(
            "",
            "DPzGYA92k2HyxoTVKkaqzxGGMgoKNUEbQy AbstractSingletonProxyFactoryBeans",
        )],
    );
}

#[test]
fn tron_address() {
    check(
        "tron_address",
        &[("", "usdt to «TVdp78oC6wMdVV7bVRvYzkjm8UWs7Ue7oS»!", High)],
        &[(
            "",
            "TVdp78oC6wMdVV7bVRvYzkjm8UWs7Ue7oT TransactionAwareDataSourceProxyXYZ",
        )],
    );
}

#[test]
fn ripple_address() {
    check(
        "ripple_address",
        &[("", "xrp: «rLbVh7am3ZVnPXjYqMknYeiozy3txA7YYW»", High)],
        &[(
            "",
            "rLbVh7am3ZVnPXjYqMknYeiozy3txA7YYX requestAnimationFrameCallback",
        )],
    );
}

#[test]
fn ripple_secret() {
    check(
        "ripple_secret",
        &[("", "seed «snoPBrXtMeMyMHUVTgbuqAfg1SUTb»", High)],
        &[(
            "",
            "snoPBrXtMeMyMHUVTgbuqAfg1SUTc setNeedsDisplayInRectangles",
        )],
    );
}

#[test]
fn cardano_address() {
    let value = "addr1qyj2zjpx6snhrh5nftz5f4277ugp5zzj9wg9zsjuv8hzsqrrxljkze20n7sld5upm6kq0ty2lgdwt4mfeffeqgcfjzjsyzt854";
    check(
        "cardano_address",
        &[("", &format!("ada «{value}»."), High)],
        &[
            ("", &format!("{value}5")),
            ("", &value.replace("854", "855")),
        ],
    );
}

#[test]
fn cosmos_address() {
    check(
        "cosmos_address",
        &[
            ("", "«cosmos1qjsmhenk0f9xnhm0mg8tda23s0pmne6hmll79m»", High),
            ("", "«osmo1qjsmhenk0f9xnhm0mg8tda23s0pmne6hnyvwnf»", High),
        ],
        &[("", "cosmos1qjsmhenk0f9xnhm0mg8tda23s0pmne6hmll79n")],
    );
}

#[test]
fn ethereum_address() {
    check(
        "ethereum_address",
        &[
            (
                "",
                "send to «0x255482b10cea431d6aF9ea4fcD9E4de262E8c341»",
                High,
            ),
            (
                "",
                "wallet «0x255482b10cea431d6af9ea4fcd9e4de262e8c341»",
                Medium,
            ),
            ("", "x «0x255482b10cea431d6af9ea4fcd9e4de262e8c341»", Low),
            ("", "x «0x255482b10cea431d6Af9ea4fcd9e4de262e8c341»", Low),
        ],
        &[
            (
                "",
                "0x255482b10cea431d6aF9ea4fcD9E4de262E8c34 0x255482b10cea431d6aF9ea4fcD9E4de262E8c3412",
            ),
            (
                "",
                "wallet 0x0000000000000000000000000000000000000000 255482b10cea431d6af9ea4fcd9e4de262e8c341",
            ),
        ],
    );
}

#[test]
fn monero_address() {
    let own = "49T93d3Ln11hArGczMaKT7FP46UKfwm1EP4oUtUL1yMvScvJNrKaYpgSzFf4AContMDX2PZkHNv4LRaQaLLZdLkM7GZyybZ";
    let sub = "89jhX2VXKx8i8zgwVPpu5bgTANRbn5LfvC2rrfbKKEWxY3EstT2ziE2XSoWBs2A1i1Pumh4EABwXdfxmficrZaBtDX3wk2T";
    let paid = "4K9p4RrqPGXhArGczMaKT7FP46UKfwm1EP4oUtUL1yMvScvJNrKaYpgSzFf4AContMDX2PZkHNv4LRaQaLLZdLkMACZzmQ38SiT16ZdNAe";
    check(
        "monero_address",
        &[
            ("", &format!("«{own}» and «{sub}»"), High),
            ("", &format!("xmr «{paid}»"), High),
        ],
        &[("", &own.replace("ybZ", "ybY")), ("", &format!("{own}Z"))],
    );
}

#[test]
fn solana_address() {
    check(
        "solana_address",
        &[(
            "",
            "solana wallet «3qBymXJy3jbiaUor8637EZxghA7LynU5hNMLf15Q6TMG».",
            Medium,
        )],
        &[
            ("", "3qBymXJy3jbiaUor8637EZxghA7LynU5hNMLf15Q6TMG"),
            (
                "",
                "solana 3qBymXJy3jbiaUor8637EZxghA7Lyn 0qBymXJy3jbiaUor8637EZxghA7LynU5hNMLf15Q6TMG",
            ),
        ],
    );
}

#[test]
fn stellar_address() {
    check(
        "stellar_address",
        &[(
            "",
            "«GBUMI5T3GQHYOKBSJECJEQZTLVROM2WRFIQTG5XONXPIAJ7LWRIWYPLY»",
            High,
        )],
        &[(
            "",
            "GBUMI5T3GQHYOKBSJECJEQZTLVROM2WRFIQTG5XONXPIAJ7LWRIWYPLZ",
        )],
    );
}

#[test]
fn stellar_secret() {
    check(
        "stellar_secret",
        &[(
            "",
            "«SAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPSBF5K»",
            High,
        )],
        &[(
            "",
            "SAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPSBF5L",
        )],
    );
}

#[test]
fn wif_private_key() {
    check(
        "wif_private_key",
        &[
            (
                "",
                "key=«KwFfpDsaF7yxCELuyrH9gP5XL7TAt5b9HPWC1xCQbmrxvhJgMQHb»",
                High,
            ),
            (
                "",
                "«5HpjKrb7dH5kKQQzmbjB87Mxova7mek5bXUTWfndcX6tBoqUwzm»",
                High,
            ),
        ],
        &[(
            "",
            "KwFfpDsaF7yxCELuyrH9gP5XL7TAt5b9HPWC1xCQbmrxvhJgMQHc 5HpjKrb7dH5kKQQzmbjB87Mxova7mek5bXUTWfndcX6tBoqUwz",
        )],
    );
}

const PRIVATE: &str = "xprv9s21ZrQH143K4BY3rs28UnAa1t1fKqaMtrKiLNSHmrNu3aojJv53kSjZ9dwZTLw1dBFgxSgvW35hFeeUyLQmo6NbRc8mzgSBrKSDEqfRP7V";
const PUBLIC: &str = "zpub6jftahH18ngZyFzkdc8PG6JJur93cYHD6JHkhYdg6Cfe2amLMmiRYNNK3JgiTGterpkDbCb566iZoCd4PnoabjTBxPvfkJREeoJNFKxp3kq";

#[test]
fn extended_private_key() {
    check(
        "extended_private_key",
        &[("", &format!("root «{PRIVATE}».")[..], High)],
        &[("", PUBLIC), ("", &PRIVATE.replace("P7V", "P7W"))],
    );
}

#[test]
fn extended_public_key() {
    check(
        "extended_public_key",
        &[("", &format!("root «{PUBLIC}»."), High)],
        &[("", PRIVATE), ("", &PUBLIC.replace("3kq", "3kr"))],
    );
}

#[test]
fn private_key_hex() {
    let key = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20";
    check(
        "private_key_hex",
        &[
            ("", &format!("PRIVATE_KEY=«0x{key}»\n"), Medium),
            ("", &format!("\"privateKey\":\"«{key}»\""), Medium),
            ("private_key", &format!("«{key}»"), Medium),
        ],
        &[
            ("", key),
            ("", &format!("sha256:{key}")),
            ("", &format!("private key {key}0")),
        ],
    );
}

#[test]
fn seed_phrase() {
    let twelve =
        "arctic live gadget display excess mandate sniff autumn people disorder affair horn";
    let eighteen = "arctic live gadget display excess mandate sniff autumn people disorder affair hole retreat fancy close tip deer valve";
    let whole = "arctic live gadget display excess mandate sniff autumn people disorder affair hole retreat fancy close tip deer village tuition orbit cannon owner maid spare";
    check(
        "seed_phrase",
        &[
            ("", &format!("my seed phrase is «{twelve}»"), High),
            ("", &format!("Words: «{twelve}», keep them"), High),
            ("", &format!("«{whole}».")[..], High),
            (
                "",
                &format!(
                    "here it is «{eighteen}» thanks and the rest of it was not so very good after all"
                ),
                High,
            ),
            (
                "",
                &format!("the old one was «{twelve}» and the other of them was «{eighteen}» and"),
                High,
            ),
            (
                "",
                &format!("Seed: «{}»", twelve.replace("horn", "hole")),
                Medium,
            ),
        ],
        &[
            ("", &twelve.replace("horn", "hole")),
            ("", &twelve.replace("horn", "horns")),
            ("", &twelve.replace(" horn", "")),
            ("", &twelve.replace("people ", "people  ")),
            (
                "",
                "please write me a long story about the sea and the people who live there with all of their animals",
            ),
        ],
    );
}
