"""The worlds that drive the protocol: stepped (a schedule decides), timed (latencies decide), and real (a device).

Disks, schedules and traces are here too. This part imports ``shadowshare.protocol`` and no other; who uses the
disk, and for what, is not its business.
"""
