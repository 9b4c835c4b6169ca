"""``faults``: what comes of each fault of a device."""

from __future__ import annotations

import click

from shadowshare.cli import EXIT_FAILED, EXIT_VIOLATED
from shadowshare.cli.output import json_option, print_json, print_table
from shadowshare.cli.report_files import ReportFiles, takes_reports
from shadowshare.cli.terminal import bar
from shadowshare.reports.fault_table import fault_json, fault_markdown, fault_table
from shadowshare.reports.page.kinds import faults_page
from shadowshare.scenarios.catalogue import built_in
from shadowshare.verify.fault_verdicts import FaultVerdict, fault_scenarios, fault_verdict


@click.command("faults")
@click.option("--markdown", is_flag=True, help="As the table of docs/faults.md.")
@takes_reports("html")
@json_option
@click.pass_context
def faults(context: click.Context, markdown: bool, reports: ReportFiles, as_json: bool) -> None:
    """Explore every built-in scenario with faults of devices, and say what comes of each.

    Exact: nobody notices. Exact or an error: no wrong byte, and where the fault is in the way an error says so.
    Assumed away: a wrong byte was found, as it must be, so that a device must not have this fault.

    Exits with 0 if that is told of all, 1 if there was a wrong byte where none may be, 2 if it could not be told.
    """
    verdicts: list[FaultVerdict] = []
    names = fault_scenarios()
    with bar("scenarios") as tell:
        for name in names:
            tell(len(verdicts), len(names), name)
            verdicts.append(fault_verdict(built_in(name)))
    reports.write_html(lambda: faults_page(verdicts))
    if as_json:
        print_json({"faults": [fault_json(one) for one in verdicts]})
    elif markdown:
        click.echo(fault_markdown(verdicts), nl=False)
    else:
        columns, rows = fault_table(verdicts)
        print_table([column.upper() for column in columns], rows)
    if any(one.verdict == "violated" for one in verdicts):
        context.exit(EXIT_VIOLATED)
    if not all(one.is_told for one in verdicts):
        context.exit(EXIT_FAILED)


commands = [faults]
