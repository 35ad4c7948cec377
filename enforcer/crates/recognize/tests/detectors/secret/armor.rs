//! Private keys.

use enforcer_recognize::Confidence::{High, Medium};

use super::super::check::check;
use super::{BASE64, HEX, lot, table};

/// Lines of base64 that begin in this way.
fn lines(head: &str, count: usize, end: &str) -> String {
    let mut lines = format!("{head}{}{end}", lot(BASE64, 64 - head.len(), 1));
    for seed in 2..=count as u64 {
        lines += &lot(BASE64, 64, seed);
        lines += end;
    }
    lines
}

fn armored(label: &str, head: &str, end: &str) -> String {
    format!(
        "-----BEGIN {label}-----{end}{}-----END {label}-----",
        lines(head, 3, end)
    )
}

#[test]
fn pem_private_key() {
    for label in [
        "PRIVATE KEY",
        "RSA PRIVATE KEY",
        "EC PRIVATE KEY",
        "DSA PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
    ] {
        let found = [
            format!("key:\n«{}»\nbye", armored(label, "MIIE", "\n")),
            format!("\"«{}»\\n\",", armored(label, "MIIE", "\\n")),
            format!("«{}»", armored(label, "MIIE", "\r\n    ")),
            format!(
                "\"«{}»",
                armored(label, "MIIE", "\\n\" +\n    \"").replace('+', "")
            ),
            // Cut off: where the text ends, and where something else begins.
            format!(
                "«-----BEGIN {label}-----\n{}»",
                lines("MIIE", 2, "\n").trim_end()
            ),
            format!(
                "«-----BEGIN {label}-----\n{}»\n(cut)",
                lines("MIIE", 2, "\n").trim_end()
            ),
        ];
        let not = [
            format!("-----BEGIN {label}-----\n...\n-----END {label}-----"),
            format!(
                "-----BEGIN {label}-----\nMIIEvQIBADANBgkqhkiG9w0BAQ...\n-----END {label}-----"
            ),
            format!("grep -e '-----BEGIN {label}-----' file"),
            format!("-----BEGIN {label}"),
            format!("-----BEGIN {label}--- {}", lines("MIIE", 2, "\n")),
            armored("CERTIFICATE", "MIIE", "\n"),
            armored("PUBLIC KEY", "MIIE", "\n"),
            armored("OPENSSH PRIVATE KEY", "b3BlbnNzaC1rZXktdjEA", "\n"),
        ];
        table("pem_private_key", &found, High, &not);
    }
    let headers = format!(
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,{}\n\n",
        lot(HEX, 32, 9)
    );
    let encrypted = format!(
        "«-----BEGIN RSA PRIVATE KEY-----\n{headers}{}-----END RSA PRIVATE KEY-----»",
        lines("q", 3, "\n")
    );
    let odd = format!("«{}»", armored("EC PRIVATE KEY", "q", "\n"));
    check(
        "pem_private_key",
        &[("", &encrypted, High), ("", &odd, Medium)],
        &[],
    );
}

#[test]
fn keys_of_other_forms() {
    let openssh = armored("OPENSSH PRIVATE KEY", "b3BlbnNzaC1rZXktdjEA", "\n");
    table(
        "openssh_private_key",
        &[format!("a\n«{openssh}»\nb")],
        High,
        &[armored("PRIVATE KEY", "MIIE", "\n")],
    );
    let pgp = armored("PGP PRIVATE KEY BLOCK", "lQOY", "\n").replacen(
        '\n',
        "\nVersion: GnuPG v2.0 (Linux)\n\n",
        1,
    );
    table(
        "pgp_private_key",
        &[format!("a\n«{pgp}»\nb")],
        High,
        &[armored("PGP PUBLIC KEY BLOCK", "mQEN", "\n")],
    );
    let putty = format!(
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: x\nPublic-Lines: 2\n{}Private-Lines: 1\n{}Private-MAC: {}",
        lines("AAAA", 2, "\n"),
        lines("AAAA", 1, "\n"),
        lot(HEX, 64, 5)
    );
    let cut = &putty[..putty.find("Private-MAC").unwrap()];
    let not = [
        "PuTTY-User-Key-File-2 is a form of file".to_owned(),
        "PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none".to_owned(),
    ];
    table(
        "putty_private_key",
        &[
            format!("«{putty}»\nb"),
            format!("«{putty}»"),
            format!("«{cut}»"),
        ],
        High,
        &not,
    );
}

#[test]
fn gcp_service_account() {
    let key = armored("PRIVATE KEY", "MIIE", "\\n");
    let document = format!(
        r#"{{"type": "service_account", "private_key": "«{key}»\n", "client_email": "a@b.c"}}"#
    );
    let escaped = format!(r#"{{\"private_key\":\"«{key}»\\n\"}}"#);
    let clear = format!("«{}»", armored("PRIVATE KEY", "MIIE", "\n"));
    check(
        "gcp_service_account",
        &[
            ("", &document, High),
            ("", &escaped, High),
            ("private_key", &clear, High),
        ],
        &[
            ("", &key),
            ("", &format!("\"my_private_key\": \"{key}\"")),
            ("key", &key),
        ],
    );
    // It is then not told twice.
    check(
        "pem_private_key",
        &[],
        &[
            ("", &document.replace(['«', '»'], "")),
            ("private_key", &clear.replace(['«', '»'], "")),
        ],
    );
}
