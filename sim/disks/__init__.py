"""Disks: what all of them offer, the memory disk with its faults, the file disk, and the suite that each must pass."""
