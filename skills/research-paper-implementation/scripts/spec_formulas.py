"""Formulas of specifications: arithmetic with units over named values, read by ast and never executed as Python."""

from __future__ import annotations

import ast
import dataclasses
import math
import operator
from collections.abc import Callable, Mapping

LONGEST = 4000  # characters
LARGEST_EXPONENT = 1000

_OPERATORS: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Pow: operator.pow,
}  # fmt: skip
_FUNCTIONS = ("sqrt", "log", "exp", "min", "max", "ceil", "floor", "number")


@dataclasses.dataclass(frozen=True)
class Quantity:
    """A number in base units with the exponents of its base units."""

    value: float
    dimensions: Mapping[str, float] = dataclasses.field(default_factory=dict)


class FormulaError(Exception):
    """A formula cannot be read or has no value; the message says which part."""


class UnitError(FormulaError):
    """A formula adds or compares what has different units."""


def parse(formula: str) -> ast.expr:
    """The syntax tree of a formula.

    Raises:
        FormulaError: it is not of the small language.
    """
    if len(formula) > LONGEST:
        raise FormulaError(f"the formula has {len(formula)} characters; at most {LONGEST} are read")
    try:
        tree = ast.parse(" ".join(formula.split()), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise FormulaError(f"the formula cannot be read: {reason}") from None
    for node in ast.walk(tree):
        if not isinstance(
            node,
            (
                ast.BinOp,
                ast.UnaryOp,
                ast.Constant,
                ast.Name,
                ast.Attribute,
                ast.Call,
                ast.operator,
                ast.unaryop,
                ast.Load,
            ),
        ):
            raise FormulaError(f"the formula holds {ast.unparse(node)[:40]!r}, which is no arithmetic")
    return tree


def names(tree: ast.expr) -> list[str]:
    """The names that a formula refers to, `section.name` where it is written so."""
    found: dict[str, None] = {}

    def visit(node: ast.AST) -> None:
        if isinstance(node, (ast.Name, ast.Attribute)):
            found[_name(node)] = None
        elif isinstance(node, ast.Call):
            for argument in node.args:
                visit(argument)
        else:
            for child in ast.iter_child_nodes(node):
                visit(child)

    visit(tree)
    return list(found)


def evaluate(tree: ast.expr, values: Callable[[str], Quantity]) -> Quantity:
    """The value of a formula.

    Args:
        tree: from `parse`.
        values: gives the quantity of a name, or raises FormulaError.

    Raises:
        UnitError: parts with different units are added or compared.
        FormulaError: a name has no value, a function is not known, or the result is not finite.
    """
    try:
        result = _evaluate(tree, values)
    except ZeroDivisionError:
        raise FormulaError("the formula divides by zero") from None
    except (OverflowError, ValueError, RecursionError) as error:
        raise FormulaError(f"the formula has no finite value ({error})") from None
    if isinstance(result.value, complex) or not math.isfinite(result.value):
        raise FormulaError("the formula has no finite real value")
    return result


def _evaluate(node: ast.AST, values: Callable[[str], Quantity]) -> Quantity:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool) or not isinstance(node.value, (int, float)):
            raise FormulaError(f"{node.value!r} is no number")
        return Quantity(float(node.value))
    if isinstance(node, (ast.Name, ast.Attribute)):
        return values(_name(node))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        inner = _evaluate(node.operand, values)
        return Quantity(-inner.value if isinstance(node.op, ast.USub) else inner.value, inner.dimensions)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _binary(node, _evaluate(node.left, values), _evaluate(node.right, values))
    if isinstance(node, ast.Call):
        return _call(node, values)
    raise FormulaError(f"{ast.unparse(node)[:40]!r} is no arithmetic")


def _binary(node: ast.BinOp, left: Quantity, right: Quantity) -> Quantity:
    if isinstance(node.op, (ast.Add, ast.Sub)):
        _same(node, left, right)
        dimensions = left.dimensions
    elif isinstance(node.op, ast.Mult):
        dimensions = _combined(left.dimensions, right.dimensions, 1)
    elif isinstance(node.op, ast.Pow):
        if right.dimensions:
            raise UnitError(f"the exponent in {ast.unparse(node)[:60]!r} has the unit {_shown(right)}")
        if abs(right.value) > LARGEST_EXPONENT:
            raise FormulaError(f"the exponent in {ast.unparse(node)[:60]!r} is beyond {LARGEST_EXPONENT}")
        dimensions = {base: n * right.value for base, n in left.dimensions.items() if right.value}
    else:
        dimensions = _combined(left.dimensions, right.dimensions, -1)
    return Quantity(_OPERATORS[type(node.op)](left.value, right.value), dimensions)


def _call(node: ast.Call, values: Callable[[str], Quantity]) -> Quantity:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name not in _FUNCTIONS or node.keywords:
        raise FormulaError(f"{ast.unparse(node.func)!r} is no function here; there are {', '.join(_FUNCTIONS)}")
    arguments = [_evaluate(argument, values) for argument in node.args]
    if not arguments or (name not in ("min", "max") and len(arguments) != 1):
        raise FormulaError(f"{name} has {len(arguments)} arguments")
    first = arguments[0]
    if name in ("min", "max"):
        for other in arguments[1:]:
            _same(node, first, other)
        return Quantity((min if name == "min" else max)(one.value for one in arguments), first.dimensions)
    if name == "number":
        return Quantity(first.value)
    if name == "sqrt":
        return Quantity(math.sqrt(first.value), {base: n / 2 for base, n in first.dimensions.items()})
    if name in ("ceil", "floor"):
        return Quantity(float(getattr(math, name)(first.value)), first.dimensions)
    if first.dimensions:
        raise UnitError(f"{name} of {_shown(first)} has no meaning; drop the unit by number(...)")
    return Quantity(getattr(math, name)(first.value))


def _same(node: ast.AST, left: Quantity, right: Quantity) -> None:
    if dict(left.dimensions) != dict(right.dimensions):
        text = ast.unparse(node)
        text = text if len(text) <= 60 else text[:57] + "..."
        raise UnitError(f"{text!r} puts {_shown(left)} and {_shown(right)} together")


def _combined(left: Mapping[str, float], right: Mapping[str, float], sign: int) -> dict[str, float]:
    result = dict(left)
    for base, n in right.items():
        result[base] = result.get(base, 0) + sign * n
    return {base: n for base, n in result.items() if n}


def shown(dimensions: Mapping[str, float]) -> str:
    """Dimensions in words: `step`, `example/step`, `a plain number`."""
    if not dimensions:
        return "a plain number"
    over = "*".join(_power(base, n) for base, n in dimensions.items() if n > 0) or "1"
    return "/".join([over, *(_power(base, -n) for base, n in dimensions.items() if n < 0)])


def _power(base: str, exponent: float) -> str:
    return base if exponent == 1 else f"{base}^{exponent:g}"


def _shown(quantity: Quantity) -> str:
    return shown(quantity.dimensions)


def _name(node: ast.Name | ast.Attribute) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    raise FormulaError(f"{ast.unparse(node)[:40]!r} is no name; write name or section.name")
