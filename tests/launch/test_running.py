"""Running processes: exit codes, output, respawn, and a shutdown that leaves none behind. The processes are small shell scripts."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tactus_cli.launching.session import Launched
from tactus_core.errors import DeviceError

DEADLINE_S = 20.0


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; fail when it takes too long."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline_s, "the condition did not come true in time"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended but was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture(autouse=True)
def logs(tmp_path, monkeypatch):
    """Leave the logs where the test does all else."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def script(tmp_path):
    """Write an executable shell script."""

    def script(name: str, body: str) -> str:
        file = tmp_path / name
        file.write_text(f"#!/bin/bash\n{body}\n")
        file.chmod(0o755)
        return str(file)

    return script


def test_ends_when_all_have_ended_and_keeps_exit_codes_and_logs(write, script):
    file = write(f'<executable cmd="{script("good", "echo fine")}"/><executable cmd="{script("bad", "echo oh >&2; exit 3")}"/>')
    with Launched(file) as graph:
        assert graph.wait(DEADLINE_S)
        assert graph.exit_codes == {"good-1": 0, "bad-2": 3}
        assert (graph.folder / "good-1.log").read_text().splitlines()[1:] == ["fine"]
        with pytest.raises(DeviceError, match=r"bad-2 ended with exit code 3.*oh"):
            graph.check()


@pytest.mark.parametrize(
    ("output", "shown"),
    [("screen", {"out", "err"}), ("both", {"out", "err"}), ("log", {"err"}), ("own_log", set()), ("full", {"out", "err"})],
)
def test_output_goes_to_the_screen_as_asked_for_and_to_the_log_always(write, script, output, shown):
    lines: list[str] = []
    talk = script("talk", "echo out; printf err >&2")
    with Launched(write(f'<executable cmd="{talk}" name="n" output="{output}"/>'), say=lines.append) as graph:
        graph.wait(DEADLINE_S)
    assert {line.removeprefix("[n-1] ") for line in lines if line.startswith("[n-1]")} == shown
    log = graph.processes[0].log.read_text()
    assert "out\n" in log
    assert "err" in log


def test_leaving_the_context_ends_everything_also_grandchildren(write, script, tmp_path):
    sleeper = script("sleeper", f"sleep 1000 & echo $! >{tmp_path}/pid; wait")
    with Launched(write(f'<executable cmd="{sleeper}"/>')) as graph:
        until(lambda: graph.processes[0].pid and (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().endswith("\n"))
        pids = [graph.processes[0].pid, int((tmp_path / "pid").read_text())]
        assert all(alive(pid) for pid in pids)
    until(lambda: not any(alive(pid) for pid in pids))


def test_shutdown_escalates_from_sigint_to_sigterm_to_sigkill(write, script):
    lines: list[str] = []
    stubborn = script("stubborn", "trap 'echo int' INT; trap 'echo term' TERM; echo ready; while true; do sleep 0.05; done")
    tag = f'<executable cmd="{stubborn}" name="s" output="screen" sigterm_timeout="0.3" sigkill_timeout="0.3"/>'
    with Launched(write(tag), say=lines.append) as graph:
        until(lambda: "[s-1] ready" in lines)
    shown = [line for line in lines if line in ("[s-1] int", "[s-1] term")]
    assert shown == ["[s-1] int", "[s-1] term"]
    assert graph.exit_codes == {"s-1": -signal.SIGKILL}


def test_on_exit_shutdown_ends_the_others(write, script):
    file = write(f'<executable cmd="sleep 1000"/><executable cmd="{script("brief", "exit 0")}" on_exit="shutdown"/>')
    with Launched(file) as graph:
        assert graph.wait(DEADLINE_S)
    assert graph.exit_codes == {"sleep-1": -signal.SIGINT, "brief-2": 0}


def test_shutdown_tag_starts_nothing_after_it(write):
    with Launched(write('<executable cmd="sleep 1000"/><shutdown reason="enough"/><executable cmd="sleep 1000"/>')) as graph:
        assert graph.wait(DEADLINE_S)
    assert [running.name for running in graph.processes] == ["sleep-1"]


@pytest.mark.parametrize(("retries", "starts"), [(0, 1), (2, 3)])
def test_respawn_stops_at_its_limit(write, script, tmp_path, retries, starts):
    count = script("count", f"echo x >>{tmp_path}/starts; exit 1")
    with Launched(write(f'<executable cmd="{count}" respawn="true" respawn_max_retries="{retries}"/>')) as graph:
        assert graph.wait(DEADLINE_S)
    assert (tmp_path / "starts").read_text().count("x") == starts == graph.processes[0].starts


def test_respawn_ends_with_the_graph(write, script):
    tag = f'<executable cmd="{script("brief", "exit 0")}" respawn="true" respawn_delay="0.01"/>'
    with Launched(write(tag)) as graph:
        until(lambda: graph.processes[0].starts >= 3)
        graph.shutdown("enough")
        assert graph.wait(DEADLINE_S)


def test_a_process_that_cannot_be_run_ends_the_others_and_is_an_error(write):
    file = write('<executable cmd="sleep 1000"/><executable cmd="true" cwd="/no/such/folder"/>')
    with pytest.raises(FileNotFoundError), Launched(file) as graph:
        graph.wait(DEADLINE_S)
    assert not any(alive(running.pid) for running in graph.processes if running.pid)


def test_node_gets_its_arguments_and_environment(write, package):
    file = write('<node pkg="demo" exec="show" name="eye" args="a"><env name="MODE" value="test"/></node>')
    with Launched(file) as graph:
        assert graph.wait(DEADLINE_S)
        graph.check()
    assert graph.processes[0].log.read_text().splitlines()[1:] == ["a", "--ros-args", "-r", "__node:=eye", "MODE=test"]


def command_line(*arguments: str) -> "subprocess.Popen[str]":
    """Start the runner as `tactus launch` does."""
    code = "import sys; from pathlib import Path; from tactus_cli.commands.launch import run; sys.exit(run(Path(sys.argv[1]), {}))"
    return subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_command_ends_in_order_on_a_signal(write, script, number):
    polite = script("polite", "trap 'echo bye; exit 0' INT; echo up; while true; do sleep 0.05; done")
    runner = command_line(str(write(f'<executable cmd="{polite}" output="screen" name="p"/>')))
    shown = [runner.stdout.readline()]
    while "[p-1] up\n" not in shown:
        shown.append(runner.stdout.readline())
    runner.send_signal(number)
    rest, _ = runner.communicate(timeout=DEADLINE_S)
    assert runner.returncode == 0
    assert "[p-1] bye" in rest


def test_children_die_with_a_killed_runner(write, script, tmp_path):
    stays = script("stays", f"trap '' INT TERM HUP; echo $$ >{tmp_path}/pid; while true; do sleep 0.05; done")
    runner = command_line(str(write(f'<executable cmd="{stays}"/>')))
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().endswith("\n"))
    pid = int((tmp_path / "pid").read_text())
    os.kill(runner.pid, signal.SIGKILL)
    runner.communicate()
    until(lambda: not alive(pid))
