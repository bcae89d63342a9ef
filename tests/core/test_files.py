"""Files come back whole, however they are read."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tactus_core import files


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(size=st.one_of(st.integers(0, 100), st.integers(65_530, 65_540), st.integers(0, 300_000)))
def test_a_file_comes_back_as_it_was_written(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    (tmp_path / "file").write_bytes(content)
    assert files.read(tmp_path / "file") == content


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="gone"):
        files.read(tmp_path / "gone")


def test_no_single_read_is_long(tmp_path: Path) -> None:
    """What one read takes no other process gets, on a kernel without preemption: the sizes are asked of the system itself."""
    (tmp_path / "file").write_bytes(bytes(4_000_000))
    before = _reads()
    files.read(tmp_path / "file")
    assert _reads() - before >= 4_000_000 / 65_536


def _reads() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["syscr"])
