use oci_spec::runtime::{HookBuilder, Spec};
use serde_json::json;

use super::*;

fn docker() -> Value {
    json!({
        "ociVersion": "1.0.2",
        "newerThanUs": {"kept": true},
        "annotations": {"enforcer.policy": "openai"},
        "process": {
            "args": ["sh"], "cwd": "/", "user": {"uid": 0, "gid": 0},
            "env": ["PATH=/bin", "SSL_CERT_FILE=/mine.pem", "JAVA_TOOL_OPTIONS=-Xmx1g"],
            "capabilities": {
                "bounding": ["CAP_CHOWN", "CAP_NET_RAW", "CAP_SYS_ADMIN", "CAP_TOMORROW"],
                "effective": ["CAP_NET_RAW"], "permitted": ["CAP_CHOWN", "CAP_NET_RAW"],
            },
        },
        "root": {"path": "rootfs"},
        "mounts": [
            {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["nosuid", "rw"]},
            {"destination": "/host", "type": "bind", "source": "/sys/fs/cgroup/unified", "options": ["rbind"]},
            {"destination": "/data", "type": "bind", "source": "/data", "options": ["rbind", "rw"]},
        ],
        "linux": {"seccomp": {
            "defaultAction": "SCMP_ACT_ERRNO",
            "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
            "syscalls": [
                {"names": ["read", "socket", "socketcall", "io_uring_setup"], "action": "SCMP_ACT_ALLOW"},
                {"names": ["io_uring_enter"], "action": "SCMP_ACT_ALLOW"},
                {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 22, "args": [
                    {"index": 0, "value": 16, "op": "SCMP_CMP_EQ"}, {"index": 2, "value": 9, "op": "SCMP_CMP_EQ"},
                ]},
            ],
        }},
    })
}

fn confined(mut config: Value) -> Value {
    confine(&mut config, Path::new("/run/enforcer/trust")).unwrap();
    // What comes of it is still a configuration.
    serde_json::from_value::<Spec>(config.clone()).unwrap();
    config
}

fn variables(config: &Value, name: &str) -> Vec<String> {
    let list = config["process"]["env"].as_array().unwrap().iter();
    let of_name = list.filter_map(|one| one.as_str()?.strip_prefix(&format!("{name}=")));
    of_name.map(str::to_owned).collect()
}

#[test]
fn capabilities_that_lead_past_the_hooks_are_gone() {
    let config = confined(docker());
    let sets = &config["process"]["capabilities"];
    assert_eq!(sets["bounding"], json!(["CAP_CHOWN"]));
    assert_eq!(sets["effective"], json!([]));
    assert_eq!(sets["permitted"], json!(["CAP_CHOWN"]));
}

#[test]
fn what_the_image_says_of_roots_stays_and_the_rest_is_ours() {
    let config = confined(docker());
    assert_eq!(variables(&config, "SSL_CERT_FILE"), ["/mine.pem"]);
    assert_eq!(
        variables(&config, "NODE_EXTRA_CA_CERTS"),
        [format!("{INSIDE}/ca.pem")]
    );
    let java = variables(&config, JAVA);
    assert_eq!(java.len(), 1);
    assert!(
        java[0].starts_with("-Xmx1g ") && java[0].contains(INSIDE),
        "{java:?}"
    );
    let again = confined(config);
    assert_eq!(variables(&again, JAVA), java);
}

#[test]
fn cgroups_are_for_reading_and_other_mounts_stay() {
    let config = confined(docker());
    let mounts = config["mounts"].as_array().unwrap();
    let options: Vec<_> = mounts
        .iter()
        .map(|mount| mount["options"].clone())
        .collect();
    assert_eq!(options[0], json!(["nosuid", "ro"]));
    assert_eq!(options[1], json!(["rbind", "ro"]));
    assert_eq!(options[2], json!(["rbind", "rw"]));
    assert_eq!(mounts[3]["destination"], INSIDE);
    assert!(options[3].as_array().unwrap().contains(&json!("ro")));
}

/// What the rules say to a call, by the first that names it with this argument.
fn said(config: &Value, call: &str, family: u64) -> String {
    let rules = config["linux"]["seccomp"]["syscalls"].as_array().unwrap();
    let speaks = |rule: &&Value| {
        let named = rule["names"].as_array().unwrap().contains(&json!(call));
        let Some(args) = rule["args"].as_array() else {
            return named;
        };
        let holds = |arg: &Value| match arg["op"].as_str().unwrap() {
            "SCMP_CMP_EQ" => family == arg["value"].as_u64().unwrap(),
            "SCMP_CMP_GT" => family > arg["value"].as_u64().unwrap(),
            other => panic!("{other}"),
        };
        named && args.iter().all(holds)
    };
    let rule = rules.iter().rfind(speaks);
    let action = rule.map_or(
        &config["linux"]["seccomp"]["defaultAction"],
        |rule| &rule["action"],
    );
    action.as_str().unwrap().to_owned()
}

#[test]
fn four_families_of_sockets_stay_whatever_the_rules_were() {
    let mut bare = docker();
    bare["linux"] = json!({});
    let mut open = docker();
    open["linux"]["seccomp"] = json!({"defaultAction": "SCMP_ACT_ALLOW"});
    for config in [docker(), bare, open] {
        let config = confined(config);
        for (family, may) in [(1, true), (2, true), (10, true), (16, true)]
            .into_iter()
            .chain([0, 3, 9, 11, 15, 17, 38, 40, 44, 1 << 32 | 17].map(|one| (one, false)))
        {
            let said = said(&config, "socket", family);
            assert_eq!(said == "SCMP_ACT_ALLOW", may, "{family}: {said}");
        }
        for call in ["io_uring_setup", "io_uring_enter", "socketcall"] {
            assert_eq!(said(&config, call, 0), "SCMP_ACT_ERRNO", "{call}");
        }
    }
    let config = confined(docker());
    assert_eq!(
        config["linux"]["seccomp"]["architectures"],
        json!(["SCMP_ARCH_X86_64", "SCMP_ARCH_X32"])
    );
    assert_eq!(said(&config, "read", 0), "SCMP_ACT_ALLOW");
    // What was not allowed before is not now.
    assert_eq!(said(&config, "socketpair", 1), "SCMP_ACT_ERRNO");
}

#[test]
fn the_daemon_is_asked_last_and_what_is_newer_than_we_stays() {
    let mut config = docker();
    config["hooks"] = json!({"createRuntime": [{"path": "/other"}], "poststop": []});
    let hook = HookBuilder::default().path("/enforcer").build().unwrap();
    ask_before_start(&mut config, &hook).unwrap();
    let hooks = config["hooks"]["createRuntime"].as_array().unwrap();
    assert_eq!(hooks[0]["path"], "/other");
    assert_eq!(hooks[1]["path"], "/enforcer");
    assert_eq!(confined(config)["newerThanUs"]["kept"], true);
}

#[test]
fn what_is_no_configuration_is_refused() {
    let trust = Path::new("/t");
    for key in ["process", "linux"] {
        let mut config = docker();
        config[key] = json!(7);
        assert!(confine(&mut config, trust).is_err(), "{key}");
    }
    let mut config = docker();
    config["process"]["capabilities"]["bounding"] = json!("ALL");
    assert!(confine(&mut config, trust).is_err());
    let mut config = docker();
    config["mounts"] = json!({});
    assert!(confine(&mut config, trust).is_err());
}
