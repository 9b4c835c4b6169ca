"""A whole simulation: one active and passives, with workloads, on devices and paths; what it measures.

``plan``      what is simulated, as immutable values
``run``       builds a plan's timed world, and lets it run
``measured``  what one run measured
``comparison``  a replication, and the run without shadow copies that it is compared with
``long_run``  one long run in place of several replications
"""
