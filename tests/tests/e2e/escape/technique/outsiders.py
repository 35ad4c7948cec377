"""Who stands outside: not attempts, but those whom attempts make use of."""

import os
import socket
import sys
import threading

from target import TEXT, until


def hands_over(target):
    """Connects to the world, and hands the socket to whoever listens at a path."""
    connected = socket.create_connection(target.at(), 5)
    yield None
    with socket.socket(socket.AF_UNIX) as meeting:
        until(lambda: meeting.connect(target.more["meeting"]))
        socket.send_fds(meeting, [b"x"], [connected.fileno()])
        meeting.recv(1)
    yield "handed over"


def holds(target):
    """Holds a connection to the world, on a descriptor that it names."""
    connected = socket.create_connection(target.at(), 5)
    yield f"{connected.fileno()}"
    yield None


def relays(target):
    """Does what it is told, by a unix socket and on the loopback."""

    local, near = socket.socket(socket.AF_UNIX), socket.create_server(("127.0.0.1", 0))
    local.bind(target.more["relay"])
    os.chmod(target.more["relay"], 0o666)
    local.listen()
    for listener in local, near:
        threading.Thread(target=relay, args=(listener,), daemon=True).start()
    yield f"{near.getsockname()[1]}"
    yield None


def relay(listener):
    while True:
        asking, _ = listener.accept()
        try:
            asking.settimeout(2)
            to = asking.recv(64).decode()
            with socket.create_connection((to, 4444), 2) as onward:
                onward.send(TEXT)
            asking.send(b"relayed")
        except (OSError, ValueError) as error:
            print(error, file=sys.stderr)
        finally:
            asking.close()
