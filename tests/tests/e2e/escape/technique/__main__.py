"""One attempt to get past the enforcer, made from wherever this process was put.

Called with the technique's name, the address it is to reach in either family, and what it needs to know besides as
KEY=VALUE. Says line by line in JSON who it is, that it waits (for a word on its standard input) where it must be told when,
and how it went: `escaped ...` when it can tell by itself that it got past, the name of the error when it was refused, any
other word when only the far end can tell.
"""

import errno
import inspect
import json
import os
import sys

import datagrams
import outsiders
import packets
import processes
import streams
from target import Target


def say(**words):
    print(json.dumps(words), flush=True)


def attempt(way, target):
    """The outcomes of one technique; a generator waits to be told whenever it yields nothing."""
    if not inspect.isgeneratorfunction(way):
        yield way(target)
        return
    for outcome in way(target):
        if outcome is not None:
            yield outcome
            continue
        say(ready=True)
        if not sys.stdin.readline():
            return


def main():
    name, four, six, *more = sys.argv[1:]
    target = Target(four, six, dict(word.split("=", 1) for word in more))
    say(pid=os.getpid())
    for module in streams, datagrams, packets, processes, outsiders:
        if hasattr(module, name):
            way = getattr(module, name)
            break
    else:
        sys.exit(f"no technique is called {name}")
    try:
        for outcome in attempt(way, target):
            say(outcome=outcome)
    except OSError as error:
        known = errno.errorcode.get(error.errno)
        say(outcome=known or ("ETIMEDOUT" if isinstance(error, TimeoutError) else str(error)))


main()
