//! One leaf certificate: what it says, and how long.
//!
//! Pure but for the serial number; the caller brings the time.

use std::time::{Duration, SystemTime};

use aws_lc_rs::rand;
use enforcer_flow::Host;
use rcgen::string::Ia5String;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose,
    SanType, SerialNumber, date_time_ymd,
};

pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

/// Short, so that a stolen memory image is worth little for long; long enough that minting is rare.
const VALIDITY: Duration = Duration::from_secs(7 * 24 * 3600);
/// X.520 gives a common name 64 characters.
const MAX_COMMON_NAME: usize = 64;

/// The span within which a leaf is handed out: a day shorter than the leaf's own at either end, so that neither a clock that
/// runs apart from ours nor a long handshake meets an expired one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    from: SystemTime,
    until: SystemTime,
}

// === impl Span ===

impl Span {
    pub(crate) fn starting(now: SystemTime) -> Self {
        Self {
            from: now - DAY,
            until: now + VALIDITY,
        }
    }

    /// Whether a leaf of this span may still be handed out. A clock set back past its beginning counts as over too.
    pub(crate) fn serves(&self, now: SystemTime) -> bool {
        self.from <= now && now + DAY < self.until
    }
}

/// What the leaf for `host` says.
pub(crate) fn params(host: &Host, span: Span) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = subject(host);
    params.subject_alt_names = vec![match host {
        Host::Ip(addr) => SanType::IpAddress(*addr),
        Host::Name(name) => SanType::DnsName(Ia5String::try_from(&**name)?),
    }];
    set_validity(&mut params, span.from, span.until);
    params.serial_number = Some(serial()?);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// Verifiers read the alternative name only; people read the common name, so it is there whenever it fits.
fn subject(host: &Host) -> DistinguishedName {
    let text = host.to_string();
    let mut name = DistinguishedName::new();
    if text.len() <= MAX_COMMON_NAME {
        name.push(DnType::CommonName, text);
    } else {
        name.push(DnType::OrganizationName, "Enforcer");
    }
    name
}

/// 128 bits, positive, always of one length: 126 of them are random.
pub(crate) fn serial() -> Result<SerialNumber, rcgen::Error> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| rcgen::Error::RingUnspecified)?;
    bytes[0] = bytes[0] & 0x3f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

/// Writes both ends of a validity into `params`, in whole seconds.
pub(crate) fn set_validity(params: &mut CertificateParams, from: SystemTime, until: SystemTime) {
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs(seconds(from));
    params.not_after = epoch + Duration::from_secs(seconds(until));
}

fn seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}
