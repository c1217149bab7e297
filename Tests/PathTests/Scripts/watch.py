"""Watches every process of one program: what others can read of it in /proc while it runs (proc(5)).

Arguments: the program, a file. Writes each new command line, environment and limit on core files as a line. Ends with a
signal.
"""

import os
import sys
import time

program, out = os.path.realpath(sys.argv[1]), open(sys.argv[2], "w")
seen = set()


def look(pid):
    folder = f"/proc/{pid}/"
    if os.readlink(folder + "exe") != program:
        return
    found = []
    for name in ("cmdline", "environ"):
        with open(folder + name, "rb") as file:
            found.append(name + " " + repr(file.read().replace(b"\0", b" "))[2:-1])
    with open(folder + "limits") as file:
        found += [f"limits {pid} {line.strip()}" for line in file if line.startswith("Max core")]
    # A program lowers its limits itself, after its start: the last line of each process counts.
    for line in found:
        if line not in seen:
            seen.add(line)
            print(line, file=out, flush=True)


while True:
    for pid in os.listdir("/proc"):
        if pid.isdigit():
            try:
                look(pid)
            except OSError:
                continue
    time.sleep(0.004)
