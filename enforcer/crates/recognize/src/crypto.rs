//! Wallets, keys and seed phrases.

use crate::Detector;

mod bitcoin_address;
mod cardano_address;
mod coin;
mod cosmos_address;
mod dogecoin_address;
mod ethereum_address;
mod extended_private_key;
mod extended_public_key;
mod litecoin_address;
mod monero_address;
mod private_key_hex;
mod ripple_address;
mod ripple_secret;
mod seed_phrase;
mod solana_address;
mod stellar_address;
mod stellar_secret;
mod tron_address;
mod wif_private_key;

/// All of them, by name.
pub(crate) const DETECTORS: &[&Detector] = &[
    &bitcoin_address::BITCOIN_ADDRESS,
    &cardano_address::CARDANO_ADDRESS,
    &cosmos_address::COSMOS_ADDRESS,
    &dogecoin_address::DOGECOIN_ADDRESS,
    &ethereum_address::ETHEREUM_ADDRESS,
    &extended_private_key::EXTENDED_PRIVATE_KEY,
    &extended_public_key::EXTENDED_PUBLIC_KEY,
    &litecoin_address::LITECOIN_ADDRESS,
    &monero_address::MONERO_ADDRESS,
    &private_key_hex::PRIVATE_KEY_HEX,
    &ripple_address::RIPPLE_ADDRESS,
    &ripple_secret::RIPPLE_SECRET,
    &seed_phrase::SEED_PHRASE,
    &solana_address::SOLANA_ADDRESS,
    &stellar_address::STELLAR_ADDRESS,
    &stellar_secret::STELLAR_SECRET,
    &tron_address::TRON_ADDRESS,
    &wif_private_key::WIF_PRIVATE_KEY,
];
