//! The systemd unit agrees with what the daemon does by default.

use std::process::Command;

use super::*;

const UNIT: &str = include_str!("../../../deploy/enforcer.service");

/// The value of a key that stands exactly once.
fn value(key: &str) -> &'static str {
    let mut values = UNIT
        .lines()
        .filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    let value = values
        .next()
        .unwrap_or_else(|| panic!("`{key}` is not in the unit"));
    assert_eq!(values.next(), None, "`{key}` stands more than once");
    value
}

#[test]
fn the_unit_starts_the_daemon_with_the_default_file() {
    let start = format!("/usr/bin/enforcer daemon --config {DEFAULT_FILE}");
    assert_eq!(value("ExecStart"), start);
}

#[test]
fn the_units_folders_are_those_of_the_defaults() {
    let config = Config::default();
    let below = |base: &str, key: &str| Path::new(base).join(value(key));
    assert_eq!(below("/var/lib", "StateDirectory"), config.state_dir);
    assert_eq!(below("/run", "RuntimeDirectory"), config.runtime_dir);
    let configuration = below("/etc", "ConfigurationDirectory");
    assert_eq!(
        Path::new(DEFAULT_FILE).parent(),
        Some(configuration.as_path())
    );
    assert!(config.policies.starts_with(&configuration));
    // Everything that is written must be in a place that may be written.
    assert_eq!(value("ProtectSystem"), "strict");
    for written in [&config.ledger.path, &config.ca.dir, &config.control.socket] {
        let writable =
            written.starts_with(&config.state_dir) || written.starts_with(&config.runtime_dir);
        assert!(writable, "{}", written.display());
    }
}

#[test]
fn the_units_limits_leave_room_for_the_defaults() {
    let config = Config::default();
    let stop = value("TimeoutStopSec")
        .parse::<jiff::SignedDuration>()
        .unwrap();
    assert!(Duration::try_from(stop).unwrap() > config.limits.drain_timeout);
    let files: usize = value("LimitNOFILE").parse().unwrap();
    assert!(files > config.limits.flows + config.upstream.max_connections);
    assert_eq!(
        (value("Restart"), value("StartLimitIntervalSec")),
        ("always", "0")
    );
}

#[test]
fn systemd_understands_the_unit() {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("enforcer.service");
    // The binary need not be installed where this is tested.
    std::fs::write(&unit, UNIT.replace(value("ExecStart"), "/bin/true")).unwrap();
    let verified = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(&unit)
        .output();
    match verified {
        Err(error) => eprintln!("skipped, systemd-analyze cannot be run here: {error}"),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success() && !said.contains("enforcer.service:"),
                "{said}"
            );
        }
    }
}
