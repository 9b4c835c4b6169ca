"""What is checked, and the strategies that look for a way to break it.

What one calls is at the top: `explorer` and `runner` for scenarios, `tasks` for anything else. The rooms are the search
itself (`exploration`, `strategies`), what is judged (`rules`), what is shown (`counterexamples`, `story`), tasks on
cells (`cells`), and what is made of it: `mutants`, `matrix`, `generated` races, the `gate`, and a race of real
processes (`real`).

This part imports ``shadowshare.scenarios`` and what lies below it. It returns results as values and prints nothing:
that is for ``shadowshare.reports``, which it must not import.
"""
