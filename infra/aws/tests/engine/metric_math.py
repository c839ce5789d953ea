"""Works out CloudWatch's metric math for values that stay the same, so that a test can ask whether an alarm would ring.

None is a metric without numbers. docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import TypeAlias

Number: TypeAlias = float | None

_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
}


def evaluate(expression: str, values: Mapping[str, Number]) -> Number:
    """The expression's value; ValueError for what CloudWatch does not know, or is not known here."""
    try:
        return _number(ast.parse(expression, mode="eval").body, values)
    except SyntaxError as error:
        raise ValueError(f"{expression}: {error.msg}") from error


def _number(node: ast.expr, values: Mapping[str, Number]) -> Number:
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return float(node.value)
    if isinstance(node, ast.Name):
        if node.id not in values:
            raise ValueError(f"no metric has the id {node.id}")
        return values[node.id]
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        left, right = _number(node.left, values), _number(node.right, values)
        if left is None or right is None or (isinstance(node.op, ast.Div) and right == 0):
            return None
        return _ARITHMETIC[type(node.op)](left, right)
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARISONS:
        left, right = _number(node.left, values), _number(node.comparators[0], values)
        return None if left is None or right is None else float(_COMPARISONS[type(node.ops[0])](left, right))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _call(node.func.id, node.args, values)
    raise ValueError(f"{ast.unparse(node)} is not understood")


def _call(name: str, arguments: list[ast.expr], values: Mapping[str, Number]) -> Number:
    if name == "IF" and len(arguments) == 3:
        condition = _number(arguments[0], values)
        return None if condition is None else _number(arguments[1 if condition else 2], values)
    if name == "FILL" and len(arguments) == 2:
        value = _number(arguments[0], values)
        return _number(arguments[1], values) if value is None else value
    if name in ("MIN", "MAX", "SUM") and len(arguments) == 1:
        known = [value for value in _list(arguments[0], values) if value is not None]
        pick: Callable[[list[float]], float] = {"MIN": min, "MAX": max, "SUM": sum}[name]
        return float(pick(known)) if known else None
    raise ValueError(f"{name} with {len(arguments)} arguments is not understood")


def _list(node: ast.expr, values: Mapping[str, Number]) -> list[Number]:
    if isinstance(node, ast.List):
        return [_number(item, values) for item in node.elts]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "METRICS" and not node.args:
        return list(values.values())
    raise ValueError(f"{ast.unparse(node)} is no list of metrics")
