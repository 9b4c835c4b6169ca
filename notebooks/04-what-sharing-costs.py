# %% [markdown]
# # 4. What does sharing cost?
#
# The notebooks before were about whether it is right. This one is about time: what do shadow copies cost the active,
# what do its readers cost it, and how often does the re-check really save a read?
#
# The same protocol code runs in simulated time, where devices, queues and paths take time. How a disk behaves is an
# input: a latency model. Nothing here was measured on this computer, and the same seed gives the same figures
# everywhere.

# %%
import matplotlib.pyplot as plt

from shadowshare.models.simulation.comparison import ComparedRun
from shadowshare.reports.notebook import register
from shadowshare.reports.style import LIGHT, MARKERS, SERIES, figure_style
from shadowshare.scenarios.simulation.document import read_simulation

register()
# %config InlineBackend.figure_formats = ["svg"]

# %% [markdown]
# ## What is simulated
#
# An active whose users write 4 KiB at random places, and passives that read the newest shadow copy without a pause,
# 64 KiB at a time, as a backup does. All share one fast disk, which serves eight operations at once. A value with a
# `$` can be chosen for each run.

# %%
scenario = read_simulation("""
name = "one-disk-many-hosts"
story = "A busy volume that is backed up by several hosts."

[parameters]
readers = 2
path_us = 20
writes_per_second = 4000

[store]
volume_mib = 16
extent_kib = 64
slots = 1024

[device]
latency = "virtual-nvme"
servers = 8

[active]
requests_per_second = "$writes_per_second"
clients = 32

[passives]
count = "$readers"
clients = 1
request_kib = 64
path_request_us = "$path_us"
path_answer_us = "$path_us"

[shadow_copies]
every_seconds = 0.05
keep = 2

[time]
warm_up_seconds = 0.05
measured_seconds = 0.05
""")


def runs(count: int = 2, **parameters: float) -> list:
    """Some independent runs, each compared with one without shadow copies that draws the same requests."""
    compared = ComparedRun(scenario.plan(parameters), seed=1)
    return [compared(number) for number in range(count)]


def label(axes, values: list, **words: str) -> None:
    """Name the axes; the values stand along the lower one, on a logarithmic scale."""
    axes.set(xscale="log", **words)
    axes.set_xticks(values, values)
    axes.set_xticks([], minor=True)
    axes.set_ylim(bottom=0)
    axes.grid(visible=True)


def mean(found: list, name: str) -> float:
    """Of a figure of several runs."""
    return sum(run[name] for run in found) / len(found)


# %% [markdown]
# One run, with all that is measured in it:

# %%
runs(1)[0]

# %% [markdown]
# ## What does copying cost the one who writes?
#
# The first write to an extent since the last shadow copy has to wait for a copy of the whole extent and for two
# flushes. Later ones to the same extent do not.

# %%
rates = [500, 1000, 2000, 4000, 8000]
by_rate = {rate: runs(1, writes_per_second=rate, readers=1) for rate in rates}
curves = by_rate[4000][0].latencies
factors = [mean(found, "active.write.latency_mean_ratio") for found in by_rate.values()]
assert min(factors) > 1

with figure_style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.3), layout="constrained")
    left.plot(rates, factors, marker=MARKERS[0], color=LIGHT.roles["active"])
    label(
        left,
        rates,
        xlabel="writes per second",
        ylabel="mean write latency,\ntimes that without shadow copies",
    )
    for name, style in {"active write": "-", "active write without shadow copies": "--"}.items():
        latencies_ns, shares = zip(*curves[name].points(), strict=True)
        times_us = [latency_ns / 1e3 for latency_ns in latencies_ns]
        right.plot(times_us, shares, style, color=LIGHT.roles["active"], label=name[7:])
    right.set(
        xscale="log",
        xlabel="latency, us",
        ylabel="share that takes no longer",
        title="4000 writes per second",
    )
    right.grid(visible=True)
    right.legend(frameon=False)
    plt.show()

# %% [markdown]
# A copied write takes several times as long, since six operations follow one another: the old extent is read and
# written to a slot, a flush, the journal, a flush, and the write itself. The more writes there are between two shadow
# copies, the fewer of them are first ones: the factor falls as the load grows.
#
# ## What do the readers cost the active?
#
# They take no lock and send nothing. All that they take is the disk's time.

# %%
counts = [1, 2, 4, 8, 16]
by_count = {count: runs(1, readers=count) for count in counts}

with figure_style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.3), layout="constrained")
    for number, (name, role) in enumerate({"write": "active", "read": "passives"}.items()):
        means_us = [mean(found, f"{role}.{name}.latency_mean") * 1e6 for found in by_count.values()]
        colour = LIGHT.roles[role.removesuffix("s")]
        left.plot(counts, means_us, marker=MARKERS[number], color=colour, label=f"{name}s of the {role}")
    label(left, counts, xlabel="readers", ylabel="mean latency, us")
    left.legend(frameon=False)
    busy = [mean(found, "device.0.utilisation") * 100 for found in by_count.values()]
    right.plot(counts, busy, marker=MARKERS[0], color=LIGHT.roles["volume"])
    label(right, counts, xlabel="readers", ylabel="time in which the disk is busy, %")
    plt.show()

assert mean(by_count[16], "active.write.latency_mean") > mean(by_count[1], "active.write.latency_mean")

# %% [markdown]
# Up to the point at which the disk is full, one reader more costs the active nothing that could be seen. From there on
# everybody waits for the disk, as with any other load. There is no cost of *coordination* that would come before that.
#
# ## How often does the re-check save a read?
#
# Only if the active copied the extent between a passive's look at the journal and the end of its read. The longer the
# way to the disk, the longer that takes.

# %%
paths_us = [10, 50, 250, 1000]
by_path = {path_us: runs(2, path_us=path_us, readers=8) for path_us in paths_us}
saved = [mean(found, "passives.recheck_saved_per_read") * 1000 for found in by_path.values()]
assert saved[0] < saved[-1]

with figure_style():
    figure, axes = plt.subplots(figsize=(5.5, 3), layout="constrained")
    axes.plot(paths_us, saved, marker=MARKERS[0], color=SERIES[1])
    label(axes, paths_us, xlabel="way to the disk, and back, us each", ylabel="reads saved, of 1000")
    plt.show()

# %% [markdown]
# A few in a thousand, or in a hundred on a slow path; and each of them would have been wrong bytes. A test on real
# hardware could run for long without meeting one, and the backup that meets it is one nobody looks at for a year.
#
# ## To try
#
# - Your own disk: `shadowshare calibrate` makes a latency model of a device, a folder, or a log of fio. Name its file
#   as `latency`.
# - `order = "reads-first"` in `[device]`: readers overtake writes. Who pays?
# - The same questions from the command line, with intervals of confidence, as a page:
#   `shadowshare simulate backup-of-a-busy-volume --sweep readers=1..64 --html readers.html`.
