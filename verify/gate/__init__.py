"""The gate: everything that is checked before a change goes in, within a budget of time, and one verdict."""
