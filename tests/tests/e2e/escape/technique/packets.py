"""Ways by sockets below and beside TCP and UDP."""

import ctypes
import fcntl
import mmap
import os
import socket
import struct
import subprocess

from target import PATIENCE, TEXT, checksum, route

SCTP, L2TP, DCCP_KIND, DCCP = 132, 115, 6, 33
ETH_P_IP = 0x0800
PING, PING6 = 8, 128
AF_XDP, SOL_XDP = 44, 283
XDP_TX_RING, XDP_UMEM_REG, XDP_FILL_RING, XDP_DONE_RING, XDP_MMAP_OFFSETS = 3, 4, 5, 6, 1
XDP_COPY = 2
TX_RING = 0x80000000
TUNSETIFF = 0x400454CA
TUN_WITHOUT_INFO = 0x1001


def echo(kind):
    head = struct.pack("!BBHHH", kind, 0, 0, 0, 0) + TEXT
    return head[:2] + struct.pack("!H", checksum(head)) + head[4:]


def raw_icmp(target):
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).sendto(echo(PING), target.at(0))
    return "sent"


def raw_icmp6(target):
    socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6).sendto(echo(PING6), target.at6(0))
    return "sent"


def ping(target):
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP).sendto(echo(PING), target.at(0))
    return "sent"


def ping6(target):
    socket.socket(socket.AF_INET6, socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6).sendto(echo(PING6), target.at6(0))
    return "sent"


def raw_header(target):
    """With a header of the agent's own making."""
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).sendto(target.packet(), target.at(0))
    return "sent"


def sctp(target):
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
    opened.settimeout(PATIENCE)
    opened.connect(target.at())
    return "connected"


def dccp(target):
    opened = socket.socket(socket.AF_INET, DCCP_KIND, DCCP)
    opened.setblocking(False)
    opened.connect(target.at())
    return "connected"


def l2tp(target):
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM, L2TP).sendto(TEXT, target.at(0))
    return "sent"


def packet_raw(target):
    device, gateway = route()
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    opened.bind((device, 0))
    opened.send(gateway + opened.getsockname()[4] + struct.pack("!H", ETH_P_IP) + target.packet())
    return "sent"


def packet_dgram(target):
    device, gateway = route()
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
    opened.sendto(target.packet(), (device, ETH_P_IP, 0, 0, gateway))
    return "sent"


def xdp(target):
    """A frame put straight into the device's queue."""
    device, gateway = route()
    frame = gateway + b"\x02\x00\x00\x00\x00\x07" + struct.pack("!H", ETH_P_IP) + target.packet()
    opened = socket.socket(AF_XDP, socket.SOCK_RAW, 0)
    room = mmap.mmap(-1, 8192)
    room[: len(frame)] = frame
    where = ctypes.addressof(ctypes.c_char.from_buffer(room))
    opened.setsockopt(SOL_XDP, XDP_UMEM_REG, struct.pack("=QQIIII", where, 8192, 4096, 0, 0, 0))
    for which in XDP_FILL_RING, XDP_DONE_RING, XDP_TX_RING:
        opened.setsockopt(SOL_XDP, which, 4)
    offsets = struct.unpack("=16Q", opened.getsockopt(SOL_XDP, XDP_MMAP_OFFSETS, 128))
    producer, _, descriptors, _ = offsets[4:8]
    queue = mmap.mmap(opened.fileno(), descriptors + 4 * 16, offset=TX_RING)
    queue[descriptors : descriptors + 16] = struct.pack("=QII", 0, len(frame), 0)
    queue[producer : producer + 4] = struct.pack("=I", 1)
    bound = struct.pack("=HHIII", AF_XDP, XDP_COPY, socket.if_nametoindex(device), 0, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.bind(opened.fileno(), bound, len(bound)) != 0:
        raise OSError(ctypes.get_errno(), "bind")
    if libc.sendto(opened.fileno(), None, 0, socket.MSG_DONTWAIT, None, 0) < 0:
        raise OSError(ctypes.get_errno(), "sendto")
    return "sent"


def vsock(_target):
    """Only to this machine's own end: no test talks to the hypervisor."""
    opened = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
    opened.settimeout(0.2)
    try:
        opened.connect((1, 4444))
    except OSError:
        # Whoever has the socket has a way to wherever there is a transport.
        pass
    return "escaped: the socket is given out"


def tun(target):
    """A device whose packets the kernel takes as if they came from a network, and forwards."""
    index = target.index
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("=16sH14x", f"t{index}".encode(), TUN_WITHOUT_INFO))
    ip("addr", "add", f"10.99.{index}.1/24", "dev", f"t{index}")
    ip("link", "set", f"t{index}", "up")
    os.write(device, target.packet(f"10.99.{index}.2"))
    return "sent"


def tunnel(target):
    """A link whose far end is outside: the kernel itself carries what is sent on it."""
    name = f"x{target.index}"
    ip("link", "add", name, "type", "vxlan", "id", str(target.index), "remote", target.four, "dstport", "4789")
    try:
        ip("addr", "add", f"10.98.{target.index}.1/24", "dev", name)
        ip("link", "set", name, "up")
        ip("neigh", "add", f"10.98.{target.index}.2", "lladdr", "02:00:00:00:00:09", "dev", name)
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
        opened.sendto(target.packet(f"10.98.{target.index}.1"), (name, ETH_P_IP, 0, 0, b"\xff" * 6))
    finally:
        ip("link", "del", name)
    return "sent"


def ip(*words):
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(1 if "not permitted" in done.stderr else 5, done.stderr.strip())
