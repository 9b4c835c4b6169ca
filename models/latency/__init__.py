"""Latency models: how long a device serves an operation, each with the source of its figures.

``distributions``  constant, uniform, exponential, lognormal mixture, and quantiles of a measurement
``sampled``        a distribution for each verb and request size: what a calibration measures
``disk_drive``     a drive with arm, rotation and read-ahead
``flash``          channels and dies of NAND flash
``network``        another model behind a network: a storage area network
``episodes``       stalls, slowness and ramps on top of any model
``fitting``        a lognormal mixture out of measured latencies, with as many components as they justify
``goodness``       how far a distribution is from measured latencies
``fio_latency_log``  latencies that fio logged
``calibration``    measures a device, and makes a model of what it measured
``model_file``     models as TOML files
``built_in``       models with a name

All are immutable descriptions; see `shadowshare.sim.timed.latency` for how one is used.
"""
