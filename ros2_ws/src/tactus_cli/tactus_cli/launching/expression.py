"""The expressions of `$(eval)`: comparisons, logic and arithmetic on literals. What may not be evaluated is refused, not run."""

import ast
import operator
from collections.abc import Callable
from typing import Any

from tactus_core.errors import ConfigError

_BINARY: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
_UNARY: dict[type[ast.AST], Callable[[Any], Any]] = {ast.Not: operator.not_, ast.USub: operator.neg, ast.UAdd: operator.pos}
_FUNCTIONS: dict[str, Callable[..., Any]] = {function.__name__: function for function in (abs, bool, float, int, len, max, min, round, str)}


def evaluate(text: str) -> str:
    """Return the value of a Python expression as text, as `$(eval)` gives it; raise ConfigError for what it may not hold."""
    try:
        return str(_value(ast.parse(text.strip(), mode="eval").body))
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(f"the expression '{text}' cannot be evaluated: {error}. Strings in it need quotes of their own.") from None


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.List(elts=items) | ast.Tuple(elts=items):
            values = [_value(item) for item in items]
            return values if isinstance(node, ast.List) else tuple(values)
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            return _UNARY[type(op)](_value(operand))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _BINARY[type(op)](_value(left), _value(right))
        case ast.BoolOp(op=op, values=values):
            return _logic(isinstance(op, ast.And), values)
        case ast.Compare(left=left, ops=ops, comparators=rights) if all(type(op) in _BINARY for op in ops):
            sides = [_value(side) for side in (left, *rights)]
            return all(_BINARY[type(op)](a, b) for op, a, b in zip(ops, sides, sides[1:], strict=False))
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return _value(body if _value(test) else orelse)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*(_value(argument) for argument in arguments))
    raise ConfigError(
        f"the expression holds '{ast.unparse(node)}', which $(eval) does not know here. It takes literals, comparisons, and/or/not, "
        f"arithmetic, `a if c else b`, and {', '.join(_FUNCTIONS)}."
    )


def _logic(conjunction: bool, operands: list[ast.expr]) -> Any:
    value: Any = conjunction
    for operand in operands:
        value = _value(operand)
        if bool(value) != conjunction:
            break
    return value
