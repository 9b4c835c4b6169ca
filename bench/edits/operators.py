"""Which edits there are: each changes one expression or one statement of a module."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from copy import copy
from typing import NamedTuple

_OTHER: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
}
"""What an operator is replaced by."""

_UNTOUCHED_FUNCTIONS = ("digest", "__repr__")
"""Of no meaning for what the protocol does: the lab asks for them, or people do."""


class Edit(NamedTuple):
    """One small change of a module's text.

    Attributes:
        module: name of the module.
        function: in which it is, with its class; empty outside of all.
        line: number of the line.
        before: what stands there.
        after: what stands there instead.
        number: which one it is of those that look alike in this function, from 1.
        start: offset of ``before`` in the source's bytes.
        end: where it ends.
    """

    module: str
    function: str
    line: int
    before: str
    after: str
    number: int
    start: int
    end: int

    @property
    def name(self) -> str:
        """Tells it from all others, wherever its lines move."""
        place = f"{self.module}.{self.function}" if self.function else self.module
        same = f" ({self.number})" if self.number > 1 else ""
        return f"{place}: {self.before} -> {self.after}{same}"

    def apply(self, source: str) -> str:
        """The module's text after it."""
        raw = source.encode()
        return (raw[: self.start] + self.after.encode() + raw[self.end :]).decode()


def edits_of(module: str, source: str) -> list[Edit]:
    """All edits of a module, in the order of its lines."""
    finder = _Finder(source)
    finder.visit(ast.parse(source))
    count = Counter[tuple[str, str, str]]()
    edits = []
    for function, node, after in finder.found:
        before = " ".join(ast.unparse(node).split())
        short = " ".join(after.split())
        count[function, before, short] += 1
        start, end = finder.span(node)
        number = count[function, before, short]
        edits.append(Edit(module, function, node.lineno, before, after, number, start, end))
    return sorted(edits, key=lambda edit: (edit.start, edit.end, edit.after))


class _Finder(ast.NodeVisitor):
    """Finds what can be edited: not annotations, texts, marks, or what is said in an error."""

    def __init__(self, source: str) -> None:
        self.found: list[tuple[str, ast.expr | ast.stmt, str]] = []
        self._path: list[str] = []
        lines = source.encode().splitlines(keepends=True)
        self._offsets = [0]
        for line in lines:
            self._offsets.append(self._offsets[-1] + len(line))

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Where a node stands in the source's bytes."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return (
            self._offsets[node.lineno - 1] + node.col_offset,
            self._offsets[node.end_lineno - 1] + node.end_col_offset,
        )

    def _add(self, node: ast.expr | ast.stmt, after: ast.AST | str) -> None:
        text = after if isinstance(after, str) else ast.unparse(after)
        self.found.append((".".join(self._path), node, text))

    # -- what is passed by ---------------------------------------------------------------------------------------

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Its body."""
        self._within(node.name, node.body)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Its body."""
        if node.name not in _UNTOUCHED_FUNCTIONS:
            self._within(node.name, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - the name is ast's

    def _within(self, name: str, body: list[ast.stmt]) -> None:
        self._path.append(name)
        for statement in body:
            self.visit(statement)
        self._path.pop()

    def visit_keyword(self, node: ast.keyword) -> None:
        """Its value; not that of ``zip(strict=True)``, which says what is so in any case."""
        if node.arg != "strict":
            self.visit(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """A text for people."""

    def visit_Assert(self, node: ast.Assert) -> None:
        """Said for the type checker."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """What is assigned."""
        if node.value is not None:
            self.visit(node.value)

    # -- statements ----------------------------------------------------------------------------------------------

    def visit_Raise(self, node: ast.Raise) -> None:
        """An error is not raised."""
        self._add(node, "pass")

    def visit_Expr(self, node: ast.Expr) -> None:
        """Something is not done."""
        value = node.value.value if isinstance(node.value, ast.Await) else node.value
        if isinstance(value, ast.Constant) or _name_of(value) == "reached":
            return
        self._add(node, "pass")
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        """Something is not remembered."""
        if any(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets):
            self._add(node, "pass")
        if not any(_name_of(target) == "__slots__" for target in node.targets):
            self.visit(node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """Something is not counted, or the other way round."""
        self._add(node, "pass")
        if type(node.op) in _OTHER:
            self._add(node, _with(node, op=_OTHER[type(node.op)]()))
        self.visit(node.value)

    def visit_Delete(self, node: ast.Delete) -> None:
        """Something is not forgotten."""
        self._add(node, "pass")

    def visit_Break(self, node: ast.Break) -> None:
        """A loop goes on."""
        self._add(node, "continue")

    def visit_Continue(self, node: ast.Continue) -> None:
        """A loop ends."""
        self._add(node, "break")

    def visit_If(self, node: ast.If) -> None:
        """What is asked for by a name or a call is asked the other way round."""
        if not isinstance(node.test, ast.Compare | ast.BoolOp | ast.UnaryOp) and _name_of(node.test) != (
            "TYPE_CHECKING"
        ):
            self._add(node.test, f"(not {ast.unparse(node.test)})")
        self.generic_visit(node)

    # -- expressions ---------------------------------------------------------------------------------------------

    def visit_Compare(self, node: ast.Compare) -> None:
        """Another comparison."""
        for index, operator in enumerate(node.ops):
            others = [*node.ops[:index], _OTHER[type(operator)](), *node.ops[index + 1 :]]
            self._add(node, _with(node, ops=others))
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        """Or instead of and; or one condition less."""
        self._add(node, f"({ast.unparse(_with(node, op=_OTHER[type(node.op)]()))})")
        for index in range(len(node.values)):
            left = [*node.values[:index], *node.values[index + 1 :]]
            self._add(node, f"({ast.unparse(left[0] if len(left) == 1 else _with(node, values=left))})")
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        """A condition the other way round."""
        if isinstance(node.op, ast.Not):
            self._add(node, f"({ast.unparse(node.operand)})")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """More instead of less."""
        if type(node.op) in _OTHER:
            self._add(node, f"({ast.unparse(_with(node, op=_OTHER[type(node.op)]()))})")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """One more; or false instead of true."""
        if isinstance(node.value, bool):
            self._add(node, repr(not node.value))
        elif isinstance(node.value, int):
            self._add(node, repr(node.value + 1))


def _with(node: ast.AST, **fields: object) -> ast.AST:
    """A copy of a node with other fields."""
    changed = copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _name_of(node: ast.AST) -> str:
    if isinstance(node, ast.Call):
        return _name_of(node.func)
    return node.id if isinstance(node, ast.Name) else ""


def all_edits(sources: Iterator[tuple[str, str]]) -> list[Edit]:
    """Those of many modules: pairs of name and text."""
    return [edit for module, source in sources for edit in edits_of(module, source)]
