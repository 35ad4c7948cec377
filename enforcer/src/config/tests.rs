use std::path::Path;
use std::time::Duration;

use enforcer_flow::{Destination, Host, Principal};
use enforcer_tls::{OwnFiles, Subtree};

use super::*;
use crate::config::containers::Which;

mod unit;

const FILE: &str = "/etc/enforcer/enforcer.yaml";
const EXAMPLE: &str = include_str!("../../deploy/enforcer.yaml");

fn parse(text: &str) -> Result<Config, Mistakes> {
    Config::parse(text, Path::new(FILE))
}

/// Asserts that `text` has exactly these mistakes, each given as it is printed after the file's name.
fn check(text: &str, expected: &[&str]) {
    let mistakes = match parse(text) {
        Ok(config) => panic!("accepted {text:?} as {config:?}"),
        Err(mistakes) => mistakes,
    };
    let found: Vec<String> = mistakes.list.iter().map(ToString::to_string).collect();
    assert_eq!(found, expected, "for {text:?}");
}

#[test]
fn an_empty_file_is_the_default() {
    for text in ["", "# nothing\n", "{}\n", "ledger:\nlimits: ~\n"] {
        assert_eq!(parse(text).unwrap(), Config::default(), "for {text:?}");
    }
}

#[test]
fn the_example_shows_every_key_with_its_default() {
    assert_eq!(parse(EXAMPLE).unwrap(), Config::default());
    let mut keys = Vec::new();
    for line in EXAMPLE.lines() {
        let line = line
            .strip_prefix("# workers")
            .map_or(line, |_| "workers: 4");
        let line = line
            .strip_prefix("  # prices")
            .map_or(line, |_| "prices: x");
        // What has no default to be shown with stands in a comment.
        let trimmed = line.trim_start();
        let own = trimmed.strip_prefix("# ").unwrap_or(trimmed);
        let trimmed = if own.starts_with("cert_file: ") || own.starts_with("key_file: ") {
            own
        } else {
            trimmed
        };
        if !trimmed.starts_with('#') && !trimmed.starts_with('-') && trimmed.contains(':') {
            keys.push(trimmed.split(':').next().unwrap_or_default());
        }
    }
    // A section that knows one key less or more than the example prints a different list of valid keys.
    check(
        "zzz: 1",
        &[&format!(
            "1:1: `zzz`: is not a key here, valid are {}",
            "state_dir, runtime_dir, policies, workers, busy_poll, control, ledger, ca, upstream, containers, workloads, limits, spill, recordings, costs, secrets, webhooks, unix_sockets, lsm, danger, log"
        )],
    );
    for (section, names) in [
        ("control", "socket"),
        ("ledger", "path, rotate_size, sync_interval"),
        ("ca", "dir, cert_file, key_file, permitted_names, overlap"),
        (
            "upstream",
            "connect_to, extra_roots, connect_timeout, response_timeout, idle_timeout, max_idle_per_host, max_connections",
        ),
        (
            "containers",
            "engines, nri, cri, kubelet, default_policy, runtime",
        ),
        (
            "limits",
            "workloads, flows, flows_per_workload, streams_per_flow, header_bytes, body_bytes, body_timeout, body_memory, \
             body_memory_per_workload, held_text_timeout, message_bytes, first_byte_timeout, handshake_timeout, header_timeout, idle_timeout, drain_timeout",
        ),
        (
            "spill",
            "above, max_bytes, max_bytes_per_workload, max_files, max_files_per_workload",
        ),
        ("recordings", "max_bytes"),
        ("costs", "prices, budgets"),
        ("unix_sockets", "allow, refuse"),
        ("danger", "observe"),
        ("log", "level, format"),
    ] {
        check(
            &format!("{section}:\n  zzz: 1"),
            &[&format!(
                "2:3: `{section}.zzz`: is not a key here, valid are {names}"
            )],
        );
        for name in names.split(", ").chain([section]) {
            assert!(
                keys.contains(&name),
                "`{section}.{name}` is not in the example"
            );
        }
    }
    for name in [
        "state_dir",
        "runtime_dir",
        "policies",
        "workers",
        "busy_poll",
        "lsm",
        "secrets",
        "webhooks",
        "workloads",
    ] {
        assert!(keys.contains(&name), "`{name}` is not in the example");
    }
}

#[test]
fn security_modules_are_wanted_as_is_said() {
    for (text, wanted) in [
        ("lsm: auto\n", Lsm::Auto),
        ("lsm: off\n", Lsm::Off),
        ("lsm: require\n", Lsm::Require),
    ] {
        assert_eq!(parse(text).unwrap().lsm, wanted, "{text}");
    }
}

#[test]
fn every_key_is_taken_over() {
    let config = parse(
        "state_dir: /s\nruntime_dir: /r\npolicies: p.yaml\nworkers: 3\nbusy_poll: 20us\n\
         control: {socket: c.sock}\n\
         ledger: {path: l.jsonl, rotate_size: 2MiB, sync_interval: 0s}\n\
         ca: {dir: /ca, cert_file: own.crt, key_file: /own.key, permitted_names: [Example.com, 10.0.0.0/8], overlap: 1h}\n\
         upstream:\n  connect_to:\n    API.openai.com.:443: 127.0.0.1:8443\n    '[2001:db8::1]:443': '[::1]:1'\n  \
         extra_roots: [a.pem, /b.pem]\n  connect_timeout: 1s\n  response_timeout: 3s\n  idle_timeout: 2s\n  max_idle_per_host: 0\n  max_connections: 5\n\
         containers: {engines: [d.sock, /p.sock], nri: null, cri: [/c.sock], kubelet: /k, default_policy: openai, runtime: /usr/bin/runc}\n\
         workloads: [{cgroup: /agents/*, policy: openai, principal: ada, groups: [support]}, {unit: agent@*.service}]\n\
         limits:\n  workloads: 6\n  flows: 70\n  flows_per_workload: 8\n  streams_per_flow: 9\n  header_bytes: 10KiB\n  \
         body_bytes: 2KiB\n  body_timeout: 14s\n  body_memory: 3MiB\n  body_memory_per_workload: 2MiB\n  held_text_timeout: 15ms\n  message_bytes: 5KiB\n  \
         first_byte_timeout: 11ms\n  handshake_timeout: 12ms\n  header_timeout: 13ms\n  idle_timeout: 1h 30m\n  drain_timeout: 0s\n\
         spill: {above: off, max_bytes: 9MiB, max_bytes_per_workload: 8MiB, max_files: 5, max_files_per_workload: 4}\n\
         recordings: {max_bytes: 7MiB}\n\
         costs: {prices: p.yaml, budgets: b.db}\n\
         secrets:\n  hook: {file: hook.secret}\n  key: {env: KEY}\n\
         webhooks:\n  Hooks.slack.com/alerts: hook\n\
         unix_sockets: {allow: [x.sock, /y.sock], refuse: [strict]}\n\
         lsm: require\n\
         danger: {observe: [trial, '*']}\n\
         log: {level: off, format: json}\n",
    )
    .unwrap();
    let name = |name: &str, port| Destination {
        host: Host::parse(name).unwrap(),
        port,
    };
    let expected = Config {
        state_dir: "/s".into(),
        runtime_dir: "/r".into(),
        policies: "/etc/enforcer/p.yaml".into(),
        workers: NonZeroUsize::new(3).unwrap(),
        busy_poll: Duration::from_micros(20),
        control: Control {
            socket: "/etc/enforcer/c.sock".into(),
        },
        ledger: Ledger {
            path: "/etc/enforcer/l.jsonl".into(),
            rotate_size: 2 * 1024 * 1024,
            sync_interval: Duration::ZERO,
        },
        ca: Ca {
            dir: "/ca".into(),
            own: Some(OwnFiles {
                certificate: "/etc/enforcer/own.crt".into(),
                key: "/own.key".into(),
            }),
            permitted_names: vec![
                Subtree::Names("example.com".to_owned()),
                Subtree::Addresses([10, 0, 0, 0].into(), 8),
            ],
            overlap: Duration::from_secs(3600),
        },
        upstream: Upstream {
            connect_to: HashMap::from([
                (
                    name("api.openai.com", 443),
                    "127.0.0.1:8443".parse().unwrap(),
                ),
                (name("2001:db8::1", 443), "[::1]:1".parse().unwrap()),
            ]),
            extra_roots: vec!["/etc/enforcer/a.pem".into(), "/b.pem".into()],
            connect_timeout: Duration::from_secs(1),
            response_timeout: Duration::from_secs(3),
            idle_timeout: Duration::from_secs(2),
            max_idle_per_host: 0,
            max_connections: 5,
        },
        containers: Containers {
            engines: vec!["/etc/enforcer/d.sock".into(), "/p.sock".into()],
            nri: None,
            cri: vec!["/c.sock".into()],
            kubelet: "/k".into(),
            default_policy: Some("openai".to_owned()),
            runtime: "/usr/bin/runc".into(),
        },
        workloads: vec![
            Selected {
                which: Which::Cgroup("/agents/*".to_owned()),
                policy: Some("openai".to_owned()),
                principal: Principal::new("ada", ["support"]).ok(),
            },
            Selected {
                which: Which::Unit("agent@*.service".to_owned()),
                policy: None,
                principal: None,
            },
        ],
        limits: Limits {
            workloads: 6,
            flows: 70,
            flows_per_workload: 8,
            streams_per_flow: 9,
            header_bytes: 10 * 1024,
            body_bytes: 2 * 1024,
            body_timeout: Duration::from_secs(14),
            body_memory: 3 << 20,
            body_memory_per_workload: 2 << 20,
            held_text_timeout: Duration::from_millis(15),
            message_bytes: 5 * 1024,
            first_byte_timeout: Duration::from_millis(11),
            handshake_timeout: Duration::from_millis(12),
            header_timeout: Duration::from_millis(13),
            idle_timeout: Duration::from_secs(5400),
            drain_timeout: Duration::ZERO,
        },
        spill: Spill {
            above: None,
            max_bytes: 9 << 20,
            max_bytes_per_workload: 8 << 20,
            max_files: 5,
            max_files_per_workload: 4,
        },
        recordings: Recordings { max_bytes: 7 << 20 },
        costs: Costs {
            prices: Some("/etc/enforcer/p.yaml".into()),
            budgets: "/etc/enforcer/b.db".into(),
        },
        secrets: BTreeMap::from([
            (
                "hook".to_owned(),
                Source::File("/etc/enforcer/hook.secret".into()),
            ),
            ("key".to_owned(), Source::Environment("KEY".to_owned())),
        ]),
        webhooks: vec![Registered {
            host: Host::parse("hooks.slack.com").unwrap(),
            path: "/alerts".to_owned(),
            secret: "hook".to_owned(),
        }],
        unix_sockets: UnixSockets {
            allow: vec!["/etc/enforcer/x.sock".into(), "/y.sock".into()],
            refuse: vec!["strict".to_owned()],
        },
        lsm: Lsm::Require,
        danger: Danger {
            observe: vec!["trial".to_owned(), "*".to_owned()],
        },
        log: Log {
            level: "off".to_owned(),
            format: LogFormat::Json,
        },
    };
    assert_eq!(config, expected);
}

#[test]
fn secrets_are_named_and_never_written_down() {
    check_rows(&[
        (
            "secrets:\n  hook: hunter2\n",
            "2:3: `secrets`: key `hook`: expected `{file: PATH}` or `{env: VARIABLE}`",
        ),
        (
            "secrets:\n  hook: {file: a, env: B}\n",
            "2:3: `secrets`: key `hook`: expected `{file: PATH}` or `{env: VARIABLE}`",
        ),
        (
            "secrets:\n  a b: {env: X}\n",
            "2:3: `secrets`: key `a b`: a secret's name is at most 64 letters, digits, `-`, `_` and `.`",
        ),
        (
            "webhooks:\n  hooks.slack.com/alerts: nobody\n",
            "2:27: `webhooks`: expected the name of one of `secrets`, found `nobody`",
        ),
        (
            "secrets: {s: {env: X}}\nwebhooks:\n  hooks.slack.com: s\n",
            "3:3: `webhooks`: key `hooks.slack.com`: expected `host/path`, such as `hooks.slack.com/alerts`",
        ),
        (
            "limits: {body_bytes: 64MiB, body_memory_per_workload: 65MiB}\n",
            "1:55: `limits.body_memory_per_workload`: a workload's memory for bodies (`body_memory_per_workload`) must hold two bodies (`body_bytes`) and two messages (`message_bytes`)",
        ),
    ]);
}

#[test]
fn what_waits_on_disk_is_bounded_in_a_way_that_makes_sense() {
    assert_eq!(
        parse("spill: {above: 64KiB}").unwrap().spill.above,
        Some(64 << 10)
    );
    check_rows(&[
        (
            "spill: {above: never}\n",
            "1:16: `spill.above`: expected `off`, or a size such as `64KiB`, from 1.0 KiB to 1.0 GiB, found `never`",
        ),
        (
            "spill: {max_bytes: 20MiB, max_bytes_per_workload: 21MiB}\n",
            "1:51: `spill.max_bytes_per_workload`: one workload may keep more bytes on disk (`max_bytes_per_workload`) than all of them (`max_bytes`)",
        ),
        (
            "spill: {max_files: 3, max_files_per_workload: 4}\n",
            "1:47: `spill.max_files_per_workload`: one workload may have more files open (`max_files_per_workload`) than all of them (`max_files`)",
        ),
        (
            "spill: {max_bytes_per_workload: 2MiB}\n",
            "1:33: `spill.max_bytes_per_workload`: a workload's share of the disk (`max_bytes_per_workload`) must hold one of the longest bodies (`limits.body_bytes`)",
        ),
    ]);
    assert!(parse("spill: {above: off, max_bytes_per_workload: 2MiB}").is_ok());
}

#[test]
fn programs_of_security_modules_are_wanted_left_out_or_left_to_the_kernel() {
    for (text, wanted) in [
        ("lsm: auto", Lsm::Auto),
        ("lsm: off", Lsm::Off),
        ("lsm: \"off\"", Lsm::Off),
        ("lsm: require", Lsm::Require),
        ("{}", Lsm::Auto),
    ] {
        assert_eq!(parse(text).unwrap().lsm, wanted, "{text}");
    }
}

#[test]
fn paths_follow_the_two_folders_unless_named() {
    let config = parse("state_dir: state\nruntime_dir: /tmp/r\n").unwrap();
    assert_eq!(config.ca.dir, Path::new("/etc/enforcer/state/ca"));
    assert_eq!(
        config.ledger.path,
        Path::new("/etc/enforcer/state/audit.jsonl")
    );
    assert_eq!(config.control.socket, Path::new("/tmp/r/control.sock"));
}

/// As [`check`], for texts with one mistake each.
fn check_rows(rows: &[(&str, &str)]) {
    for (text, expected) in rows {
        check(text, &[expected]);
    }
}

#[test]
fn what_is_not_our_yaml_is_refused_by_position() {
    check_rows(&[
        ("a: [\n", "1:4: unclosed bracket '['"),
        (
            "workers: 1\n---\nworkers: 2\n",
            "3:1: a second document starts here, expected one",
        ),
        ("- a\n", "1:1: expected keys with values, found a list"),
        ("hello\n", "1:1: expected keys with values, found `hello`"),
        (
            "ledger: yes\n",
            "1:9: `ledger`: expected keys with values, found `true`",
        ),
    ]);
}

#[test]
fn keys_that_are_none_are_refused_with_those_that_are() {
    check_rows(&[
        (
            "polices: x\n",
            "1:1: `polices`: is not a key here, did you mean `policies`?",
        ),
        (
            "ledger:\n  sync_interval_ms: 5\n",
            "2:3: `ledger.sync_interval_ms`: is not a key here, did you mean `sync_interval`?",
        ),
        (
            "log:\n  colour: 1\n",
            "2:3: `log.colour`: is not a key here, valid are level, format",
        ),
        (
            "\"a\\nb\": 1\n",
            "1:1: `a\\nb`: is not a key here, valid are state_dir, runtime_dir, policies, workers, busy_poll, control, ledger, ca, upstream, containers, workloads, limits, spill, recordings, costs, secrets, webhooks, unix_sockets, lsm, danger, log",
        ),
        (
            "<<: {workers: 1}\n",
            "1:1: `<<`: is not a key here, valid are state_dir, runtime_dir, policies, workers, busy_poll, control, ledger, ca, upstream, containers, workloads, limits, spill, recordings, costs, secrets, webhooks, unix_sockets, lsm, danger, log",
        ),
        (
            "workers: 1\nca: {}\nworkers: 2\n",
            "3:1: `workers`: stands here for the second time, first on line 1",
        ),
    ]);
}

#[test]
fn values_are_refused_with_what_would_be_right() {
    let duration = "expected a duration such as `30s` or `250ms`, from 1ms to 86400s";
    check_rows(&[
        (
            "state_dir: 5\n",
            "1:12: `state_dir`: expected a path, found `5`",
        ),
        (
            "state_dir:\n",
            "1:10: `state_dir`: expected a path, found nothing",
        ),
        (
            "state_dir: ''\n",
            "1:12: `state_dir`: expected a path, found ``",
        ),
        (
            "lsm: always\n",
            "1:6: `lsm`: expected `auto`, `require` or `off`, found `always`",
        ),
        (
            "workers: 0\n",
            "1:10: `workers`: expected a whole number from 1 to 1024, found `0`",
        ),
        (
            "workers: 1.5\n",
            "1:10: `workers`: expected a whole number from 1 to 1024, found `1.5`",
        ),
        (
            "workers: -1\n",
            "1:10: `workers`: expected a whole number from 1 to 1024, found `-1`",
        ),
        (
            "workers: 18446744073709551615\n",
            "1:10: `workers`: expected a whole number from 1 to 1024, found `18446744073709551615`",
        ),
        (
            "ledger:\n  rotate_size: 5 parsecs\n",
            "2:16: `ledger.rotate_size`: expected a size such as `64KiB`, from 1.0 MiB to 1.0 TiB, found `5 parsecs`",
        ),
        (
            "ledger:\n  rotate_size: 1\n",
            "2:16: `ledger.rotate_size`: expected a size such as `64KiB`, from 1.0 MiB to 1.0 TiB, found `1`",
        ),
        (
            "ledger:\n  sync_interval: 50\n",
            "2:18: `ledger.sync_interval`: expected a duration such as `30s` or `250ms`, from 0ns to 10s, found `50`",
        ),
        (
            "limits: {idle_timeout: -3s}\n",
            &format!("1:24: `limits.idle_timeout`: {duration}, found `-3s`"),
        ),
        (
            "limits: {header_timeout: 0s}\n",
            &format!("1:26: `limits.header_timeout`: {duration}, found `0s`"),
        ),
        (
            "limits: {flows: 10}\n",
            "1:17: `limits.flows`: one workload may have 2048 flows (`flows_per_workload`), all of them only 10 (`flows`)",
        ),
        (
            "limits: {flows_per_workload: 20000}\n",
            "1:30: `limits.flows_per_workload`: one workload may have 20000 flows (`flows_per_workload`), all of them only 16384 (`flows`)",
        ),
        (
            "log: {level: loud}\n",
            "1:14: `log.level`: expected `error`, `warn`, `info`, `debug`, `trace`, `off`, or directives such as `info,enforcer_gate=debug`, found `loud`",
        ),
        (
            "log: {format: xml}\n",
            "1:15: `log.format`: expected `text` or `json`, found `xml`",
        ),
    ]);
}

#[test]
fn lists_and_maps_are_refused_by_their_items() {
    check_rows(&[
        (
            "upstream: {extra_roots: a.pem}\n",
            "1:25: `upstream.extra_roots`: expected a list, found `a.pem`",
        ),
        (
            "upstream:\n  extra_roots:\n    - a.pem\n    - 7\n",
            "4:7: `upstream.extra_roots`: expected a path, found `7`",
        ),
        (
            "upstream:\n  connect_to:\n    a.example:443: localhost:1\n",
            "3:20: `upstream.connect_to`: expected `address:port`, such as `127.0.0.1:8443` or `[::1]:8443`, found `localhost:1`",
        ),
        (
            "upstream:\n  connect_to:\n    a.example: 127.0.0.1:1\n",
            "3:5: `upstream.connect_to`: key `a.example`: expected `host:port`, such as `api.openai.com:443` or `[2001:db8::1]:443`",
        ),
        (
            "upstream:\n  connect_to:\n    a..b:443: 127.0.0.1:1\n",
            "3:5: `upstream.connect_to`: key `a..b:443`: an empty label; expected `host:port`, such as `api.openai.com:443` or `[2001:db8::1]:443`",
        ),
        (
            "upstream:\n  connect_to:\n    2001:db8::1:443: 127.0.0.1:1\n",
            "3:5: `upstream.connect_to`: key `2001:db8::1:443`: expected `host:port`, such as `api.openai.com:443` or `[2001:db8::1]:443`",
        ),
        (
            "upstream:\n  connect_to:\n    a.example:1: 127.0.0.1:1\n    A.example:1: 127.0.0.1:2\n",
            "4:5: `upstream.connect_to`: key `A.example:1`: names the same destination again",
        ),
    ]);
}

#[test]
fn all_mistakes_are_reported_in_the_order_of_the_file() {
    check(
        "workers: many\nlimits:\n  flows: no\n  flow: 1\nlog: {format: 1}\nstate: x\n",
        &[
            "1:10: `workers`: expected a whole number from 1 to 1024, found `many`",
            "3:10: `limits.flows`: expected a whole number from 1 to 1048576, found `false`",
            "4:3: `limits.flow`: is not a key here, did you mean `flows`?",
            "5:15: `log.format`: expected `text` or `json`, found `1`",
            "6:1: `state`: is not a key here, did you mean `state_dir`?",
        ],
    );
}

#[test]
fn a_socket_path_too_long_for_the_kernel_is_refused() {
    let text = format!("control: {{socket: /{}}}\n", "s".repeat(107));
    check(
        &text,
        &["1:10: `control`: the control socket's path would be longer than 107 bytes"],
    );
    let text = format!("control: {{socket: /{}}}\n", "s".repeat(106));
    assert!(parse(&text).is_ok());
    check(
        &format!("runtime_dir: /{}\n", "r".repeat(100)),
        &["1:14: `runtime_dir`: the control socket's path would be longer than 107 bytes"],
    );
}

#[test]
fn hostile_yaml_ends_in_a_mistake() {
    let deep = format!("a: {}{}", "[".repeat(100), "]".repeat(100));
    check(
        &deep,
        &["1:19: more, or nested deeper, than a configuration can mean"],
    );
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let alias = format!("*a{}, ", level - 1).repeat(10);
        bomb.push_str(&format!(
            "a{level}: &a{level} [{}]\n",
            alias.trim_end_matches(", ")
        ));
    }
    let mistakes = parse(&bomb).unwrap_err().to_string();
    assert!(
        mistakes.ends_with("than a configuration can mean"),
        "{mistakes}"
    );
}

#[test]
fn a_file_is_loaded_and_its_errors_name_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.yaml");
    std::fs::write(&path, "ca: {dir: here}\n").unwrap();
    assert_eq!(
        Config::load(&path).unwrap().ca.dir,
        folder.path().join("here")
    );

    std::fs::write(&path, "worker: 1\nworkers: x\n").unwrap();
    let printed = Config::load(&path).unwrap_err().to_string();
    let file = path.display();
    let expected = format!(
        "{file}:1:1: `worker`: is not a key here, did you mean `workers`?\n\
         {file}:2:10: `workers`: expected a whole number from 1 to 1024, found `x`"
    );
    assert_eq!(printed, expected);

    let missing = folder.path().join("none.yaml");
    let printed = Config::find(Some(&missing)).unwrap_err().to_string();
    assert!(
        printed.contains("none.yaml") && printed.contains("No such file"),
        "{printed}"
    );
}

#[test]
fn a_file_beyond_the_limit_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.yaml");
    std::fs::write(&path, "#".repeat(1024 * 1024 + 1)).unwrap();
    let error = Config::load(&path).unwrap_err();
    assert!(matches!(error, ConfigError::Read { .. }), "{error}");
}

#[test]
fn a_ca_of_ones_own_needs_both_files() {
    check(
        "ca:\n  key_file: a.key",
        &["2:13: `ca.key_file`: a CA of your own needs both `cert_file` and `key_file`"],
    );
    check(
        "ca:\n  permitted_names: ['*.example.com']",
        &[
            "2:21: `ca.permitted_names`: expected a name such as `example.com`, which covers all names below it, or addresses such as `10.0.0.0/8`, found `*.example.com`",
        ],
    );
}

#[test]
fn what_selects_workloads_is_checked_when_it_is_read() {
    for (item, why) in [
        ("{cgroup: agents}", "starts with `/`"),
        ("{cgroup: /**}", "matches the root"),
        ("{unit: a/b}", "a unit has no `/`"),
        ("{unit: a, cgroup: /b}", "expected"),
        ("{policy: openai}", "expected"),
        ("{cgroup: /a, policy: 'no policy'}", "expected"),
        ("{cgroup: /a, other: b}", "expected"),
        ("{cgroup: /a, principal: 'a,b'}", "is no name"),
        ("{cgroup: /a, principal: ada, groups: support}", "expected"),
        ("{cgroup: /a, groups: [support]}", "a `principal`"),
        ("/agents/*", "expected"),
    ] {
        let mistakes = parse(&format!("workloads:\n  - {item}\n")).unwrap_err();
        assert_eq!(mistakes.list.len(), 1, "{item}");
        let said = mistakes.list[0].to_string();
        assert!(said.contains(why), "{item}: {said}");
    }
}
