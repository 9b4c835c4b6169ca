"""One small model in other tools, so that our own exploration is compared with them on one machine in one run.

The model ("toy") is a writer that copies N extents before it overwrites them, and R readers that read them without a
lock: `bench.explore_peers.toy` says it in full. Each peer has a module of its own here, and runs in a subprocess, in
the interpreter that ``SHADOWSHARE_PEERS_PYTHON`` names (default: this one), because peers are no dependencies of this
project. What is not installed is reported, with the command that installs it.

``python -m bench.explore`` prints a table; README.md beside this file says what each peer is.
"""

from __future__ import annotations

from bench.explore_peers.peer import Peer
from bench.explore_peers.row import Row

__all__ = ["Peer", "Row", "peers"]


def peers() -> list[Peer]:
    """Every peer, installed or not, in the order in which tables show them."""
    return [
        Peer("spin", "apt-get install spin gcc"),
        Peer("minicheck", "pip install minicheck==0.4.0"),
        Peer("frontrun", "pip install frontrun==0.7.0"),
        Peer("detangle", "pip install detangle==0.1.0"),
        Peer("simloom", "pip install simloom==0.5.0, on Python 3.12 or later"),
        Peer("hypothesis", "pip install hypothesis"),
    ]
