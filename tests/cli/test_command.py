"""The `tactus` command: help, errors, and the check for a busy domain."""

import os
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from tactus_cli.__main__ import tactus as main
from tactus_cli.domain import is_busy, require_quiet_domain
from tactus_cli.options import realtime_option
from tactus_core.errors import SetupError


def tactus(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "tactus_cli", *arguments], capture_output=True, text=True)


def test_help_lists_commands_and_imports_none_of_them():
    code = "import sys; from tactus_cli.__main__ import tactus; tactus(['--help'], standalone_mode=False); print('rclpy' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert all(f"\n  {name} " in shown for name in ("doctor", "launch", "test"))
    assert shown.endswith("False\n")


def helps(command, above=None):
    context = click.Context(command, above, info_name=command.name)
    yield context.command_path, command.get_help(context)
    for name in command.list_commands(context) if isinstance(command, click.Group) else ():
        yield from helps(command.get_command(context, name), context)


def test_every_help_reads_well():
    shown = dict(helps(main))
    assert {"tactus learn", "tactus bench takeover"} <= set(shown)
    assert [name for name, text in shown.items() if "\\" in text] == [], "click's marks, which it did not read"
    assert [name for name, text in shown.items() if len(text.splitlines()) < 4] == [], "nothing is said"


def test_unknown_command_is_a_usage_error():
    result = tactus("dance")
    assert result.returncode == 2
    assert "No such command 'dance'" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["launch", "missing.launch.xml", "--show-args"], "missing.launch.xml: cannot be read"),
        (["launch", "missing.launch.xml", "name=value"], "malformed launch argument 'name=value'"),
        (["launch", "--join", "missing.launch.xml", "name:=value"], "cannot be read"),
    ],
)
def test_error_is_one_paragraph_without_a_traceback(arguments, message):
    result = tactus(*arguments)
    assert result.returncode == 1
    assert message in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(("cores", "asked", "expected"), [(2, [], "False"), (4, [], "True"), (2, ["--realtime"], "True")])
def test_realtime_scheduling_is_asked_for_where_there_are_cores_left_for_the_planner(cores, asked, expected, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cores)))
    command = click.command()(realtime_option(lambda realtime: click.echo(realtime)))
    assert CliRunner().invoke(command, asked).output.strip() == expected


def test_show_args(tmp_path):
    file = tmp_path / "a.launch.xml"
    file.write_text('<launch><arg name="rate" default="5" description="How often."><choice value="5"/></arg></launch>')
    result = tactus("launch", str(file), "--show-args")
    assert result.returncode == 0
    assert result.stdout.splitlines() == [
        "Arguments (pass arguments as '<name>:=<value>'):",
        "",
        "    'rate':",
        "        How often. Valid choices are: ['5']",
        "        (default: '5')",
    ]


def test_busy_domain_is_an_error_that_names_who_is_there(monkeypatch):
    for domain in range(101, 60, -1):
        monkeypatch.setenv("ROS_DOMAIN_ID", str(domain))
        if not is_busy():
            break
    code = "import rclpy; rclpy.init(); n = rclpy.create_node('other', namespace='arm'); print('up', flush=True); rclpy.spin(n)"
    require_quiet_domain()
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "up\n"
        assert is_busy()
        with pytest.raises(SetupError, match="/arm/other"):
            require_quiet_domain()
    finally:
        other.kill()
        other.communicate()
