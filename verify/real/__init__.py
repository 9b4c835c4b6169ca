"""Scenarios on real disks and real processes, whose verdict rests on what one run met."""
