"""The contract: declared for every input that is heard, shown as it is in force, and stamps that no step of the wall clock touches."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from solo import solo

from tactus_cli.contract import contract_of
from tactus_core.errors import ConfigError
from tactus_nodes import contract, topics
from tactus_nodes.base import TactusNode
from tactus_nodes.contract import Input
from tactus_nodes.entry import NODES

NEEDS = {
    "fast_policy": ("bundle",),
    "slow_policy": ("bundle",),
    "perception": ("bundle",),
    "guard": ("robot",),
    "sim_device": ("task",),
    "swap": ("bundle",),
    "sim_camera": ("task", "bundle"),
    "sim_robot": ("robot",),
    "device": ("device", "mode"),
    "encoder": ("encoder",),
    "supervisor": ("managed", "critical"),
    "teleop": ("robot",),
    "recorder": ("folder",),
    "topic_device": ("measures", "wrench"),
}


@pytest.fixture
def values(bundle, robot, encoder, tmp_path):
    return {
        "bundle": bundle,
        "robot": robot.name,
        "task": "stub",
        "device": "leap",
        "mode": "emulated",
        "measures": "wrench",
        "wrench": "/sensor/wrench",
        "managed": "[guard]",
        "critical": "[guard]",
        "folder": tmp_path / "bag",
        "encoder": encoder,
    }


@pytest.mark.parametrize("executable", [name for name in NODES if name not in ("recorder", "replay_device", "emulated_driver")])
def test_what_is_declared_is_what_is_heard(executable, values):
    kind = contract.node_class(executable)
    with solo(kind, executable, **{name: values[name] for name in NEEDS.get(executable, ())}) as bench:
        assert not bench.node.trouble
        assert set(bench.node.streams) == {declaration.topic.name for declaration in kind.inputs_of(bench.node.config)}
        told = {value.key for value in bench.node.statuses()[0].values}
        assert {f"age_s {name}" for name in bench.node.streams} <= told


@pytest.mark.parametrize("executable", NODES)
def test_every_declaration_has_a_reaction_and_is_the_only_one_of_its_topic(executable):
    inputs = contract.node_class(executable).inputs
    assert all(declaration.reaction for declaration in inputs)
    assert len({declaration.topic.name for declaration in inputs}) == len(inputs)
    # The one obeys no command, and hears nothing; the other hears what its profile names.
    assert inputs or executable in ("replay_device", "emulated_driver")


class Eavesdropper(TactusNode):
    inputs = (Input(topics.WRENCH, "listens"),)

    def configure(self):
        self.subscribe(topics.WRENCH, print)
        self.poll(topics.PROPOSAL)


def test_an_input_without_a_contract_is_an_error_at_configure():
    with solo(Eavesdropper, "eavesdropper") as bench:
        assert not bench.node.active
        assert "'proposal' without a contract" in bench.node.trouble


def rows(*arguments, **values):
    return {(row.node, row.topic): row for row in contract_of(*arguments, values)}


def test_the_table_shows_what_is_in_force(stubbed, bundle, tmp_path):
    arguments = {"task": "stub", "robot": "stub_robot", "bundle": str(bundle), "record": "true"}
    shown = rows(stubbed, **arguments)
    nodes = {"supervisor", "recorder", "sim_device", "sim_camera", "perception", "guard", "fast_policy", "slow_policy"}
    assert {node for node, _ in shown} == nodes
    assert (shown["perception", "camera/image"].max_age_s, shown["perception", "camera/image"].frozen_s) == (0.3, 0.3)
    assert shown["fast_policy", "chunk"].max_age_s == 1.2
    assert (shown["recorder", "*"].max_age_s, shown["recorder", "*"].frozen_s) == (None, None)
    params = tmp_path / "robot.yaml"
    given = {"/**": {"nice": 1}, "perception": {"image_frozen_s": 0.7}, "/guard": {"proposal_timeout_s": 0.04}}
    given["supervisor"] = {"critical": ["guard"]}
    params.write_text(yaml.safe_dump({node: {"ros__parameters": parameters} for node, parameters in given.items()}))
    changed = rows(stubbed, **arguments, params=str(params))
    assert changed["perception", "camera/image"].frozen_s == 0.7
    assert changed["guard", "proposal"].max_age_s == 0.04
    assert set(changed) == set(shown)


def test_a_parameter_that_nobody_knows_is_an_error_there_too(stubbed, bundle, tmp_path):
    params = tmp_path / "typo.yaml"
    params.write_text("perception:\n  ros__parameters: {image_frozen: 0.7}\nsupervisor:\n  ros__parameters: {critical: [guard]}\n")
    with pytest.raises(ConfigError, match="image_frozen_s"):
        rows(stubbed, bundle=str(bundle), params=str(params))
    params.write_text("arm:\n  perception:\n    ros__parameters: {image_frozen_s: 0.7}\n")
    with pytest.raises(ConfigError, match="full name"):
        rows(stubbed, bundle=str(bundle), params=str(params))


def test_doctor_shows_the_table_and_writes_it(stubbed, bundle, tmp_path):
    command = [sys.executable, "-m", "tactus_cli", "doctor", "--contract", "--json", str(tmp_path / "out.json")]
    for where in ([str(stubbed)], []):
        shown = subprocess.run([*command, *where, f"bundle:={bundle}"], capture_output=True, text=True)
        assert shown.returncode == 0, shown.stderr
        assert "camera/image" in shown.stdout
        report = json.loads((tmp_path / "out.json").read_text())["contract"]
        assert {"node", "topic", "max_age_s", "frozen_s", "reaction"} == set(report[0])
    lonely = subprocess.run([sys.executable, "-m", "tactus_cli", "doctor", str(stubbed)], capture_output=True, text=True)
    assert lonely.returncode == 2
    assert "--contract" in lonely.stderr


def test_the_contract_of_a_robot_by_topics_names_what_its_drivers_publish():
    arguments = {"robot": "panda_allegro", "arm": "topics", "arm_profile": "franka", "hand": "topics", "hand_profile": "allegro"}
    shown = contract_of(
        Path(__file__).parents[2] / "launch" / "robot.launch.xml", arguments | {"wrench": "topics", "wrench_address": "/ft/wrench"}
    )
    rows = {(row.node, row.topic): row for row in shown}
    broadcaster = "/franka_robot_state_broadcaster"
    arm = {"arm/joint_cmd", f"{broadcaster}/measured_joint_states", f"{broadcaster}/external_wrench_in_stiffness_frame"}
    assert {topic for node, topic in rows if node == "arm"} == arm
    assert {topic for node, topic in rows if node == "hand"} == {"hand/joint_cmd", "/allegroHand_0/joint_states"}
    assert {topic for node, topic in rows if node == "wrench"} == {"/ft/wrench"}
    assert {row.max_age_s for row in shown if row.node in ("arm", "hand", "wrench")} == {0.1}


def test_a_step_of_the_wall_clock_changes_no_stamp(monkeypatch):
    with solo(Eavesdropper, "eavesdropper") as bench:
        before_s, wall_s = bench.node.now_s(), time.time()
        assert before_s == pytest.approx(wall_s, abs=1.0)
        for step_s in (3600.0, -3600.0):
            monkeypatch.setattr(time, "time_ns", lambda step_s=step_s: int((wall_s + step_s) * 1e9))
            assert before_s <= bench.node.now_s() < before_s + 60.0
        stamp = bench.node.stamp()
        assert before_s <= stamp.sec + stamp.nanosec * 1e-9 < before_s + 60.0


def test_simulated_time_is_honoured_in_stamps():
    with solo(Eavesdropper, "eavesdropper", use_sim_time="true") as bench:
        assert bench.node.now_ns() == 0  # nobody has published /clock
