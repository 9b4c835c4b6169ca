"""What happened before what, as files for tools that draw and analyse graphs: GraphML, and DOT of Graphviz."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shadowshare.reports.style import LIGHT
from shadowshare.verify.story.storyboard import Storyboard

if TYPE_CHECKING:
    import networkx as nx


def order_graph(board: Storyboard) -> nx.DiGraph[int]:
    """The steps, and what happened directly before what. Every attribute is a string or a truth value."""
    import networkx as nx  # noqa: PLC0415 - it takes long to import, and few want it

    graph: nx.DiGraph[int] = nx.DiGraph(schedule=board.replay.schedule)
    for step in board.steps:
        graph.add_node(
            step.number,
            label=step.label,
            host=step.host,
            kind=step.kind,
            action=step.action,
            result=step.result,
            is_recheck=step.is_recheck,
            is_violated=step.number == board.replay.violated_at,
        )
    for edge in board.edges:
        graph.add_edge(edge.earlier, edge.later, reasons="; ".join(edge.reasons))
    return graph


def graphml(board: Storyboard) -> str:
    """As GraphML."""
    import networkx as nx  # noqa: PLC0415

    return "\n".join(nx.generate_graphml(order_graph(board))) + "\n"


def dot(board: Storyboard) -> str:
    """As DOT: a cluster a host, program order from top to bottom."""
    roles = dict(board.hosts)
    lines = ["digraph happened_before {", '  node [shape=box, style=rounded, fontname="sans-serif"];']
    for number, host in enumerate(dict.fromkeys(step.host for step in board.steps)):
        colour = LIGHT.roles.get(roles.get(host, ""), LIGHT.muted)
        lines += [
            f"  subgraph cluster_{number} {{",
            f"    label={_quoted(host or 'the disks')}; color={_quoted(colour)};",
        ]
        for step in board.steps:
            if step.host == host:
                is_wrong = step.number == board.replay.violated_at
                wrong = f", color={_quoted(LIGHT.roles['wrong'])}, penwidth=3" if is_wrong else ""
                lines.append(f"    {step.number} [label={_quoted(f'{step.number}. {step.action}')}{wrong}];")
        lines.append("  }")
    for edge in board.edges:
        lines.append(f"  {edge.earlier} -> {edge.later} [tooltip={_quoted('; '.join(edge.reasons))}];")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
