//! Addresses of the web that have a password or a token before the host.

use crate::secret::uri::{LONGEST, scheme, see};
use crate::{Detector, Family, Look, Sight, Wake};

/// The value is the password alone, so that the address stays one.
pub(in crate::secret) static DETECTOR: Detector = Detector {
    name: "basic_auth_url",
    family: Family::Secret,
    wake: &[Wake::Scheme],
    longest: 2 * LONGEST,
    recognise,
    examples: &[],
};

const SCHEMES: [&str; 14] = [
    "http",
    "https",
    "ftp",
    "ftps",
    "sftp",
    "ssh",
    "git",
    "git+https",
    "git+ssh",
    "svn",
    "ws",
    "wss",
    "socks5",
    "rtsp",
];

fn recognise(look: &Look<'_>) -> Sight {
    let scheme = scheme(look);
    if SCHEMES
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known.as_bytes()))
    {
        see(look)
    } else {
        Sight::Nothing
    }
}
