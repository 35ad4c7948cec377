"""Ways by datagrams, lookups among them."""

import ctypes
import errno
import socket
import struct
import time

import ring
from target import PATIENCE, TEXT, question

UDP_LITE = 136
IP_PKTINFO, MSG_MORE = 8, 0x8000
# What QUIC sends first: a long header, version 1, padded to the least that a server accepts.
INITIAL = bytes([0xC0, 0, 0, 0, 1, 8]) + bytes(1194)
# An agent that waits longer has been made to wait: its program would not fall back to TCP at once.
AT_ONCE = 0.25


def datagram(family=socket.AF_INET, protocol=socket.IPPROTO_UDP):
    opened = socket.socket(family, socket.SOCK_DGRAM, protocol)
    opened.settimeout(PATIENCE)
    return opened


def sent(opened, to, text=TEXT):
    opened.sendto(text, to)
    return "sent"


def udp4(target):
    return sent(datagram(), target.at())


def udp6(target):
    return sent(datagram(socket.AF_INET6), target.at6())


def udp_mapped(target):
    return sent(datagram(socket.AF_INET6), target.mapped())


def udp_connected(target):
    opened = datagram()
    opened.connect(target.at())
    opened.send(TEXT)
    return "sent"


def udp6_connected(target):
    opened = datagram(socket.AF_INET6)
    opened.connect(target.at6())
    opened.send(TEXT)
    return "sent"


def udp_lite(target):
    return sent(datagram(protocol=UDP_LITE), target.at())


def udp_broadcast(target):
    opened = datagram()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    return sent(opened, target.at())


def udp_more(target):
    """In two pieces, of which only the first names a destination."""
    opened = datagram()
    opened.sendto(TEXT, MSG_MORE, target.at())
    opened.connect(target.at())
    opened.send(TEXT)
    return "sent"


def udp_by_device(target):
    """With the way out named beside each datagram."""
    opened = datagram()
    device = target.device()
    beside = [(socket.IPPROTO_IP, IP_PKTINFO, struct.pack("=iii", device, 0, 0))]
    opened.sendmsg([TEXT], beside, 0, target.at())
    return "sent"


def lookup_by_device(target):
    """A lookup, which may leave, with the way out named beside it."""
    opened = datagram()
    device = target.device()
    beside = [(socket.IPPROTO_IP, IP_PKTINFO, struct.pack("=iii", device, 0, 0))]
    opened.sendmsg([question(target.more["name"])], beside, 0, target.at(53))
    return f"answered with {opened.recv(512)[3] & 15}"


def udp_sendmmsg(target):
    opened = datagram()
    where = ctypes.create_string_buffer(ring.address(target.at()), 16)
    data = ctypes.create_string_buffer(TEXT, len(TEXT))
    vector = ctypes.create_string_buffer(struct.pack("=QQ", ctypes.addressof(data), len(TEXT)), 16)
    header = struct.pack("=QIxxxxQQQQiI", ctypes.addressof(where), 16, ctypes.addressof(vector), 1, 0, 0, 0, 0)
    messages = ctypes.create_string_buffer(header + bytes(4), 64)
    ring.check(ring.libc.sendmmsg(opened.fileno(), messages, 1, 0))
    return "sent"


def udp_uring(target):
    opened = datagram()
    opened.setblocking(True)
    ring.sendmsg(opened, target.at(), TEXT)
    return "sent"


def quic(target):
    """Must be refused at once, or clients wait before they try TCP."""
    started = time.monotonic()
    try:
        return sent(datagram(), target.at(443), INITIAL)
    except PermissionError:
        if time.monotonic() - started > AT_ONCE:
            return "escaped: it had to wait"
        raise


def connected_before(target):
    opened = datagram()
    opened.connect(target.at())
    while True:
        yield None
        try:
            opened.send(TEXT)
            yield "sent"
        except OSError as error:
            yield errno.errorcode.get(error.errno, str(error))


def joined_group(target):
    """Makes the kernel itself tell the network which group somebody here wants to hear."""
    group = b"\xef\xff" + socket.inet_aton(target.four)[2:]
    device = struct.pack("=i", target.device())
    opened = datagram()
    opened.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + bytes(4) + device)
    return "joined"


def ask(target, server):
    opened = datagram()
    opened.sendto(question(target.more["name"]), (server, 53))
    answer, source = opened.recvfrom(512)
    if source != (server, 53):
        return f"answered by {source}"
    return f"answered with {answer[3] & 15}"


def dns(target):
    return ask(target, target.four)


def dns_connected(target):
    opened = datagram()
    opened.connect(target.at(53))
    opened.send(question(target.more["name"]))
    return f"answered with {opened.recv(512)[3] & 15}"


def dns6(target):
    opened = datagram(socket.AF_INET6)
    opened.sendto(question(target.more["name"]), target.at6(53))
    return f"answered with {opened.recv(512)[3] & 15}"


def dns_docker(target):
    return ask(target, "127.0.0.11")


def dns_systemd(target):
    return ask(target, "127.0.0.53")


def dns_uring(target):
    opened = datagram()
    opened.setblocking(True)
    ring.sendmsg(opened, target.at(53), question(target.more["name"]))
    opened.settimeout(PATIENCE)
    return f"answered with {opened.recv(512)[3] & 15}"
