"""Who uses the disk: writers, readers, workloads, latency models and fault models.

A model says what a computer wants and what its disk does to it, never whether the outcome is right. This part imports
``shadowshare.sim`` and what lies below it; it knows no scenario, and nothing that judges one.
"""
