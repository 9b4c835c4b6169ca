"""The worlds that drive the protocol, and the disks that they drive it against.

``disks``     memory disk and file disk, and one conformance suite for both
``stepped``   a schedule decides which operation takes effect next
``timed``     latencies and queues decide, under SimPy: what sharing costs
``real``      files and devices, threads and processes
``host``      one computer with its tasks, as every world drives it; ``inline`` drives a single coroutine
``schedule``  schedules as short strings

This part imports ``shadowshare.protocol`` and no other; who uses the disk, and for what, is not its business.
"""
