"""The stepped world: one operation takes effect at a time, and a schedule chooses whose."""
