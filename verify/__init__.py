"""What is checked, and the strategies that look for a way to break it.

The oracle, the properties, the explorers, the mutants and the gate are here. This part imports
``shadowshare.scenarios`` and what lies below it. It returns results as values and prints nothing: that is for
``shadowshare.reports``, which it must not import.
"""
