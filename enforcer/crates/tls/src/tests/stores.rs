//! The stores of containers: found where they are and nowhere else, and covered with what they held and more.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

use super::stage::Ours;
use crate::trust::{
    Anchors, Hints, Kind, Merged, Stores, certificates, find, merge, named_by, openssl_folder,
    public_roots,
};

/// A root to be searched.
struct Root {
    dir: TempDir,
}

impl Root {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        Self { dir }
    }

    fn with(self, path: &str, content: &[u8]) -> Self {
        let path = self.path(path);
        fs::write(path, content).unwrap();
        self
    }

    fn link(self, path: &str, target: &str) -> Self {
        symlink(target, self.path(path)).unwrap();
        self
    }

    fn path(&self, path: &str) -> PathBuf {
        let path = self.dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn find(&self, hints: &Hints) -> Stores {
        let root = File::open(self.dir.path()).unwrap();
        find(root.as_fd(), hints)
    }

    fn paths(&self) -> Vec<PathBuf> {
        let found = self.find(&Hints::default());
        assert!(!found.cut_short);
        let mut paths: Vec<_> = found.found.into_iter().map(|store| store.path).collect();
        paths.sort();
        paths
    }
}

fn anchors(ours: &Ours) -> Anchors {
    ours.authority.certificate().into()
}

fn cover(merged: Merged) -> Vec<u8> {
    match merged {
        Merged::Cover(cover) => cover,
        other => panic!("{other:?}"),
    }
}

#[test]
fn stores_are_found_where_distributions_and_languages_keep_them() {
    let all = [
        "app/.venv/lib/python3.12/site-packages/certifi/cacert.pem",
        "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "etc/ssl/cert.pem",
        "etc/ssl/certs/ca-certificates.crt",
        "opt/jdk-21/lib/security/cacerts",
        "usr/lib/python3/dist-packages/pip/_vendor/certifi/cacert.pem",
        "usr/share/java/deep/down/lib/security/cacerts",
    ];
    let root = all
        .iter()
        .fold(Root::new(), |root, path| root.with(path, b"x"));
    let root = root
        .with("etc/ssl/certs/other.pem", b"x")
        .with("srv/cacert.pem", b"x");
    let expected: Vec<_> = all.iter().map(|path| Path::new("/").join(path)).collect();
    assert_eq!(root.paths(), expected);
}

#[test]
fn a_file_with_many_names_is_found_once() {
    let root = Root::new()
        .with("etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", b"x")
        .link(
            "etc/pki/tls/certs/ca-bundle.crt",
            "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        )
        .link("etc/pki/tls/cert.pem", "certs/ca-bundle.crt");
    assert_eq!(root.paths().len(), 1);
}

#[test]
fn nothing_leads_out_of_the_root_and_nothing_blocks() {
    let outside = Root::new().with("secret", b"-----BEGIN CERTIFICATE-----");
    let secret = outside.path("secret");
    let up = format!("{}{}", "../".repeat(20), &secret.to_str().unwrap()[1..]);
    let root = Root::new()
        .link("etc/ssl/cert.pem", secret.to_str().unwrap())
        .link("a/certifi/cacert.pem", &up)
        .link("b", outside.dir.path().to_str().unwrap())
        .link("etc/ssl/ca-bundle.pem", "/proc/self/environ")
        .with("c/certifi/README", b"x");
    let mode = Mode::RUSR | Mode::WUSR;
    mknodat(
        CWD,
        root.path("c/certifi/cacert.pem"),
        FileType::Fifo,
        mode,
        0,
    )
    .unwrap();
    fs::create_dir_all(root.path("d/certifi/cacert.pem")).unwrap();
    let large = File::create(root.path("e-certifi")).unwrap();
    large.set_len(1 << 40).unwrap();
    let root = root.link("f/certifi/cacert.pem", "/e-certifi");
    assert_eq!(root.paths(), Vec::<PathBuf>::new());
}

#[test]
fn mounts_of_others_are_not_gone_into() {
    let root = Root::new()
        .with("work/certifi/cacert.pem", b"x")
        .with("proc/certifi/cacert.pem", b"x")
        .with("app/certifi/cacert.pem", b"x");
    let hints = Hints {
        named: Vec::new(),
        foreign: [PathBuf::from("/work")].into(),
    };
    let found = root.find(&hints);
    let paths: Vec<_> = found
        .found
        .iter()
        .map(|store| store.path.as_path())
        .collect();
    assert_eq!(paths, [Path::new("/app/certifi/cacert.pem")]);
}

#[test]
fn a_tree_without_an_end_is_cut_short_and_said_so() {
    let mut path = PathBuf::new();
    for _ in 0..40 {
        path.push("d");
    }
    let root = Root::new().with(path.join("x").to_str().unwrap(), b"");
    assert!(root.find(&Hints::default()).cut_short);
}

#[test]
fn bundles_that_the_environment_names_are_found_too() {
    let environ = b"PATH=/bin\0SSL_CERT_FILE=/data/own.pem\0NODE_EXTRA_CA_CERTS=relative.pem\0X=/etc/passwd\0REQUESTS_CA_BUNDLE=/data/own.pem\0broken\0";
    let named = named_by(environ);
    assert_eq!(named, [Path::new("/data/own.pem")]);
    let root = Root::new().with("data/own.pem", b"x");
    let hints = Hints {
        named,
        ..Hints::default()
    };
    assert_eq!(root.find(&hints).found.len(), 1);
}

#[test]
fn a_bundle_keeps_what_it_held() {
    let ours = Ours::new();
    let anchors = anchors(&ours);
    let held = "# roots\n".to_owned() + crate::certificate::encode(&public_roots()[..3]).trim_end();
    let covered = cover(merge(Kind::Bundle, held.as_bytes(), &anchors, &[]).unwrap());
    assert!(covered.starts_with(held.as_bytes()));
    let all = certificates(&covered);
    assert_eq!(all.len(), 4);
    assert_eq!(all[3], *ours.authority.certificate_der());
    let again = merge(Kind::Bundle, &covered, &anchors, &[]).unwrap();
    assert_eq!(again, Merged::Already);
    let empty = cover(merge(Kind::Bundle, b"", &anchors, &[]).unwrap());
    assert_eq!(certificates(&empty).len(), 1);
}

#[test]
fn what_is_no_store_is_left_alone() {
    let anchors = anchors(&Ours::new());
    for content in [
        &b"root:x:0:0::/root:/bin/sh\n"[..],
        b"\xfe\xed\xfe\xed",
        b"\x30\x03\x02\x01\x03",
        b"\x30",
    ] {
        for kind in [Kind::Bundle, Kind::Keystore] {
            let merged = merge(kind, content, &anchors, &[]).unwrap();
            assert!(
                matches!(merged, Merged::Unfit(_)),
                "{content:?}: {merged:?}"
            );
        }
    }
}

/// Runs keytool; without it there is nothing to ask.
fn keytool(arguments: &[&str]) -> Option<String> {
    let output = Command::new("keytool").args(arguments).output();
    let Ok(output) = output else {
        println!("skipped: `keytool` cannot be run here");
        return None;
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{arguments:?}: {text}");
    Some(text)
}

#[test]
fn java_reads_what_was_added_to_its_stores_of_either_kind() {
    let ours = Ours::new();
    let anchors = anchors(&ours);
    let dir = TempDir::new().unwrap();
    let roots = public_roots();
    let pem = dir.path().join("one.pem");
    fs::write(&pem, crate::certificate::encode(&roots[..1])).unwrap();
    // The last is locked by its password; what stands in for it are the roots of the image.
    let kinds: [&[&str]; 3] = [
        &["-storetype", "JKS"],
        &[
            "-storetype",
            "PKCS12",
            "-J-Dkeystore.pkcs12.certProtectionAlgorithm=NONE",
        ],
        &["-storetype", "PKCS12"],
    ];
    for (index, kind) in kinds.iter().enumerate() {
        let store = dir.path().join(format!("store-{index}"));
        let (file, pem) = (store.to_str().unwrap(), pem.to_str().unwrap());
        let import = [
            "-importcert",
            "-noprompt",
            "-alias",
            "theirs",
            "-storepass",
            "changeit",
            "-keystore",
            file,
            "-file",
            pem,
        ];
        if keytool(&[&import[..], kind].concat()).is_none() {
            return;
        }
        let held = fs::read(&store).unwrap();
        let covered = cover(merge(Kind::Keystore, &held, &anchors, &roots[..2]).unwrap());
        fs::write(&store, &covered).unwrap();
        let listing = keytool(&["-list", "-storepass", "changeit", "-keystore", file]).unwrap();
        let expected = if index == 2 { 3 } else { 2 };
        assert_eq!(
            listing.matches("trustedCertEntry").count(),
            expected,
            "{kind:?}: {listing}"
        );
        assert!(
            listing.contains(&ours.authority.fingerprint().to_string()),
            "{listing}"
        );
        let again = merge(Kind::Keystore, &covered, &anchors, &roots[..2]).unwrap();
        assert_eq!(again, Merged::Already, "{kind:?}");
    }
}

#[test]
fn a_keystore_with_private_keys_is_no_trust_store() {
    let anchors = anchors(&Ours::new());
    let dir = TempDir::new().unwrap();
    for kind in ["JKS", "PKCS12"] {
        let store = dir.path().join(kind);
        let file = store.to_str().unwrap();
        let made = keytool(&[
            "-genkeypair",
            "-alias",
            "k",
            "-keyalg",
            "EC",
            "-dname",
            "CN=k",
            "-storepass",
            "changeit",
            "-keypass",
            "changeit",
            "-storetype",
            kind,
            "-keystore",
            file,
        ]);
        if made.is_none() {
            return;
        }
        let merged = merge(Kind::Keystore, &fs::read(&store).unwrap(), &anchors, &[]).unwrap();
        if kind == "JKS" {
            assert!(matches!(merged, Merged::Unfit(_)), "{merged:?}");
        }
    }
}

#[test]
fn openssl_is_led_to_the_bundle_where_nothing_leads_there() {
    let debian = || {
        Root::new()
            .with("etc/ssl/certs/ca-certificates.crt", b"x")
            .link("usr/lib/ssl/certs", "/etc/ssl/certs")
            .with("usr/lib/ssl/misc/CA.pl", b"#!/bin/sh\n")
    };
    let covers = TempDir::new().unwrap();
    let look = |root: &Root| {
        let root = File::open(root.dir.path()).unwrap();
        let folder = openssl_folder(root.as_fd())?;
        Some(folder.write_cover(covers.path()).unwrap())
    };
    let name = look(&debian()).unwrap();
    let cover = covers.path().join(&name);
    let link = |name: &str| fs::read_link(cover.join(name)).unwrap();
    assert_eq!(link("certs"), Path::new("/etc/ssl/certs"));
    assert_eq!(
        link("cert.pem"),
        Path::new("/etc/ssl/certs/ca-certificates.crt")
    );
    assert_eq!(fs::read(cover.join("misc/CA.pl")).unwrap(), b"#!/bin/sh\n");
    assert_eq!(
        look(&debian()).unwrap(),
        name,
        "the same content, the same cover"
    );
    assert_ne!(look(&debian().link("usr/lib/ssl/more", "x")).unwrap(), name);
    // Where the link is, and where there is no bundle, nothing is covered; nor what has too much in it.
    assert_eq!(
        look(&debian().link(
            "usr/lib/ssl/cert.pem",
            "../../../etc/ssl/certs/ca-certificates.crt"
        )),
        None
    );
    assert_eq!(
        look(&Root::new().link("usr/lib/ssl/certs", "/etc/ssl/certs")),
        None
    );
    let many = (0..40).fold(debian(), |root, n| {
        root.with(&format!("usr/lib/ssl/{n}"), b"")
    });
    assert_eq!(look(&many), None);
    assert_eq!(
        fs::read_dir(covers.path()).unwrap().count(),
        2,
        "no half-written ones"
    );
}
