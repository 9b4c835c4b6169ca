"""Shadow copies on a shared disk that other computers read without a lock, and the lab that checks every read.

The parts, from the bottom up; each may import those above it in this list, never those below:

``protocol``   the real thing: what is on the disk, and what the active and the passive computers do
``sim``        the worlds that drive it: stepped, timed, and real
``models``     who uses it: writers, readers, workloads, latencies, faults
``scenarios``  races, each with a name, a story, and an expected verdict
``verify``     what is checked, and the strategies that look for a way to break it
``reports``    what people look at; knows results only
``cli``        the commands
"""

from importlib.metadata import version

__version__ = version("shadowshare")
