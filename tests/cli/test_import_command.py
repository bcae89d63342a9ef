"""`tactus import` and `tactus bench policy --against`: what they are told, and what they refuse."""

import importlib
import math

import pytest

from tactus_cli.commands.bench import command as bench
from tactus_core.errors import ConfigError, DataError, SetupError

# A module named as a Python keyword cannot be imported by a statement.
importing = importlib.import_module("tactus_cli.commands.import")
SAID = ["--robot", "so101", "--state", "arm_position", "--action", "arm_position", "--rate-hz", "30"]


def test_units_of_joints(tmp_path):
    joints = ("shoulder", "gripper")
    assert importing.joint_units("deg", joints) == {joint: (pytest.approx(math.radians(1.0)), 0.0) for joint in joints}
    (tmp_path / "units.yaml").write_text("gripper: [0.02, -0.1]\n")
    assert importing.joint_units(str(tmp_path / "units.yaml"), joints) == {"gripper": (0.02, -0.1)}


@pytest.mark.parametrize(
    "line", ["elbow: [1, 0]", "gripper: 2", "gripper: [0, 0]", "gripper: [-1, 0]", "gripper: [.nan, 0]", "gripper: [1, .inf]"]
)
def test_units_that_cannot_be_are_refused(line, tmp_path):
    (tmp_path / "units.yaml").write_text(line)
    with pytest.raises(ConfigError, match="expected a joint of shoulder, gripper"):
        importing.joint_units(str(tmp_path / "units.yaml"), ("shoulder", "gripper"))


def test_a_folder_that_is_no_checkpoint_is_refused(tmp_path):
    pytest.importorskip("safetensors", reason="checkpoints are safetensors: pip install -r requirements/train.txt")
    with pytest.raises(DataError, match="a folder with config"):
        importing.command.main(["lerobot", str(tmp_path), *SAID], standalone_mode=False)


def test_comparing_says_what_it_needs(tmp_path):
    with pytest.raises(ConfigError, match="needs --checkpoint and --lerobot-python"):
        bench.main(["policy", "--against", "lerobot"], standalone_mode=False)


@pytest.mark.parametrize(("python", "says"), [("/nowhere/python", "No such file"), ("/bin/false", "process ended")])
def test_an_environment_without_lerobot_is_told(python, says, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(SetupError, match=says):
        bench.main(
            ["policy", "--against", "lerobot", "--bundle", "wipe-chunk", "--checkpoint", str(tmp_path), "--lerobot-python", python],
            standalone_mode=False,
        )
