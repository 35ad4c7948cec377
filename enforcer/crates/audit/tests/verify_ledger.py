#!/usr/bin/env python3
"""Checks a ledger without any code of ours: verify_ledger.py OLDEST_FILE ... ACTIVE_FILE

A line's hash is SHA-256 over the previous line's hash (32 bytes) and the line's bytes before `,"hash":`.
The first line of a file states the hash that it follows. Lines are numbered without a gap. Prints the head.
"""
import hashlib
import json
import sys

previous, number = None, None
for path in sys.argv[1:]:
    for row, line in enumerate(open(path, "rb"), 1):
        where = f"{path}:{row}"
        body, field, end = line.rpartition(b',"hash":')
        fields = json.loads(line)
        if row == 1:
            follows = bytes.fromhex(fields["previous_hash"])
            assert previous in (None, follows), f"{where}: does not follow the file before it"
            previous = follows
        assert number in (None, fields["seq"] - 1), f"{where}: numbers have a gap"
        computed = hashlib.sha256(previous + body)
        assert field + end == b',"hash":"%s"}\n' % computed.hexdigest().encode(), f"{where}: hash does not agree"
        previous, number = computed.digest(), fields["seq"]
print(f"{number}:{previous.hex()}")
