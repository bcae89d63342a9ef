"""replay: what it refuses, in one paragraph each, before anything has been started."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.gif"], "cannot read the recording nothing.gif: No such file or directory"),
        (["notes.txt"], "notes.txt is of no known format"),
        (["cut.gif"], "cut.gif is damaged"),
        ([".", "--speed", "1"], "holds 0 MCAP files"),
        (["bag"], "is damaged, or no bag of the recorder"),
    ],
)
def test_error_is_one_paragraph(arguments, message, tmp_path):
    (tmp_path / "notes.txt").write_text("force: 3 N")
    (tmp_path / "cut.gif").write_bytes(b"GIF89a" + bytes(20))
    (tmp_path / "bag").mkdir()
    (tmp_path / "bag" / "bag_0.mcap").write_bytes(b"\x89MCAP0\r\n" + bytes(100))
    before = sorted(tmp_path.iterdir())
    command = [sys.executable, "-m", "tactus_cli", "replay", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 1
    assert message in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert sorted(tmp_path.iterdir()) == before
