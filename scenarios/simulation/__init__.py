"""Scenarios of time: what is simulated, as TOML files that a person can read; and those that come with the package.

``document``   what stands in a file, and the plan that it means
``catalogue``  the built-in files, beside these modules
"""
