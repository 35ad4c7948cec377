//! The namespaces of the settings, and the files that attempts are made with.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::Arc;

use enforcer_tests::namespace::Namespace;
use enforcer_tests::sandbox::Sandbox;
use enforcer_tests::world::{HOST_V4, HOST_V6};

use crate::escape::rows::Setting;

/// The host's end of the wire to a namespace of an agent's own, and the agent's end.
const NEAR: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
pub(crate) const OWN: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
const NET: &str = "10.77.0.0/24";
const NEAR_MAC: &str = "02:00:00:00:77:01";
/// The programs of the attempts.
const TECHNIQUES: [(&str, &str); 9] = [
    ("__main__.py", include_str!("technique/__main__.py")),
    ("crew.py", include_str!("technique/crew.py")),
    ("datagrams.py", include_str!("technique/datagrams.py")),
    ("outsiders.py", include_str!("technique/outsiders.py")),
    ("packets.py", include_str!("technique/packets.py")),
    ("processes.py", include_str!("technique/processes.py")),
    ("ring.py", include_str!("technique/ring.py")),
    ("streams.py", include_str!("technique/streams.py")),
    ("target.py", include_str!("technique/target.py")),
];

/// The namespace that agents of a setting live in.
pub(crate) fn place(setting: Setting, sandbox: &Sandbox) -> Arc<Namespace> {
    let host = sandbox.host();
    let namespace = match setting {
        Setting::Host | Setting::Run => Arc::clone(host),
        Setting::Own => container(sandbox),
    };
    // As open as hosts and containers are ever found.
    let open = || {
        fs::write("/proc/sys/net/ipv4/ip_forward", "1")?;
        fs::write("/proc/sys/net/ipv6/conf/all/forwarding", "1")?;
        fs::write("/proc/sys/net/ipv4/conf/all/accept_source_route", "1")?;
        fs::write("/proc/sys/net/ipv4/ping_group_range", "0 2147483647")
    };
    for namespace in [host, &namespace] {
        namespace.run(open).expect("a thread").expect("sysctls");
    }
    namespace
}

/// A namespace with a wire to the host, which forwards for it, as container engines make them.
fn container(sandbox: &Sandbox) -> Arc<Namespace> {
    let (host, own) = (
        sandbox.host(),
        Arc::new(Namespace::new().expect("a namespace")),
    );
    let six = |last: u16| Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, last).to_string();
    let there = own.path();
    for words in [
        format!("link add c0 address {NEAR_MAC} type veth peer name eth0 netns {there}"),
        format!("addr add {NEAR}/24 dev c0"),
        format!("addr add {}/64 dev c0 nodad", six(1)),
        "link set c0 up".to_owned(),
    ] {
        ip(host, &words);
    }
    for words in [
        format!("addr add {OWN}/24 dev eth0"),
        format!("addr add {}/64 dev eth0 nodad", six(2)),
        "link set eth0 up".to_owned(),
        format!("neigh replace {NEAR} lladdr {NEAR_MAC} dev eth0 nud permanent"),
        format!("route add default via {NEAR}"),
        format!("-6 route add default via {}", six(1)),
    ] {
        ip(&own, &words);
    }
    let world = sandbox.world();
    for words in [
        format!("route add {NET} via {HOST_V4}"),
        format!("-6 route add fd77::/64 via {HOST_V6}"),
    ] {
        ip(world.namespace(), &words);
    }
    own
}

fn ip(namespace: &Namespace, words: &str) {
    let words: Vec<&str> = words.split(' ').collect();
    namespace.ip(&words).expect("ip");
}

/// Writes the programs of the attempts where everybody can read them.
pub(crate) fn techniques(sandbox: &Sandbox) -> PathBuf {
    for (name, text) in TECHNIQUES {
        sandbox
            .write(&format!("technique/{name}"), text)
            .expect("a file");
    }
    sandbox.folder().join("technique")
}
