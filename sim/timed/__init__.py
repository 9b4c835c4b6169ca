"""The timed world: every operation takes the time that a latency model, a queue and a path give it, under SimPy.

Times are integer nanoseconds since the start. An operation is issued by a host, travels along the host's *path* to a
*device*, waits in its queue, is served by one of the device's parallel servers, and takes effect when its service ends;
the answer travels back. That is how the pieces fit together, and what others write for it:

``latency``   a *latency model* says how long a device serves an operation, queueing excluded. A model is an immutable
              description; ``model.start(random, sector_bytes, sector_count)`` begins to use it for one device and
              returns the function that is asked once an operation, in order of service::

                  service_time = Uniform(80_000, 120_000).start(random, 512, 1 << 20)
                  service_ns = service_time(operation, begins_ns)

              What changes with use (a head's position, a cache that fills, draws made in advance) lives in that
              function, so that models can be shared between devices and runs, compared, and put into files.

``workload``  a *workload* says what a host's users ask for and when, as a plain iterator of `HostRequest`: a gap, a
              verb, a place. It knows neither protocol nor disk. *Closed*: so many clients, each of which asks, waits
              for the answer, and asks again after the gap (think time). *Open*: requests arrive with that gap between
              arrivals whether or not earlier ones are done (Poisson arrivals, traces); so many are served at a time.

Everything random comes from the ``numpy.random.Generator`` that is handed over; draw in batches where speed matters.
Each consumer has a stream of its own, so that two runs with one thing changed see the same arrivals and places.

The engine:

``environment``  SimPy's, with moments that cost less than events, and ties that somebody may break
``device``       a queue and parallel servers in front of a disk; first come first served, or by urgency
``path``         between a host and its devices: delays, how much may be under way, stalls
``source``       hands the requests of a workload to the tasks of a host, and notes how long each took
``world``        drives hosts on devices; SimPy processes may run beside them
``traffic``      counts what hosts ask of the devices, by place on the store

This part knows no workload and no device by name: those are in ``shadowshare.models``.
"""
