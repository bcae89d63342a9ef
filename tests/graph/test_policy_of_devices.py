"""A policy on a robot made of devices, through the shipped launch file: each sensor has stamps of its own, and the arm takes joints."""

import json
from dataclasses import replace

import numpy as np
from conftest import ROOT
from std_srvs.srv import SetBool

from tactus_cli.launching.session import Launched
from tactus_core.datasets.bag import Bag
from tactus_core.kinematics import Kinematics
from tactus_core.learning.bags import Lived, lived
from tactus_core.learning.judged import Actor
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.card import dump_card, file_sha256, load_card
from tactus_core.policy.signals import CommandedSpec, JointsSpec, ObservedSpec
from tactus_core.policy.specs import DirectSpec, ObservationSpec, StreamSpec
from tactus_core.types import ChunkKind
from tactus_nodes import topics
from tactus_nodes.client import GraphSession
from tactus_nodes.plugins import find_robot

HAND_RAD, UP_M = 0.3, -0.04  # along the tool's z, which points down


def rising(bundles, folder):
    """Write the bundle of a policy that lifts the tool and bends the fingers, hardly moved by what it observes."""
    observed = (ObservedSpec("arm_position", (0.0, -0.1)), ObservedSpec("hand_position", (0.0,)), ObservedSpec("wrench", (0.0,)))
    bundles.write_bundle(
        folder,
        ChunkKind.ACTION,
        "ur5e_leap_netft",
        joints=JointsSpec(6, 16),
        observation=ObservationSpec({}, observed),
        action=(CommandedSpec("arm", "tcp_pose_relative"), CommandedSpec("hand", "hand_position")),
        generator=DirectSpec(),
        streams={"joint_states": StreamSpec(0.2, "hold"), "wrench": StreamSpec(0.2, "hold")},
    )
    path, card = folder / "normaliser.json", load_card(folder / "card.yaml")
    values = json.loads(path.read_text())
    values["action"] = {"offset": [0, 0, UP_M, 1, 0, 0, 0, 1, 0, *[HAND_RAD] * 16], "scale": [1e-4] * 25}
    path.write_text(json.dumps(values))
    dump_card(replace(card, normaliser=replace(card.normaliser, sha256=file_sha256(path))), folder / "card.yaml")
    return folder


def test_it_moves_arm_and_hand_and_rests_when_it_is_stopped(bundles, tmp_path):
    robot, made = find_robot("ur5e_leap_netft"), rising(bundles, tmp_path / "rising")
    kinematics, seen, states = Kinematics(robot), {}, []
    given = {"mode": "sim", "policy": str(made), "dry_run": "false", "realtime": "false", "record": "true", "folder": str(tmp_path / "bag")}
    file = ROOT / "launch/robots/ur5e_leap_netft.launch.xml"
    with Launched(file, given, folder=tmp_path / "logs") as launched, GraphSession(launched.check) as session:
        session.wait_ready()
        session.listen(topics.JOINT_STATES, lambda message: seen.__setitem__("arm", np.array(message.position)))
        session.listen(topics.HAND_STATES, lambda message: seen.__setitem__("hand", np.array(message.position)))
        session.listen(topics.VERDICT, lambda message: states.append(message.state))
        session.wait_for(lambda: len(seen) == 2 and states, 20.0, "the robot")
        assert "running" not in states
        began_m = kinematics.tcp_pose(seen["arm"])[2, 3]
        session.call(SetBool, "slow_policy/run", data=True)
        session.wait_for(lambda: kinematics.tcp_pose(seen["arm"])[2, 3] > began_m + 0.02, 30.0, "the tool to rise")
        session.wait_for(lambda: abs(seen["hand"] - HAND_RAD).max() < 0.05, 30.0, "the fingers to bend")
        session.call(SetBool, "slow_policy/run", data=False)
        session.wait_for(lambda: states[-1] == "holding", 30.0, "the robot to rest")
    *_, lived_there = lived(Bag(tmp_path / "bag"), lambda _: Actor(Bundle.load(made), robot, 0.05))
    assert isinstance(lived_there, Lived), lived_there
    assert lived_there.off.max() <= 1e-6, "what the policy proposed follows from the record"
    assert lived_there.transitions.success is None
