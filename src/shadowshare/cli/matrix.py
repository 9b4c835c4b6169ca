"""``matrix``: every two actions of a store's life at the same time, against a passive that reads."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from shadowshare.cli import EXIT_VIOLATED
from shadowshare.cli.code_choice import CodeChoice, takes_code
from shadowshare.cli.live_progress import interruptible, status
from shadowshare.cli.output import json_option, print_json, print_table
from shadowshare.protocol.errors import ShadowshareError
from shadowshare.reports.action_matrix import matrix_markdown, matrix_table, pair_json
from shadowshare.verify.counterexamples.counterexample import replay_command
from shadowshare.verify.exploration.search import STATE_COUNT_MAXIMUM, Budget
from shadowshare.verify.matrix.actions import PAIRS, pair_named
from shadowshare.verify.matrix.matrix import PairResult, explore_pair


class NotVerified(ShadowshareError):
    """Of some pairs it could not be told."""


@click.command()
@click.argument("pairs", metavar="[PAIR]...", nargs=-1)
@takes_code
@click.option(
    "--max-states",
    type=click.IntRange(1),
    default=STATE_COUNT_MAXIMUM,
    metavar="N",
    help=f"States of a pair at most.  [default: {STATE_COUNT_MAXIMUM:,}]",
)
@click.option("--markdown", is_flag=True, help="As the table of docs/matrix.md.")
@json_option
def matrix(code: CodeChoice, pairs: tuple[str, ...], max_states: int, markdown: bool, as_json: bool) -> None:
    """Explore every two actions of a store's life at the same time, while a passive reads: those named, or all.

    Each pair is a small scenario, of which every interleaving is covered. The table says, too, which phases of the
    passive's read the pair met: whether there is a state in which it has come so far and both actions are under way.

    Example: shadowshare matrix

    Example: shadowshare matrix write+crash turnover+revert --json

    Example: shadowshare matrix delete+revert --mutant revert-looks-before-its-turn

    Exit code: 0 all are verified; 1 one is violated; 2 anything else.
    """
    chosen = [pair_named(name) for name in dict.fromkeys(pairs)] or [*PAIRS]
    found: list[PairResult] = []
    budget = Budget(max_states)
    with interruptible(budget), status() as tell:
        for pair in chosen:
            if budget.is_interrupted:
                break

            def progress(covered: int, waiting: int, name: str = pair.name) -> None:
                tell(f"{len(found)} of {len(chosen)} pairs, {name}: {covered:,} states, {waiting:,} waiting")

            found.append(explore_pair(pair, code.implementation, budget, progress))
    _print(found, code, markdown, as_json)
    _end_as(found, len(chosen))


def _print(found: Sequence[PairResult], code: CodeChoice, markdown: bool, as_json: bool) -> None:
    if as_json:
        print_json({"pairs": [pair_json(one) for one in found]})
        return
    if markdown:
        click.echo(matrix_markdown(found), nl=False)
        return
    columns, rows = matrix_table(found)
    print_table([column.upper() for column in columns], rows)
    for one in found:
        if one.violation is not None and one.schedule is not None:
            click.echo(f"\n{one.pair.name}: {one.violation.rule}: {one.violation.message}")
            click.echo(f"replay: {replay_command(one.schedule, (), code.mutant_name, code.path)}")
    click.echo(f"\n{sum(one.verdict == 'verified' for one in found)} of {len(found)} pairs verified")


def _end_as(found: Sequence[PairResult], wanted_count: int) -> None:
    """End with 1 if a pair is violated.

    Raises:
        NotVerified: none is for certain, but not all are verified.
    """
    if any(one.verdict == "violated" for one in found):
        sys.exit(EXIT_VIOLATED)
    unknown = [f"{one.pair.name} ({one.reason})" for one in found if one.verdict != "verified"]
    if unknown:
        raise NotVerified(f"cannot tell of these pairs: {'; '.join(unknown)}")
    if len(found) < wanted_count:
        raise NotVerified(f"interrupted: {wanted_count - len(found)} pairs were not explored")


commands = [matrix]
