"""A schedule as a story that can be looked at: what everybody had and knew after each step, and why it went wrong."""
