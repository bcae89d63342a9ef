"""./tactus on machines that lack something: one paragraph, with the command that mends it, and nothing is left behind."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ["bash", "cat", "cksum", "cut", "dirname", "env", "find", "flock", "fmt", "mkdir", "readlink", "sh", "sort", "uname", "xargs"]


@pytest.fixture
def machine(tmp_path):
    """A checkout, and a PATH on which only the named tools exist."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    shutil.copy(ROOT / "tactus", checkout)
    shutil.copytree(ROOT / "requirements", checkout / "requirements")
    for folder in ("ros2_ws/src", "models", "sim", "hardware", "launch"):
        (checkout / folder).mkdir(parents=True)

    def run(*tools: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        path = tmp_path / "bin"
        path.mkdir()
        for tool in (*TOOLS, *tools):
            (path / tool).symlink_to(shutil.which(tool))
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        (path / version).symlink_to(Path(sys.base_prefix) / "bin" / version)
        result = subprocess.run(
            [str(checkout / "tactus"), "demo"], env={"HOME": str(tmp_path), "PATH": str(path)} | environment, capture_output=True, text=True
        )
        result.stderr = " ".join(result.stderr.split())
        assert not (checkout / ".venv").exists()
        return result

    return run


def test_no_compiler(machine):
    result = machine("make")
    assert result.returncode == 1
    assert "lacks: a C and C++ compiler; install with: sudo apt install build-essential" in result.stderr


def test_no_make(machine):
    result = machine("cc", "c++")
    assert result.returncode == 1
    assert "lacks: make; install with" in result.stderr


def test_sourced_ros_that_python_cannot_import(machine, tmp_path):
    (tmp_path / "ros" / "share" / "rclpy").mkdir(parents=True)
    result = machine("cc", "c++", "make", ROS_DISTRO="jazzy", AMENT_PREFIX_PATH=str(tmp_path / "ros"))
    assert result.returncode == 1
    assert "ROS 2 jazzy is sourced, but neither" in result.stderr
    assert "sudo apt install ros-jazzy-rclpy" in result.stderr


@pytest.mark.skipif(not (ROOT / ".tactus" / "env.sh").is_file(), reason="this checkout was not set up by ./tactus")
def test_a_shell_that_sources_the_environment_is_in_the_graph_of_this_checkout(tmp_path):
    """Past `./tactus` nothing may run over another middleware: what was measured there would be another graph's."""
    script = f'. "{ROOT}/.tactus/env.sh"; [ "$TACTUS_ROS" = wheels ] || own_graph; env'
    said = subprocess.run(
        ["bash", "-c", script], env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True
    )
    environment = dict(line.split("=", 1) for line in said.stdout.splitlines() if "=" in line)
    assert environment["FASTRTPS_DEFAULT_PROFILES_FILE"] == str(ROOT / "launch" / "dds" / "loopback.xml")
    assert environment["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "SYSTEM_DEFAULT"
    assert 1 <= int(environment["ROS_DOMAIN_ID"]) <= 100
