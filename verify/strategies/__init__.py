"""Strategies: which interleavings of a world are run. Each is one short file; your own may be another."""
