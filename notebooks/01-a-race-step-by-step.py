# %% [markdown]
# # 1. A race, step by step
#
# Two computers share a disk. **W**, the active, writes its volume. **R**, a passive, wants to read the volume *as it
# was* when a shadow copy was taken. Neither sends the other a message, and nobody takes a lock. How can that be right,
# and how does it go wrong?
#
# Before W overwrites a part of the volume (an *extent*) for the first time, it
#
# 1. reads the old extent and writes it to a *slot* of the differential area, and flushes;
# 2. says so in the *journal*: `COPIED extent 0 -> slot 0`, and flushes;
# 3. and only then overwrites the extent.
#
# R looks an extent up in what it knows of the journal, and reads it there: in a slot, or still in the volume. But W may
# have come in between. So R looks at the journal **again, afterwards**.

# %%
from IPython.display import SVG

from shadowshare.reports.notebook import register
from shadowshare.reports.space_time import standalone_svg
from shadowshare.scenarios.catalogue import built_in
from shadowshare.sim.schedule import parse_schedule
from shadowshare.verify.explorer import explore
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.story.storyboard import storyboard_of

register()  # from here on results show themselves

# %% [markdown]
# ## The scenario
#
# A scenario says what a few computers do to one small store. This one has the race above, and nothing else.

# %%
scenario = built_in("reader-before-volume-read")
print(scenario.story)

# %% [markdown]
# The protocol's real code runs on a disk in memory, and a *schedule* says whose disk operation happens next. Here is
# one: six operations of W, then whatever R still has to do.

# %%
story = storyboard_of(scenario, parse_schedule("s1/reader-before-volume-read/W*6,R*4").labels)
SVG(standalone_svg(story))

# %% [markdown]
# Time runs downwards. R had looked extent 0 up before the race: no copy. At step 7 it reads the volume, which is new
# by then. At step 8 it looks at the journal again, the *re-check*, finds the copy, drops what it had read, and reads
# slot 0 instead. What it returns is old, as it must be.
#
# ## Without the re-check
#
# A *mutant* is the same code with one small bug on purpose. `no-recheck` believes what was read from the volume.

# %%
bug = mutant("no-recheck")
found = explore(scenario, bug.implementation)
assert found.verdict == "violated"
found

# %% [markdown]
# Every order of the disk operations was tried until one went wrong. Here it is, to step through: use the buttons, the
# slider, or click on a step. At each step you see what lies on the disk, what each computer knows of the journal, and
# what it has in hand.

# %%
wrong = storyboard_of(scenario, found.labels, bug.implementation, mutant_name=bug.name)
wrong

# %% [markdown]
# ## The same with Python
#
# The story is plain data. What did R believe when it read the volume, and what did the journal say?

# %%
read_at = wrong.explanation.way[1]  # written, read, returned
picture = wrong.picture(read_at)
reader = picture["host/R"]
print("step", read_at, "-", wrong.steps[read_at - 1].action)
print("R knows the copies", reader["view"][0]["copies"])
print("R holds           ", [(held["place"], held["origin"]) for held in reader["held"]])
for name, block in picture.items():
    if name.startswith("journal/"):
        print(f"{block['name']:17}", *block["records"])

# %% [markdown]
# R knows of no copy. The journal on the disk names one, since step 4: R's view is *old*, and that is all that can be
# wrong with it. A look at the journal that starts after the volume was read cannot miss the copy: W overwrites an
# extent only when the journal's block is on the disk.
#
# ## Is it right in every order?
#
# One schedule proves nothing. Without the bug:

# %%
right = explore(scenario)
assert right.verdict == "verified"
assert right.is_exhausted
right

# %% [markdown]
# *Verified* says that nothing was left out. How so few states can stand for that many schedules is what
# [notebook 2](02-every-interleaving.py) is about.
#
# ## To try
#
# - Take another bug: `mutant("cached-recheck")` looks again, but in its own memory. `mutant("early-recheck")` looks too
#   early. Each names its own `scenario`.
# - `stepper(wrong)` from `shadowshare.reports.notebook` is the same page as a widget, whose `step` Python can read and
#   set.
# - Other orders: edit the schedule above. `R*2,W*6,R` lets R finish first.
