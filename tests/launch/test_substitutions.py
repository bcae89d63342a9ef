"""Templates, substitutions and expressions of launch files."""

import contextlib
import operator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tactus_cli.launching.expression import evaluate
from tactus_cli.launching.substitutions import Scope, resolve
from tactus_cli.launching.template import Call, parse
from tactus_core.errors import ConfigError


def scope(**variables: str) -> Scope:
    return Scope(variables, {"HOME": "/home/robot"}, file=Path("/files/test.launch.xml"))


@given(st.text())
def test_escaped_text_stands_for_itself(text):
    assert resolve("".join("\\" + c for c in text), scope()) == text


@given(st.text(alphabet=st.characters(exclude_characters="\\$")))
def test_text_without_substitutions_stands_for_itself(text):
    assert resolve(text, scope()) == text


@given(st.text())
def test_any_text_is_parsed_or_refused(text):
    with contextlib.suppress(ConfigError):
        parse(text)


@given(st.text(min_size=1), st.sampled_from("'\""))
def test_quoted_argument_may_hold_anything(text, mark):
    escaped = text.replace("\\", "\\\\").replace(mark, "\\" + mark).replace("$", "\\$")
    assert parse(f"$(var {mark}{escaped}{mark})") == (Call("var", ((text,),)),)


@given(st.text(max_size=20), st.text(max_size=20))
def test_value_of_a_variable_is_not_read_again(before, value):
    escaped = "".join("\\" + c for c in before)
    assert resolve(f"{escaped}$(var x)", scope(x=value)) == before + value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(var a)-$(var b)", "1-two"),
        ("$(var $(var name))", "1"),
        ("$(env HOME)", "/home/robot"),
        ("$(env MISSING none)", "none"),
        ("$(env MISSING $(var b))", "two"),
        ("$(env MISSING '')", ""),
        ("$(dirname)/$(filename)", "/files//files/test.launch.xml"),
        ("$(eval '$(var a) + 1')", "2"),
        ("$(eval '\\'$(var b)\\' == \\'two\\'')", "True"),
        ("$(eval \"'$(var b)' == 'three'\")", "False"),
        ("$(not true)", "false"),
        ("$(and true $(not false))", "true"),
        ("$(or false no)", "false"),
        ("$(any false false true)", "true"),
        ("$(all true on yes)", "true"),
        ("$(equals 1.0 1)", "true"),
        ("$(equals true 1)", "true"),
        ("$(equals $(var b) two)", "true"),
        ("$(not-equals a b)", "true"),
        ("$(if true yes no)", "yes"),
        ("$(if $(equals a b) $(var missing) no)", "no"),
        ("$(if false yes)", ""),
        ("price: 5$ \\$(var a)", "price: 5$ $(var a)"),
        ("'quotes' stay \"here\"", "'quotes' stay \"here\""),
    ],
)
def test_values(text, expected):
    assert resolve(text, scope(a="1", b="two", name="a")) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$(var missing)", "has no value"),
        ("$(env MISSING)", "not set"),
        ("$(command ls)", "not known here"),
        ("$(var", "without its closing parenthesis"),
        ("$(var a", "without its closing parenthesis"),
        ("$(var  a)", "empty argument"),
        ("$()", "without a name"),
        ("$(var 'a)", "missing closing"),
        ("$(eval 1 + 2)", "takes 1 arguments, got 3"),
        ("$(not 1)", "not true or false"),
        ("$(find-pkg-share no_such_package)", "not installed"),
    ],
)
def test_errors_say_what_is_wrong(text, message):
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        resolve(text, scope())


def arithmetic():
    """Pairs of an expression's text and its value."""
    numbers = st.integers(-99, 99).map(lambda n: (str(n), n))
    operators = [("+", operator.add), ("-", operator.sub), ("*", operator.mul), ("<", operator.lt), ("==", operator.eq)]

    def grow(inner):
        return st.tuples(inner, st.sampled_from(operators), inner).map(
            lambda t: (f"({t[0][0]} {t[1][0]} {t[2][0]})", t[1][1](t[0][1], t[2][1]))
        )

    return st.recursive(numbers, grow, max_leaves=12)


@given(arithmetic())
def test_expressions_have_the_value_that_python_gives_them(pair):
    text, value = pair
    assert evaluate(text) == str(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'a' in ['a', 'b']", "True"),
        ("1 < 2 < 3", "True"),
        ("False or 'x'", "x"),
        ("0 and 1", "0"),
        ("max(1, 2.5)", "2.5"),
        ("'on' if 3 > 2 else 'off'", "on"),
        ("not None", "True"),
        ("-3 // 2", "-2"),
    ],
)
def test_expressions(text, expected):
    assert evaluate(text) == expected


@pytest.mark.parametrize(
    "text", ["__import__('os')", "(1).__class__", "open('x')", "x", "[i for i in 'ab']", "1 +", "1 / 0", "lambda: 1", "2 ** 9"]
)
def test_expressions_refuse_what_is_not_arithmetic(text):
    with pytest.raises(ConfigError):
        evaluate(text)
