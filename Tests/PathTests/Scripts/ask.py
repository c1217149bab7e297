"""Says the lines of standard input to an engine's socket, a connection each, and prints the answers as they come."""

import socket
import sys

for line in sys.stdin.buffer.read().split(b"\n"):
    if not line:
        continue
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(120)
        peer.connect(sys.argv[1])
        peer.sendall(line + b"\n")
        while piece := peer.recv(1 << 16):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
