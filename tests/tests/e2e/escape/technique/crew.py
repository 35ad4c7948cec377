"""Runs the attempts of one setting from within it, several at a time.

Reads orders line by line in JSON: `[TAG, WORD, ...]` starts a command, `[TAG]` tells the command of that tag to go on. What
the commands say comes out line by line, with their tag.
"""

import json
import subprocess
import sys
import threading

LOCK = threading.Lock()


def say(tag, words):
    with LOCK:
        print(json.dumps({"tag": tag, **words}), flush=True)


def listen(tag, command):
    for line in command.stdout:
        say(tag, json.loads(line))
    complaint = command.stderr.read().strip()
    say(tag, {"ended": command.wait(), "complaint": complaint[-600:]})


def main():
    commands = {}
    for line in sys.stdin:
        tag, *words = json.loads(line)
        if words:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            commands[tag] = subprocess.Popen(words, text=True, **pipes)
            threading.Thread(target=listen, args=(tag, commands[tag]), daemon=True).start()
        else:
            commands[tag].stdin.write("\n")
            commands[tag].stdin.flush()


main()
