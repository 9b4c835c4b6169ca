"""What simulated measurements say: intervals, warm-up, long runs in batches, replications, and distributions.

``interval``      a mean, or a share that may be rare, with its confidence interval
``warm_up``       where a run that began empty has forgotten that it did
``batch_means``   an interval out of one long run
``replications``  independent runs until the intervals are as narrow as was asked
``histogram``     quantiles of any number of values in fixed memory

Nothing here knows what was measured. Times are nanoseconds, in integers; everything else is a float.
"""
