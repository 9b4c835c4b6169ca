"""Races, each with a name, a story, and an expected verdict.

A scenario puts models together and says what must come out of it; it does not say how that is checked. This part
imports ``shadowshare.models`` and what lies below it, never ``shadowshare.verify`` or ``shadowshare.reports``.
"""
