"""Helpers for launch files that are written inside the tests."""

from pathlib import Path

import pytest


@pytest.fixture
def write(tmp_path: Path):
    """Write a launch file from what stands inside <launch>; returns its path."""

    def write(body: str, name: str = "test.launch.xml") -> Path:
        file = tmp_path / name
        file.write_text(f"<launch>\n{body}\n</launch>\n")
        return file

    return write


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an installed ROS package `demo` with an executable `show`, which prints its arguments and a variable of its environment."""
    prefix = tmp_path / "prefix"
    program = prefix / "lib" / "demo" / "show"
    index = prefix / "share" / "ament_index" / "resource_index" / "packages"
    program.parent.mkdir(parents=True)
    index.mkdir(parents=True)
    (prefix / "share" / "demo").mkdir()
    (index / "demo").touch()
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\necho "MODE=$MODE"\n')
    program.chmod(0o755)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(prefix))
    return prefix
