"""Ways by sockets that connect."""

import errno
import os
import socket

import ring
from target import PATIENCE, TEXT, question, route

MPTCP, SMC = 262, 43
MSG_FASTOPEN, TCP_FASTOPEN_CONNECT = 0x20000000, 30
IP_TRANSPARENT, IP_FREEBIND, IP_OPTIONS = 19, 15, 4


def stream(family=socket.AF_INET, protocol=socket.IPPROTO_TCP):
    opened = socket.socket(family, socket.SOCK_STREAM, protocol)
    opened.settimeout(PATIENCE)
    return opened


def reach(opened, to):
    opened.connect(to)
    opened.send(TEXT)
    return "connected"


def tcp4(target):
    return reach(stream(), target.at())


def tcp6(target):
    return reach(stream(socket.AF_INET6), target.at6())


def tcp_mapped(target):
    return reach(stream(socket.AF_INET6), target.mapped())


def tcp_port_53(target):
    """A lookup over TCP, at a server of the agent's own choice."""
    opened = stream()
    opened.connect(target.at(53))
    asked = question(target.more["name"])
    opened.send(len(asked).to_bytes(2, "big") + asked)
    return f"answered with {opened.recv(512)[5] & 15}"


def mptcp(target):
    opened = stream(protocol=MPTCP)
    done = reach(opened, target.at())
    return done if opened.getpeername() == target.at() else f"peer {opened.getpeername()}"


def smc(target):
    return reach(stream(SMC, 0), target.at())


def fast_open_by_sendto(target):
    opened = stream()
    opened.setblocking(True)
    opened.sendto(TEXT, MSG_FASTOPEN, target.at())
    return "sent"


def fast_open_by_connect(target):
    opened = stream()
    opened.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
    return reach(opened, target.at())


def uring_connect(target):
    opened = stream()
    opened.setblocking(True)
    ring.connect(opened, target.at())
    opened.send(TEXT)
    return "connected"


def bound_to_device(target):
    opened = stream()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, route()[0].encode())
    return reach(opened, target.at())


def marked(target):
    opened = stream()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 77)
    return reach(opened, target.at())


def bound_to_address(target):
    opened = stream()
    opened.bind((target.more["own"], 0))
    return reach(opened, target.at())


def transparent(target):
    """From an address that is not this machine's."""
    opened = stream()
    opened.setsockopt(socket.IPPROTO_IP, IP_TRANSPARENT, 1)
    opened.bind(("203.0.113.250", 0))
    return reach(opened, target.at())


def source_routed(target):
    """By way of the far end, which is what the header then names as the destination."""
    opened = stream()
    options = bytes([131, 7, 4]) + socket.inet_aton(target.four) + b"\x00"
    opened.setsockopt(socket.IPPROTO_IP, IP_OPTIONS, options)
    return reach(opened, target.at())


def established_before(target):
    opened = stream()
    opened.connect(target.at())
    while True:
        yield None
        yield repeated(lambda: opened.send(TEXT))


def listening_before(target):
    listener = stream()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", int(target.more["inbound"])))
    listener.listen()
    while True:
        yield None
        yield repeated(lambda: answer(listener))


def answer_to_inbound(target):
    """Waits to be connected to, and carries out what it has in its answer."""
    yield from listening_before(target)


def answer(listener):
    inbound, _ = listener.accept()
    inbound.send(TEXT)
    return "answered"


def passed_from_outside(target):
    """A connected socket that somebody outside hands in."""
    path = target.more["meeting"]
    with socket.socket(socket.AF_UNIX) as meeting:
        meeting.bind(path)
        os.chmod(path, 0o666)
        meeting.listen()
        meeting.settimeout(5)
        peer, _ = meeting.accept()
        _, given, _, _ = socket.recv_fds(peer, 1, 1)
        socket.socket(fileno=given[0]).send(TEXT)
    return "sent"


def inherited(target):
    """A socket made before its process entered the cgroup."""
    opened = stream()
    opened.connect(target.at())
    with open(target.more["cgroup"] + "/cgroup.procs", "w", encoding="ascii") as procs:
        procs.write("0")
    while True:
        yield None
        yield repeated(lambda: opened.send(TEXT))


def unix_relay(target):
    """A program of the host that carries on whatever it is told by a unix socket."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(PATIENCE)
        asking.connect(target.more["relay"])
        asking.send(target.four.encode())
        return asking.recv(64).decode()


def loopback_relay(target):
    """The same by a port of the host's loopback."""
    opened = stream()
    opened.connect(("127.0.0.1", int(target.more["relay_port"])))
    opened.send(target.four.encode())
    return opened.recv(64).decode() or "closed"


def own_listener(target):
    """The enforcer's listener, named directly."""
    opened = stream()
    opened.connect(("127.0.0.1", target.listener()))
    opened.send(b"GET / HTTP/1.1\r\nHost: allowed.example\r\n\r\n")
    said = opened.recv(64)
    return "escaped: it answers" if said else "closed"


def control_socket(target):
    """The enforcer's own control socket."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(PATIENCE)
        asking.connect(target.more["control"])
        asking.send(b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return "escaped: it answers" if asking.recv(64).split()[1:2] == [b"200"] else "refused"


def repeated(deed):
    try:
        deed()
        return "sent"
    except OSError as error:
        return errno.errorcode.get(error.errno, "ETIMEDOUT")


def in_its_place(target):
    """The enforcer's own port, to be given what others send to it."""
    for place in "127.0.0.1", "127.0.0.2":
        listener = stream()
        try:
            listener.bind((place, target.listener()))
            return "escaped: it stands in for the enforcer"
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    return "EADDRINUSE"
