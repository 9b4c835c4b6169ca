"""Scenarios of time: what is simulated, as TOML files that a person can read; and those that come with the package.

``document``   a file: its parameters, and the plan that it means
``hosts``      the tables of the hosts: their workloads and paths
``tables``     the other tables
``catalogue``  the built-in files, beside these modules
"""
