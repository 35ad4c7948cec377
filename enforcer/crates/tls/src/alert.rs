//! TLS alerts by the names that RFC 8446 section 6 gives them.

use rustls::AlertDescription;

/// The alert as the standard writes it; its number when it has no business in a handshake.
pub(crate) fn name(alert: AlertDescription) -> String {
    let known = match alert {
        AlertDescription::AccessDenied => "access_denied",
        AlertDescription::BadCertificate => "bad_certificate",
        AlertDescription::CertificateExpired => "certificate_expired",
        AlertDescription::CertificateRequired => "certificate_required",
        AlertDescription::CertificateRevoked => "certificate_revoked",
        AlertDescription::CertificateUnknown => "certificate_unknown",
        AlertDescription::DecodeError => "decode_error",
        AlertDescription::DecryptError => "decrypt_error",
        AlertDescription::HandshakeFailure => "handshake_failure",
        AlertDescription::IllegalParameter => "illegal_parameter",
        AlertDescription::InsufficientSecurity => "insufficient_security",
        AlertDescription::InternalError => "internal_error",
        AlertDescription::NoApplicationProtocol => "no_application_protocol",
        AlertDescription::ProtocolVersion => "protocol_version",
        AlertDescription::UnexpectedMessage => "unexpected_message",
        AlertDescription::UnknownCA => "unknown_ca",
        AlertDescription::UnrecognisedName => "unrecognized_name",
        AlertDescription::UnsupportedCertificate => "unsupported_certificate",
        AlertDescription::UserCanceled => "user_canceled",
        other => return u8::from(other).to_string(),
    };
    known.to_owned()
}
