"""The real world: the protocol driven against files and devices, and stores on them for programs and commands."""
