# %% [markdown]
# # 5. Your own scenario, and your own protocol
#
# A scenario is a few lines. A protocol of your own is a few `async` functions on shared cells. Both are explored as the
# protocol of this package is: every order, or a word that says that it was not every order.

# %%
from shadowshare.reports.notebook import register
from shadowshare.scenarios.definition import parse_scenario
from shadowshare.verify.counterexamples.counterexample import explain_tasks
from shadowshare.verify.explorer import explore
from shadowshare.verify.mutants.catalogue import MUTANTS, mutant
from shadowshare.verify.story.storyboard import storyboard_of
from shadowshare.verify.story.task_storyboard import storyboard_of_tasks
from shadowshare.verify.tasks import Setup, rest
from shadowshare.verify.tasks import explore as explore_tasks

register()

# %% [markdown]
# ## A scenario of your own
#
# W has taken two shadow copies, `old` and `new`. While R reads the older one, W overwrites an extent, so that its copy
# belongs to `new`, and then deletes `new`. Where does R find the extent?

# %%
scenario = parse_scenario("""
name = "newer-goes-away"
story = "The newer shadow copy is deleted while a passive reads the older one, whose extent the newer one holds."
before = ["W: create old", "W: create new", "R: open"]

[race]
W = ["write 0", "delete new"]
R = ["read old 0"]
""")
found = explore(scenario)
assert found.verdict == "verified"
found

# %% [markdown]
# Right in every order: with a deletion the copies that the next older shadow copy lacks become that one's.
#
# ### Would it notice anything?
#
# A scenario that cannot fail is worth nothing. So try it on code that is wrong: the catalogue has bugs on purpose,
# one for each rule of the protocol and more.

# %%
wrong = {bug.name: explore(scenario, bug.implementation) for bug in MUTANTS}
noticed = [name for name, result in wrong.items() if result.verdict == "violated"]
assert "copies-not-passed-on" in noticed
print(f"{len(noticed)} of {len(wrong)} bugs are noticed:")
for name in noticed:
    print(f"  {name:24} {mutant(name).story}")

# %% [markdown]
# The others need something that this race does not have: a power loss, a full area, a second writer. One that is
# noticed, step by step:

# %%
bug = mutant("copies-not-passed-on")
storyboard_of(scenario, wrong[bug.name].labels, bug.implementation, mutant_name=bug.name)

# %% [markdown]
# `[faults]` adds crashes, power losses and errors, `[hosts]` more computers, `[store]` other sizes. Saved as
# `mine.toml`, the scenario runs with `shadowshare run --file mine.toml`, and goes through the gate with `shadowshare
# gate --file mine.toml`.
#
# ## A protocol of your own
#
# The engine knows nothing of shadow copies. Here is another old problem: a record of two cells that belong together,
# a writer who changes both, and a reader without a lock. There is a `version` beside them. The writer makes it odd,
# writes, and makes it even again. The reader waits for an even one, and reads.


# %%
def record_of(reader) -> Setup:
    """A writer, and a reader, of two cells that must be read together."""
    setup = Setup()
    version, amount, currency = (
        setup.cell("version", 0),
        setup.cell("amount", 10),
        setup.cell("currency", "EUR"),
    )

    async def write() -> None:
        await version.write(1)
        await amount.write(1500)
        await currency.write("JPY")
        await version.write(2)

    setup.task("W", write)
    setup.task("R", reader, version, amount, currency)
    return setup


async def hasty(version, amount, currency):
    """Looks at the version first."""
    while await version.read() % 2:
        await rest("begin")
    return await amount.read(), await currency.read()


def together(end) -> bool:
    """Whether what R returned was ever true."""
    return end.result("R") in {(10, "EUR"), (1500, "JPY")}


hasty_record = record_of(hasty)
broken = explore_tasks(hasty_record, together)
assert broken.verdict == "violated"
smallest = explain_tasks(hasty_record, broken, together)
storyboard_of_tasks(hasty_record, smallest.shrunk.labels, together, "hasty")

# %% [markdown]
# The version was even when R looked, and that was too early. It is the race of [notebook 1](01-a-race-step-by-step.py)
# again, and what helps is the same: *afterwards*, look again.


# %%
async def careful(version, amount, currency):
    """Looks at the version before and after."""
    while True:
        await rest("begin")
        before = await version.read()
        record = await amount.read(), await currency.read()
        if before % 2 == 0 and await version.read() == before:
            return record


mended = explore_tasks(record_of(careful), together)
mended

# %%
assert mended.verdict == "verified"

# %% [markdown]
# ## To try
#
# - Let the writer write twice. Is `version` still enough? What if it only counted to 2, and began again?
# - Let the reader wait without looking again: leave `before % 2 == 0` out. The engine finds an order in which R never
#   ends, or says that there is none.
# - Let the power fail: `Setup(crashes=1, power_losses=1)`, and `flush()` of `shadowshare.verify.tasks` makes durable
#   what was written.
