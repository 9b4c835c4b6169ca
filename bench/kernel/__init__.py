"""What a compiled kernel for the state search would bring: an experiment, and no part of the project (ADR 8).

`core` is the kernel, in Python that several compilers understand: breadth-first search, and the counting of schedules,
over states of 63 bits and tables in arrays of integers. `packed` makes those of a `Product`, whose moves it learns
beforehand or when the kernel comes to them. `compilers` compiles the kernel with what is installed. ``python -m
bench.kernel`` measures; README.md beside this file says what it needs.
"""
