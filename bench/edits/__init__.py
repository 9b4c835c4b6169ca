"""Small edits of the protocol's text that nobody chose, each put through the gate: what share of them turns it red.

Mutants of the catalogue are bugs that somebody thought of. These are made by rules from any line of ``protocol/``, and
drawn by a seed. What survives is a hole in the gate, or no bug at all: then `equivalent.toml` says why.
"""
