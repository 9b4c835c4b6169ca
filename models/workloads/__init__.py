"""Workloads: what users of a computer ask for, and when; drawn from distributions, or recorded.

``gaps``       pauses and arrivals: constant, Poisson, bursty
``places``     where requests go: uniform, Zipf, sequential, hot spot
``synthetic``  a mix of verbs, sizes and places, in a closed or an open loop
``readers``    full and incremental backups of shadow copies
``trace``      requests that were recorded, in any of the formats below
``fio_iolog``, ``blkparse``, ``msr_cambridge``  the formats
``replay``     a recorded trace as a workload

See `shadowshare.sim.timed.workload` for how one is used.
"""
