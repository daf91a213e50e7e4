"""Ports that no other test run on the machine takes at the same time.

The gateway binds with SO_REUSEPORT, so two of them on one port would share it without an error. Each process of the
tests therefore locks a block of ports, below those that the kernel hands out by itself.
"""

import fcntl
import itertools
import socket
import tempfile
from pathlib import Path

BLOCKS, BLOCK = 100, 200
_held = []  # the locked file stays open as long as the process lives
_ports = None


def free_port() -> int:
    global _ports
    if _ports is None:
        _ports = itertools.cycle(_lock_block())
    for _ in range(BLOCK):
        port = next(_ports)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("every port of the block is taken")


def _lock_block() -> range:
    for block in range(BLOCKS):
        file = open(Path(tempfile.gettempdir()) / f"sallyport-tests-ports-{block}.lock", "w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        _held.append(file)
        return range(11000 + block * BLOCK, 11000 + (block + 1) * BLOCK)
    raise RuntimeError("every block of ports is locked")
