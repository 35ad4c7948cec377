//! The table: one row a technique, what stops it in each setting, and what the ledger says of it.
//!
//! The techniques themselves are functions of the same names in `technique/`. They are written in Python, because half of
//! them are made of structures and calls that Rust reaches only by `unsafe`.

use Cover::{Answered, Denied, Ended, Leaves, Nowhere, Redirected, Refused, Wire};

/// Where an attempt is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    /// A labelled cgroup in the daemon's own network namespace.
    Host,
    /// A labelled cgroup in a namespace of its own with a wire to the host, and the capabilities containers have.
    Own,
    /// `enforcer run`.
    Run,
}

/// What stops an attempt, and so what is to be seen of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cover {
    /// The resolver: a lookup that the ledger has with its name.
    Answered,
    /// The kernel itself or a confinement of ours, for the reason given: the attempt fails with an error, without a line.
    Denied(&'static str),
    /// The programs or whoever ended the socket as they came: some line names where it went.
    Ended,
    /// Nothing: it gets out, for the reason given. `SECURITY.md` says so, and the test that it is still true.
    Leaves(&'static str),
    /// There is nothing to be reached, for the reason given.
    Nowhere(&'static str),
    /// connect4/6: it ends at the listener, which has a flow of it.
    Redirected,
    /// This program, as this protocol.
    Refused(&'static str, &'static str),
    /// The program on the host's side of a container's wire.
    Wire,
}

/// Whether the same technique gets out where nothing is enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    /// Not even there, for the reason given: the row shows the refusal alone.
    Cannot(&'static str),
    /// It does, as far as the next machine on the wire: where that is the host, nobody in the world sees it.
    Neighbour,
    /// It does.
    Reaches,
}

/// When and by whom an attempt is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// By an agent.
    Agent,
    /// By an agent who prepares it before the cgroup is labelled.
    Early,
    /// By an agent to whom somebody outside connects, once told.
    Inbound,
    /// By somebody outside, who becomes an agent.
    Outsider,
    /// By an agent to whom somebody outside hands something.
    Handed,
}

/// One technique.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) technique: &'static str,
    pub(crate) way: Way,
    pub(crate) control: Control,
    /// In the host's network, as an ordinary user; `SECURITY.md` says that agents must not be root there.
    pub(crate) as_user: bool,
    /// This kernel has nothing to do it with; it must not arrive all the same.
    pub(crate) is_lacking: bool,
    host: Cover,
    own: Cover,
    run: Cover,
}

impl Row {
    fn new(technique: &'static str, everywhere: Cover) -> Self {
        Self {
            technique,
            way: Way::Agent,
            control: Control::Reaches,
            as_user: false,
            is_lacking: false,
            host: everywhere,
            own: everywhere,
            run: everywhere,
        }
    }

    fn own(mut self, cover: Cover) -> Self {
        self.own = cover;
        self
    }

    fn run(mut self, cover: Cover) -> Self {
        self.run = cover;
        self
    }

    fn by(mut self, way: Way) -> Self {
        self.way = way;
        self
    }

    fn without_control(mut self, why: &'static str) -> Self {
        self.control = Control::Cannot(why);
        self
    }

    fn until_the_neighbour(mut self) -> Self {
        self.control = Control::Neighbour;
        self
    }

    fn by_a_user(mut self) -> Self {
        self.as_user = true;
        self
    }

    /// The same, where the kernel has nothing to do it with.
    pub(crate) fn lacking(mut self) -> Self {
        self.is_lacking = true;
        self
    }

    /// What stops it in a setting.
    pub(crate) fn cover(&self, setting: Setting) -> Cover {
        match setting {
            Setting::Host => self.host,
            Setting::Own => self.own,
            Setting::Run => self.run,
        }
    }
}

/// Every row.
pub(crate) fn all() -> Vec<Row> {
    [
        streams(),
        datagrams(),
        lookups(),
        packets(),
        sockets_from_elsewhere(),
        processes(),
    ]
    .concat()
}

const LOOPBACK_ONLY: &str = "the namespace has nothing but loopback";
const NO_TCP_THERE: &str =
    "a socket bound to a device that is not there, or to an address that is not";
const CAPABILITY: &str = "takes a capability that containers do not have";
const CONFINED: &str =
    "takes a capability, or a family of sockets, that `enforcer run` does not leave";
const UNPRIVILEGED: &str = "an ordinary user may not";
const READ_ONLY: &str = "containers see cgroups that they cannot write to";

fn streams() -> Vec<Row> {
    let redirected = |technique| Row::new(technique, Redirected);
    vec![
        redirected("tcp4"),
        redirected("tcp6"),
        redirected("tcp_mapped"),
        redirected("mptcp"),
        redirected("smc"),
        redirected("fast_open_by_sendto"),
        redirected("fast_open_by_connect"),
        redirected("uring_connect").run(Denied(CONFINED)),
        redirected("bound_to_address").run(Denied(NO_TCP_THERE)),
        redirected("marked").run(Denied(CONFINED)),
        redirected("loopback_relay")
            .own(Nowhere("the loopback is the agent's own"))
            .run(Nowhere(LOOPBACK_ONLY)),
        Row::new("bound_to_device", Refused("egress", "tcp")).run(Denied(NO_TCP_THERE)),
        Row::new("transparent", Refused("sock_ops", "tcp")).run(Denied(CONFINED)),
        Row::new("source_routed", Refused("egress", "tcp")).run(Denied(CONFINED)),
        Row::new("own_listener", Refused("connect4", "tcp"))
            .without_control("nobody gets past the listener by naming it"),
        Row::new("in_its_place", Refused("bind", "tcp"))
            .without_control("the port is taken while the daemon lives"),
    ]
}

fn datagrams() -> Vec<Row> {
    let refused = |technique, hook| Row::new(technique, Refused(hook, "udp"));
    vec![
        refused("udp4", "sendmsg4"),
        refused("udp6", "sendmsg6"),
        refused("udp_mapped", "sendmsg4"),
        refused("udp_connected", "connect4"),
        refused("udp6_connected", "connect6"),
        refused("udp_broadcast", "sendmsg4"),
        refused("udp_more", "sendmsg4"),
        refused("udp_by_device", "sendmsg4").run(Denied(NO_TCP_THERE)),
        refused("udp_sendmmsg", "sendmsg4"),
        refused("udp_uring", "sendmsg4").run(Denied(CONFINED)),
        refused("quic", "sendmsg4"),
        Row::new("udp_lite", Refused("sock_create", "udplite")),
        Row::new("joined_group", Refused("setsockopt", "igmp"))
            .until_the_neighbour()
            .run(Denied(NO_TCP_THERE)),
    ]
}

fn lookups() -> Vec<Row> {
    let answered = |technique| Row::new(technique, Answered);
    let nobody_there = "nothing answers there";
    vec![
        answered("dns"),
        answered("dns_connected"),
        answered("dns6"),
        answered("dns_uring").run(Denied(CONFINED)),
        answered("dns_docker").without_control(nobody_there),
        answered("dns_systemd").without_control(nobody_there),
        answered("tcp_port_53"),
        Row::new("lookup_by_device", Refused("egress", "udp")).run(Denied(NO_TCP_THERE)),
    ]
}

fn packets() -> Vec<Row> {
    let refused = |technique, protocol| {
        Row::new(technique, Refused("sock_create", protocol)).run(Denied(CONFINED))
    };
    let below = |technique| {
        Row::new(technique, Denied(UNPRIVILEGED))
            .by_a_user()
            .own(Wire)
            .run(Denied(CONFINED))
    };
    vec![
        refused("raw_icmp", "icmp"),
        refused("raw_icmp6", "icmp6"),
        refused("raw_header", "raw"),
        refused("ping", "icmp"),
        refused("ping6", "icmp6"),
        refused("sctp", "sctp"),
        refused("dccp", "other"),
        refused("l2tp", "other"),
        below("packet_raw"),
        below("packet_dgram"),
        below("xdp"),
        below("tun").own(Denied(CAPABILITY)),
        below("tunnel").own(Denied(CAPABILITY)),
        Row::new(
            "vsock",
            Leaves("no hook sees it; a filter on socket(2) is needed"),
        )
        .run(Denied(CONFINED)),
    ]
}

fn sockets_from_elsewhere() -> Vec<Row> {
    let outside = Leaves("hooks follow the cgroup that a socket was made in");
    vec![
        Row::new("established_before", Ended)
            .by(Way::Early)
            .run(Nowhere("nothing runs there before it is enforced")),
        Row::new("connected_before", Ended)
            .by(Way::Early)
            .run(Nowhere("nothing runs there before it is enforced")),
        Row::new("listening_before", Ended)
            .by(Way::Early)
            .run(Nowhere("nothing runs there before it is enforced")),
        Row::new("answer_to_inbound", Refused("egress", "tcp"))
            .by(Way::Inbound)
            .run(Nowhere(LOOPBACK_ONLY)),
        Row::new("passed_from_outside", outside).by(Way::Handed),
        Row::new("inherited", outside)
            .by(Way::Outsider)
            .run(Nowhere("its cgroup is made for its command")),
        Row::new(
            "unix_relay",
            Leaves("no hook judges unix sockets: do not show agents those of the host"),
        )
        .run(Denied(CONFINED)),
        Row::new("control_socket", Denied("agents are no operators"))
            .without_control("an operator is answered"),
    ]
}

fn processes() -> Vec<Row> {
    let denied = |technique| {
        Row::new(technique, Denied(UNPRIVILEGED))
            .by_a_user()
            .own(Denied(CAPABILITY))
            .run(Denied(CONFINED))
    };
    vec![
        Row::new("new_namespace", Refused("connect4", "tcp"))
            .without_control("a new namespace has no way out")
            .own(Denied(CAPABILITY))
            .run(Denied(CONFINED)),
        Row::new("child_cgroup", Redirected)
            .own(Denied(READ_ONLY))
            .run(Denied(READ_ONLY)),
        Row::new("other_cgroup", Redirected).by_a_user(),
        denied("other_namespace"),
        denied("traced"),
        denied("stolen_socket"),
        denied("others_files"),
        denied("pins").without_control("it would take the programs away"),
        denied("sockmap"),
    ]
}
