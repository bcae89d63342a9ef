"""What the documentation says in numbers, names and commands is what the code has."""

import os
from dataclasses import fields
from pathlib import Path

import click
import pytest
from paging import commands

from tactus_cli.__main__ import tactus
from tactus_cli.commands.launch import parse_arguments
from tactus_cli.launching import plan
from tactus_core.config import info
from tactus_core.guard.config import GuardConfig
from tactus_core.guard.types import GuardState, Reason

ROOT = Path(__file__).parents[2]
SAFETY = (ROOT / "docs" / "safety.md").read_text()
ROWS = {line.split("`")[1]: line for line in SAFETY.splitlines() if line.startswith("| `")}


@pytest.mark.parametrize("field", fields(GuardConfig), ids=lambda field: field.name)
def test_every_limit_stands_in_the_safety_page_with_its_default_and_a_test(field):
    _, _, default, _, meaning, test, _ = ROWS[field.name].split("|")
    listed = ", ".join(map(str, field.default)) if isinstance(field.default, tuple) else str(field.default)
    assert default.strip() == (listed.lower() if isinstance(field.default, bool) else listed)
    assert meaning.strip() == info(field).doc
    assert (ROOT / "tests" / "core" / f"{test.strip(' `')}.py").is_file()


def test_every_state_and_reason_stands_in_the_safety_page():
    assert set(ROWS) >= set(GuardState)
    assert all(f"`{reason}`" in SAFETY for reason in Reason)


@pytest.mark.parametrize("words", [*commands("teleop"), *commands("encoders")], ids=" ".join)
def test_a_command_is_understood(words):
    assert words[0] == "./tactus"
    group, words = tactus, words[1:]
    while isinstance(group, click.Group):
        name, group, words = group.resolve_command(click.Context(group), words)
        assert group is not None, name
    assert not group.make_context(name, words).args


@pytest.mark.parametrize("words", commands("encoders", launches=True), ids=" ".join)
def test_a_launch_starts_the_encoder_that_the_page_names(words, tmp_path):
    file, *arguments = words
    steps = plan.make(ROOT / file, parse_arguments(tuple(arguments)), os.environ, tmp_path)
    assert any("__node:=encoder" in step.command for step in steps)
    assert {argument.partition(":=")[0] for argument in arguments} <= {of.name for of in plan.arguments(ROOT / file, os.environ)}
