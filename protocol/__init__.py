"""The protocol itself: what lies on the disk, and what the active and the passive computers do with it.

This is the code that would run in production, and the code that the lab checks. It performs nothing: it awaits disk
operations as values, and a world (``shadowshare.sim``) carries them out. It imports no other part, and nothing that
has a clock, chance, threads, an event loop, files, or an operating system.
"""
