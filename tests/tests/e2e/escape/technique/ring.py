"""io_uring(7), as little of it as one operation takes."""

import ctypes
import errno
import mmap
import os
import socket
import struct

SETUP, ENTER = 425, 426
SENDMSG, CONNECT = 9, 16
GETEVENTS = 1
SQES = 0x10000000

libc = ctypes.CDLL(None, use_errno=True)


def address(to):
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H", to[1]) + socket.inet_aton(to[0]) + bytes(8)


def connect(opened, to):
    where = ctypes.create_string_buffer(address(to), 16)
    submit(CONNECT, opened.fileno(), 16, ctypes.addressof(where), 0)


def sendmsg(opened, to, text):
    where, data = ctypes.create_string_buffer(address(to), 16), ctypes.create_string_buffer(text, len(text))
    vector = ctypes.create_string_buffer(struct.pack("=QQ", ctypes.addressof(data), len(text)), 16)
    header = struct.pack("=QIxxxxQQQQi", ctypes.addressof(where), 16, ctypes.addressof(vector), 1, 0, 0, 0)
    message = ctypes.create_string_buffer(header, 56)
    submit(SENDMSG, opened.fileno(), 0, ctypes.addressof(message), 1)


def submit(operation, descriptor, offset, pointer, length):
    """Does one operation and waits for it; what it failed with is raised."""
    params = ctypes.create_string_buffer(120)
    fd = check(libc.syscall(SETUP, 4, params))
    words = struct.unpack("=30I", params.raw)
    sq, cq = words[10:20], words[20:30]
    size = max(sq[6] + words[0] * 4, cq[5] + words[1] * 16)
    both = mmap.mmap(fd, size)
    entries = mmap.mmap(fd, words[0] * 64, offset=SQES)
    entries[:64] = struct.pack("=BBHiQQII", operation, 0, 0, descriptor, offset, pointer, length, 0) + bytes(32)
    both[sq[6] : sq[6] + 4] = struct.pack("=I", 0)
    both[sq[1] : sq[1] + 4] = struct.pack("=I", 1)
    check(libc.syscall(ENTER, fd, 1, 1, GETEVENTS, None, 0))
    _, result, _ = struct.unpack("=QiI", both[cq[5] : cq[5] + 16])
    os.close(fd)
    if result < 0:
        raise OSError(-result, os.strerror(-result))


def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno() or errno.EIO, "io_uring")
    return result
