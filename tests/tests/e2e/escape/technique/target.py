"""Where an attempt is to arrive, and what the wire there is called."""

import errno
import socket
import struct
import time

PORT = 4444
PATIENCE = 1.0
TEXT = b"escape"


class Target:
    def __init__(self, four, six, more):
        self.four, self.six, self.more = four, six, more

    def at(self, port=PORT):
        return (self.four, port)

    def at6(self, port=PORT):
        return (self.six, port)

    def mapped(self, port=PORT):
        return ("::ffff:" + self.four, port)

    def device(self):
        """The number of the wire's device."""
        try:
            return socket.if_nametoindex(self.more["device"])
        except OSError:
            raise OSError(errno.ENODEV, "there is no wire") from None

    def listener(self):
        """The port of the enforcer's listener here: as it was told, or found as any agent can."""
        if "listener" in self.more:
            return int(self.more["listener"])
        with open("/proc/net/tcp", encoding="ascii") as table:
            for line in list(table)[1:]:
                local, state = line.split()[1], line.split()[3]
                port = int(local.split(":")[1], 16)
                if state == "0A" and 600 <= port < 1024:
                    return port
        raise OSError(errno.ENOENT, "nobody listens")

    def packet(self, source=None):
        """A whole datagram, from this machine if nothing else is said."""
        return ip_packet(source or self.more["own"], self.four)

    @property
    def index(self):
        return int(self.four.rsplit(".", 1)[1])


def route():
    """The device of the default route, and the gateway's address on the link."""
    with open("/proc/net/route", encoding="ascii") as table:
        for line in table:
            fields = line.split()
            if fields[1] == "00000000":
                device, gateway = fields[0], socket.inet_ntoa(struct.pack("<I", int(fields[2], 16)))
                return device, link_address(gateway)
    raise OSError(101, "there is no way out of here")


def link_address(gateway):
    with open("/proc/net/arp", encoding="ascii") as table:
        for line in table:
            fields = line.split()
            if fields[0] == gateway and fields[3] != "00:00:00:00:00:00":
                return bytes.fromhex(fields[3].replace(":", ""))
    return b"\xff" * 6


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip_packet(source, to):
    """A whole IPv4 datagram to port 4444."""
    payload = struct.pack("!HHHH", 40000, PORT, 8 + len(TEXT), 0) + TEXT
    ends = socket.inet_aton(source) + socket.inet_aton(to)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, 17, 0) + ends
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def question(name):
    """A query for the IPv4 address of a name."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return b"\x13\x37\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + b"\x00\x00\x01\x00\x01"


def until(deed, patience=3.0):
    """Repeats what fails while something else is not there yet."""
    end = time.monotonic() + patience
    while True:
        try:
            return deed()
        except (ConnectionRefusedError, FileNotFoundError):
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
