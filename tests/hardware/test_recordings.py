"""Readers of recordings: samples in order, a time base that says where it is from, and an error for what cannot be read."""

import numpy as np
import pytest
import scipy.io

from tactus_core.errors import DataError
from tactus_hardware.recording import open_recording


def test_gif_is_an_image_stream_with_the_files_delays(gif):
    recording = open_recording(gif)
    samples = list(recording.samples())
    assert [s.stream for s in samples] == ["optical_touch/image"] * 12
    assert [s.stamp_s for s in samples] == pytest.approx(np.arange(12) * 0.04)
    assert samples[0].value.shape == (48, 64, 3)
    assert recording.info.rate_Hz == pytest.approx(25.0)
    assert recording.info.counts == {"optical_touch/image": 12}


def test_force_trace_says_that_its_rate_is_assumed(mat):
    recording = open_recording(mat, take=2)
    assert recording.info.rate_Hz == 694.0
    assert "no time stamps" in recording.info.notes[1]
    assert "694 Hz in this take" in recording.info.notes[1]
    asked = open_recording(mat, rate_Hz=1000.0).info
    assert (asked.rate_Hz, asked.rate_source, asked.duration_s) == (1000.0, "asked for", 0.6)


def test_force_trace_leaves_out_what_was_not_recorded(mat):
    samples = list(open_recording(mat).samples())
    times_s = [s.time_s for s in samples]
    assert times_s == sorted(times_s)
    wrench = next(s.value for s in samples if s.stream == "wrench/raw")
    assert np.isfinite(wrench[:3]).all()
    assert np.isnan(wrench[3:]).all()
    assert {s.stream for s in samples} == {"wrench/raw", "recorded/tcp_position"}


def test_recording_can_be_played_again(gif, mat):
    for path in (gif, mat):
        recording = open_recording(path)
        assert len(list(recording.samples())) == len(list(recording.samples())) == sum(recording.info.counts.values())


def test_missing_and_unknown_files_are_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("force: 3 N")
    (tmp_path / "folder").mkdir()
    for name, message in (("nothing.gif", "cannot read"), ("notes.txt", "no known format"), ("folder", "holds 0 MCAP files")):
        with pytest.raises(DataError, match=message):
            open_recording(tmp_path / name)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_damaged_files_are_refused(gif, mat, share):
    for path in (gif, mat):
        whole = path.read_bytes()
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(DataError, match="damaged"):
            open_recording(path)


def test_damaged_bag_is_refused(tmp_path):
    (tmp_path / "bag_0.mcap").write_bytes(b"\x89MCAP0\r\n" + bytes(200))
    with pytest.raises(DataError, match="damaged"):
        open_recording(tmp_path)


@pytest.mark.parametrize(
    "value",
    [
        np.zeros(5),
        {"pos": np.zeros((3, 9)), "vel": np.zeros((3, 9)), "F": np.zeros((3, 8))},
        {"pos": np.zeros((3, 9)), "vel": np.zeros((3, 9)), "F": "code"},
        {"pos": np.zeros((3, 9)), "vel": np.zeros((3, 9))},
    ],
    ids=["numbers", "lengths", "text", "field"],
)
def test_other_matlab_content_is_refused(tmp_path, value):
    scipy.io.savemat(tmp_path / "x.mat", {"symbol_data": value})
    with pytest.raises(DataError, match="take 1"):
        open_recording(tmp_path / "x.mat")


def test_take_that_is_not_there_is_refused(mat):
    with pytest.raises(DataError, match="holds 2 takes"):
        open_recording(mat, take=3)


def test_real_recordings_open(data):
    touch = open_recording(data("tactile/gelsight_mini_touch_seq/touch_real_seq_320x240.gif")).info
    assert (touch.counts, touch.rate_Hz) == ({"optical_touch/image": 56}, pytest.approx(25.0))
    path = data("force/panda_ft_trace/symbol_17_data.mat")
    lengths = [open_recording(path, take=take).info.counts["wrench/raw"] for take in range(1, 7)]
    assert lengths == [5520, 5471, 8647, 9637, 17703, 15523]
