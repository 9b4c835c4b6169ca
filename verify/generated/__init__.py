"""Generated races and schedules, for property tests; the only package that needs Hypothesis.

Install it with ``pip install 'shadowshare[hypothesis]'``. ``docs/hypothesis.md`` says how to use it.
"""
