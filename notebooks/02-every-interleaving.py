# %% [markdown]
# # 2. Every interleaving, and what the reduction saves
#
# [Notebook 1](01-a-race-step-by-step.py) ended with *verified*: nothing was left out. How many orders are there of what
# two computers do, and how can all of them be covered?

# %%
from collections import Counter
from json import dumps

import matplotlib.pyplot as plt
import networkx as nx

from shadowshare.reports.notebook import register
from shadowshare.reports.style import LIGHT, MARKERS, SERIES, figure_style
from shadowshare.scenarios.catalogue import built_in
from shadowshare.scenarios.definition import parse_scenario
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.explorer import explore
from shadowshare.verify.race import Race
from shadowshare.verify.strategies.partial_order import PartialOrder

register()
# %config InlineBackend.figure_formats = ["svg"]

# %% [markdown]
# ## Schedules are ways through a graph of states
#
# A *state* is everything that can matter later: what lies on the disk, and how far each computer is. A schedule is a
# way from the first state to one in which nothing is in flight. Here is the whole graph of the race of notebook 1.

# %%
product = Race(built_in("reader-before-volume-read")).product
graph = nx.DiGraph()
waiting = [product.initial]
while waiting:
    state = waiting.pop()
    for move in product.moves(state):
        after = state + move.delta
        if after not in graph:
            waiting.append(after)
        graph.add_edge(state, after, host=move.label)

depth = nx.single_source_shortest_path_length(graph, product.initial)
steps_of_w = {product.initial: 0}
for state in sorted(graph, key=depth.get):
    for _, after, host in graph.out_edges(state, data="host"):
        steps_of_w[after] = steps_of_w[state] + (host == "W")

places, taken = {}, Counter()
for state in graph:
    place = steps_of_w[state], steps_of_w[state] - depth[state]
    shift = 0.22 * taken[place]  # of several states at one place, each a little further down
    places[state] = place[0] + shift, place[1] - shift
    taken[place] += 1

with figure_style():
    figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
    ends = [state for state in graph if product.is_end(state)]
    colours = [LIGHT.roles["active" if host == "W" else "passive"] for _, _, host in graph.edges(data="host")]
    nx.draw_networkx_edges(graph, places, ax=axes, edge_color=colours, node_size=60, arrowsize=7)
    nx.draw_networkx_nodes(graph, places, ax=axes, node_size=60, node_color=LIGHT.muted)
    nx.draw_networkx_nodes(
        graph, places, ax=axes, nodelist=ends, node_size=60, node_color=LIGHT.roles["journal"]
    )
    axes.set(xlabel="steps of W  →", ylabel="←  steps of R")
    plt.show()

# %% [markdown]
# To the right W goes on, downwards R does; green states are ends. States side by side differ in what R has seen.
#
# The number of ways is counted without walking them: the ways to a state are the sum of the ways to the states before
# it.

# %%
ways = dict.fromkeys(graph, 0)
ways[product.initial] = 1
for state in nx.topological_sort(graph):
    for after in graph.successors(state):
        ways[after] += ways[state]

right = explore(built_in("reader-before-volume-read"))
assert sum(ways[state] for state in ends) == right.schedule_count
print(f"{right.schedule_count} schedules through {len(graph)} states")
right

# %% [markdown]
# ## How it grows
#
# Let W overwrite, and R read, one extent after the other. Three ways to cover all orders:
#
# - one by one: as many as there are *schedules*;
# - one of each *trace*: two steps that touch nothing in common can be swapped, and the same comes of it. Partial-order
#   reduction runs one schedule of each class;
# - *states*: each one is visited once, however many ways lead there. That is what `explore` does.


# %%
def race_of(extent_count: int, reader_count: int = 1):
    """W overwrites so many extents, and each reader reads all of them."""
    readers = [f"R{letter}" for letter in "abcdef"[:reader_count]]
    roles = {"W": "active", **dict.fromkeys(readers, "passive")}
    writes = [f"write {extent}" for extent in range(extent_count)]
    reads = [f"read s {' '.join(map(str, range(extent_count)))}"]
    scripts = {"W": writes, **dict.fromkeys(readers, reads)}
    return parse_scenario(f"""
name = "race"
story = "W overwrites extents that are read."
before = {dumps(["W: create s", *(f"{reader}: open" for reader in readers)])}
[store]
extents = {extent_count}
slots = {extent_count}
[hosts]
{table_of(roles)}
[race]
{table_of(scripts)}
""")


def table_of(values: dict) -> str:
    """Lines of TOML, whose strings and lists are written as in JSON."""
    return "\n".join(f"{name} = {dumps(value)}" for name, value in values.items())


sizes = range(1, 6)
by_size = [explore(race_of(size)) for size in sizes]
traces = [explore(race_of(size), strategy=PartialOrder()).trace_count for size in range(1, 4)]
assert all(found.verdict == "verified" for found in by_size)

# %% [markdown]
# The other thing that grows is the number of readers. But a reader changes nothing that another one could notice, so
# they need not be explored together: each is explored alone with W, and those that do the same only once. The engine
# checks the premise in every step.

# %%
together = [explore(race_of(1, count), passives_apart=False) for count in range(1, 4)]
apart = [explore(race_of(1, count)) for count in range(1, 7)]
assert {found.verdict for found in (*together, *apart)} == {"verified"}
print(apart[-1].reductions[0])

# %%
with figure_style():
    figure, (left, right_axes) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    curves = {
        "schedules": [found.schedule_count for found in by_size],
        "traces": traces,
        "states": [found.state_count for found in by_size],
    }
    for number, (name, counts) in enumerate(curves.items()):
        left.plot(sizes[: len(counts)], counts, marker=MARKERS[number], color=SERIES[number], label=name)
    left.set(xlabel="extents", ylabel="to be covered", yscale="log", xticks=list(sizes), title="one reader")
    for number, (name, found) in enumerate({"states, together": together, "states, apart": apart}.items()):
        counts = [one.state_count for one in found]
        right_axes.plot(
            range(1, len(counts) + 1),
            counts,
            marker=MARKERS[number + 2],
            color=SERIES[number + 2],
            label=name,
        )
    right_axes.set(xlabel="readers", yscale="log", title="one extent")
    for axes in (left, right_axes):
        axes.grid(visible=True)
        axes.legend(frameon=False)
    plt.show()

# %% [markdown]
# With five extents there are some 10^14 schedules, and fewer than ten thousand states. Traces, one for each way in
# which all the races can end, multiply faster than states do. And six readers cost no more than one.
#
# ## When it is still too many
#
# A search that is cut off says so. It never says *verified*.

# %%
stopped = explore(race_of(5), budget=Budget(state_count=500))
assert stopped.verdict == "unknown"
stopped

# %% [markdown]
# ## To try
#
# - `explore(..., merges=False)` tells states apart by their whole history. The verdict and the number of schedules must
#   be the same; the number of states is not.
# - Let W crash: add `[faults]` with `crashes = 1`, and a host `V = "recovers W"`.
# - Draw schedules instead: `strategy=UniformInterleavings(1, seed=7)` from `shadowshare.verify.strategies.urw`. A
#   *strategy* finds bugs in what is too large to be covered, and verifies nothing.
