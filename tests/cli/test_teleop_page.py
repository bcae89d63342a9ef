"""Each launch of docs/teleop.md is one that this checkout can make: its launch files with these arguments, and these words."""

import os
from pathlib import Path

import pytest
from paging import commands

from tactus_cli.commands import learn
from tactus_cli.commands.launch import parse_arguments
from tactus_cli.commands.record import WORDS
from tactus_cli.launching import plan

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "teleop.md").read_text()
LAUNCHES = commands("teleop", launches=True)


@pytest.mark.parametrize("words", LAUNCHES, ids=" ".join)
@pytest.mark.parametrize("mode", ["real", "emulated"])
def test_a_launch_file_takes_its_arguments_and_starts_what_the_page_says(words, mode, tmp_path):
    file, *arguments = words
    steps = plan.make(ROOT / file, parse_arguments(tuple(arguments)) | {"teleop_mode": mode}, os.environ, tmp_path)
    names = {word.partition(":=")[2] for step in steps for word in step.command if word.startswith("__node:=")}
    assert {"supervisor", "guard", "teleop"} <= names
    assert ("teleop_device" in names) == ("teleop_device:=none" not in words)
    assert ("recorder" in names) == ("record" in file or "learn" in file)
    assert ("swap" in names) == ("learn" in file)
    declared = {
        argument.name
        for name in (file, "launch/record.launch.xml", "launch/sim.launch.xml", "launch/robot.launch.xml")
        for argument in plan.arguments(ROOT / name, os.environ)
    }
    assert {argument.partition(":=")[0] for argument in arguments} <= declared


@pytest.mark.parametrize("mode", ["sim", "emulated", "real"])
@pytest.mark.parametrize(
    ("method", "explore", "classifier"), [("none", "true", ""), ("hil", "true", ""), ("rlif", "false", "insert-success")]
)
def test_a_scripted_operator_sits_beside_a_simulated_robot_alone_and_the_learner_reads_its_bags(
    mode, method, explore, classifier, tmp_path
):
    given = {"operator": "scripted", "method": method, "mode": mode, "robot": "ur5e_leap_netft", "experience": "there"}
    given |= {"explore": explore, "classifier": classifier}
    commands = {
        " ".join(words[words.index("-m") + 2 :] if "-m" in words else words)
        for words in (list(map(str, step.command)) for step in plan.make(ROOT / "launch/learn.launch.xml", given, os.environ, tmp_path))
    }
    (operators, learners) = ([c for c in commands if c.startswith(name)] for name in ("operate ", "learn "))
    assert len(operators) == (mode == "sim")
    assert len(learners) == (method != "none")
    assert all("--socket there/spnav.sock" in c and "--keep" in c for c in operators)
    assert all("--bags there" in c and "--out there/versions" in c for c in learners)
    assert all(("--explore" in c, "--quiet" in c) == (explore == "true", explore == "false") for c in learners)
    for words in map(str.split, learners):
        assert learn.command.make_context("learn", words[1:]).params["classifier"] == classifier


def test_every_word_is_a_service_that_a_node_offers():
    sources = {path.stem: path.read_text() for path in (ROOT / "ros2_ws/src/tactus_nodes/tactus_nodes").glob("*.py")}
    offered = sources["keeping"] + sources["marks"]
    for service, _ in WORDS.values():
        node, name = service.split("/")
        text = sources["run_policy"] if node == "run_policy" else offered
        assert f'"~/{name}"' in text or f'("{name}", EpisodeMark' in text, service
        assert f"`{service}`" in PAGE
