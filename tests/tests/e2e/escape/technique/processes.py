"""Ways by being somebody or somewhere else."""

import ctypes
import os
import socket
import struct

from streams import tcp4

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
PTRACE_ATTACH, PTRACE_DETACH = 16, 17
PIDFD_GETFD, BPF = 438, 321
BPF_MAP_CREATE, SOCKMAP = 0, 15

libc = ctypes.CDLL(None, use_errno=True)


def call(result):
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def new_namespace(target):
    """A network namespace that nobody serves (yet)."""
    call(libc.unshare(CLONE_NEWUSER | CLONE_NEWNET))
    return tcp4(target)


def child_cgroup(target):
    child = os.path.join(target.more["cgroup"], f"child-{os.getpid()}")
    os.mkdir(child)
    enter(child)
    return tcp4(target)


def other_cgroup(target):
    """Out of its cgroup, into one that nobody labelled."""
    try:
        enter(target.more["outside"])
    except OSError:
        pass
    return tcp4(target)


def enter(cgroup):
    with open(os.path.join(cgroup, "cgroup.procs"), "w", encoding="ascii") as procs:
        procs.write("0")


def other_namespace(target):
    """Into the network namespace of a process outside."""
    theirs = os.open(f"/proc/{target.more['pid']}/ns/net", os.O_RDONLY)
    call(libc.setns(theirs, CLONE_NEWNET))
    tcp4(target)
    return "escaped: it is elsewhere"


def traced(target):
    """Into a process outside, to have it act."""
    pid = int(target.more["pid"])
    call(libc.ptrace(PTRACE_ATTACH, pid, 0, 0))
    os.waitpid(pid, 0x40000000)
    libc.ptrace(PTRACE_DETACH, pid, 0, 0)
    return "escaped: it is another"


def stolen_socket(target):
    """The connected socket of a process outside."""
    handle = os.pidfd_open(int(target.more["pid"]))
    taken = call(libc.syscall(PIDFD_GETFD, handle, int(target.more["fd"]), 0))
    socket.socket(fileno=taken).send(b"escape")
    return "escaped: it holds another's connection"


def others_files(target):
    """The files of a process outside, as that process sees them."""
    os.listdir(f"/proc/{target.more['pid']}/root/")
    return "escaped: it reads another's files"


def pins(target):
    """The place where the programs are pinned: whoever writes there can take them away."""
    mark = os.path.join(target.more["pins"], f"escape-{os.getpid()}")
    os.mkdir(mark)
    os.rmdir(mark)
    return "escaped: it can unpin"


def sockmap(target):
    """A map by which programs hand what arrives on one socket to another."""
    attributes = struct.pack("=IIIII", SOCKMAP, 4, 4, 1, 0) + bytes(100)
    os.close(call(libc.syscall(BPF, BPF_MAP_CREATE, attributes, len(attributes))))
    return "escaped: it may use bpf(2)"
