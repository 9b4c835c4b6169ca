"""Protocol bugs on purpose: a gate that does not find them proves nothing.

Each mutant is a small override of the real code; ``catalogue`` lists them, each with a scenario that kills it.
"""
