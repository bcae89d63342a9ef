"""A bag becomes a data set with the very values that were recorded; what nobody said is missing in it, and nothing is interpolated."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from written_bag import HUMAN_STEPS, SIZE, START_NS, STEP_NS, WrittenBag

from tactus_core.datasets.bag import Bag, Stream
from tactus_core.datasets.convert import convert
from tactus_core.datasets.lerobot import LeRobotData
from tactus_core.datasets.replay_buffer import NAME
from tactus_core.datasets.rows import episodes
from tactus_core.datasets.stats import of_columns
from tactus_core.errors import DataError


def told(bag, topic, tick_ns, late_ns=0):
    """Return what was written last before each tick: the rule once more, the slow way."""
    rows = [[value for time_ns, value in bag.told[topic] if time_ns + late_ns <= tick] for tick in tick_ns.tolist()]
    return [row[-1] for row in rows]


@given(st.lists(st.integers(0, 10**12), min_size=1), st.lists(st.integers(-10, 10**12 + 10), min_size=1))
def test_newest_is_never_after_the_tick_and_none_is_newer(stamps, ticks):
    stamps.sort()
    stream = Stream("/wrench", np.array(stamps), np.array(stamps), np.array(stamps), np.empty(0, np.int64))
    for tick, row in zip(ticks, stream.newest(np.array(ticks)), strict=True):
        before = [stamp for stamp in stamps if stamp <= tick]
        assert row == len(before) - 1


def test_values_are_those_of_the_bag_bit_for_bit(bag, v3):
    data = LeRobotData(v3)
    for entry in data.entries:
        table = data.table(entry)
        tick_ns = table["time_ns"]
        assert np.array_equal(table["observation.state"], told(bag[1], "/joint_states", tick_ns))
        assert np.array_equal(table["observation.velocity"], -table["observation.state"])
        assert np.array_equal(table["observation.wrench"], told(bag[1], "/wrench", tick_ns))
        assert np.array_equal(table["observation.taxels"], told(bag[1], "/tactile", tick_ns))
        assert table["observation.taxels"].dtype == np.float32
        action, reasons, source = zip(*told(bag[1], "/verdict", tick_ns, bag[1].late_ns), strict=True)
        assert np.array_equal(table["action"], action)
        assert table["guard.reasons"].tolist() == list(reasons)
        assert table["source"].tolist() == list(source)
    assert "observation.effort" not in data.columns, "nobody reported it"


def test_times_are_true(bag, v3):
    table = LeRobotData(v3).table(LeRobotData(v3).entries[0])
    # The first whole command arrived 1 ms after it was sent, and the grid begins there.
    assert table["time_ns"][0] == START_NS + 20 * STEP_NS + bag[1].late_ns
    assert np.abs((table["time_ns"] - table["time_ns"][0]) * 1e-9 - np.arange(len(table["time_ns"])) / 30).max() < 1e-9
    stamps = [max(t for t, _ in bag[1].told["/camera/image"] if t <= tick) for tick in table["time_ns"].tolist()]
    assert table["age.camera_image"] == pytest.approx((table["time_ns"] - stamps) * 1e-9, abs=1e-12)


def test_short_intervention_keeps_its_edges(v3):
    table = LeRobotData(v3).table(LeRobotData(v3).entries[0])
    onset, offset = (np.flatnonzero(table[f"intervention_{edge}"]) for edge in ("onset", "offset"))
    assert (len(onset), len(offset)) == (1, 1)
    first_ns = START_NS + HUMAN_STEPS[0] * STEP_NS + 1_000_000
    assert table["time_ns"][onset[0] - 1] < first_ns <= table["time_ns"][onset[0]]


def test_what_nobody_said_is_missing(v3):
    data = LeRobotData(v3)
    table = data.table(data.entries[0])
    assert set(table["success"]) == {-1}
    before = table["time_ns"] < START_NS + HUMAN_STEPS[0] * STEP_NS
    assert np.isnan(table["proposal.human"][before]).all()
    assert np.isnan(table["age.proposal.human"][before]).all()
    assert np.isfinite(table["proposal.policy"]).all()
    assert "idle" not in data.columns


def test_pictures_are_near_to_those_of_the_bag(bag, v3):
    data = LeRobotData(v3)
    for episode in data.episodes():
        (video,) = episode.videos.values()
        wanted = told(bag[1], "/camera/image", episode.values["time_ns"])
        for got, expected in zip(video.pictures(), wanted, strict=True):
            assert got.shape == (*SIZE, 3)
            assert np.abs(got.astype(int) - expected).mean() < 4.0


def test_statistics_leave_out_what_was_missing():
    from tactus_core.datasets.episode import Column

    found = of_columns({"a": Column("float64", (2,))}, {"a": np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]])})["a"]
    assert (found["min"][0], found["max"][0], found["mean"][0], found["std"][0], found["count"]) == (1.0, 3.0, 2.0, 1.0, [3])
    assert np.isnan(found["mean"][1])


def test_provenance_says_the_rule_and_the_bags(bag, v3):
    about = json.loads((v3 / "meta" / "tactus.json").read_text())
    assert "nothing is interpolated" in about["rule"]
    assert [episode["bag"] for episode in about["episodes"]] == [str(bag[0])] * 2


def test_zarr_is_a_replay_buffer_with_the_pictures_as_recorded(bag, tmp_path):
    zarr = pytest.importorskip("zarr")
    list(convert([bag[0], bag[0]], "zarr", tmp_path / "set", 20, None, None, lambda source: None))
    root = zarr.open_group(str(tmp_path / "set" / NAME), mode="r")
    assert root.metadata.zarr_format == 2
    ends = root["meta/episode_ends"][:]
    lengths = {name: array.shape[0] for name, array in root["data"].arrays()}
    assert set(lengths.values()) == {ends[-1]}
    assert ends[0] * 2 == ends[1]
    assert {"state", "wrench", "taxels", "action", "camera", "timestamp", "intervention"} <= set(lengths)
    wanted = told(bag[1], "/camera/image", root["data/time_ns"][: ends[0], 0])
    assert np.array_equal(root["data/camera"][: ends[0]], wanted)
    assert np.array_equal(root["data/camera"][ends[0] :], wanted)
    assert root["data/state"].dtype == np.float64


def test_bags_of_different_robots_are_refused_and_nothing_is_left(bag, tmp_path):
    WrittenBag(tmp_path / "blind", without=["/camera/image", "/tactile"])
    with pytest.raises(DataError, match=r"observation\.taxels"):
        list(convert([bag[0], tmp_path / "blind"], "lerobot", tmp_path / "set", None, None, None, lambda source: None))
    assert [path.name for path in tmp_path.iterdir()] == ["blind"]


def test_a_data_set_is_never_overwritten(bag, v3):
    with pytest.raises(DataError, match="never overwritten"):
        list(convert([bag[0]], "lerobot", v3, None, None, None, lambda source: None))


def test_a_bag_of_sensors_alone_has_no_action(tmp_path):
    WrittenBag(tmp_path / "sensors", steps=30, without=["/verdict", "/proposal", "/camera/image"])
    (episode,) = episodes(Bag(tmp_path / "sensors"), 30, "look")
    assert "action" not in episode.columns
    assert episode.values["time_ns"][0] == START_NS


def test_neither_ros_nor_torch_is_imported(bag, tmp_path):
    code = (
        "import sys; from pathlib import Path; from tactus_core.datasets.convert import convert\n"
        f"list(convert([Path({str(bag[0])!r})], 'lerobot', Path({str(tmp_path / 'set')!r}), None, None, None, lambda source: None))\n"
        "print([name for name in ('rclpy', 'torch', 'tactus_msgs', 'pandas') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert shown.stdout == "[]\n", shown.stderr


def test_the_real_lerobot_reads_it(v3, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    reader = pytest.importorskip("lerobot.datasets.lerobot_dataset", reason="lerobot is not installed: pip install 'lerobot[dataset]'")
    read = reader.LeRobotDataset("local/data", root=v3, video_backend="pyav")
    data = LeRobotData(v3)
    assert (read.num_episodes, len(read)) == (2, sum(entry.rows for entry in data.entries))
    for row in (0, data.entries[0].rows, len(read) - 1):
        item = read[row]
        assert item["task"] == "push the button"
        assert float(item["timestamp"]) == pytest.approx((row % data.entries[0].rows) / 30, abs=1e-3)
        assert tuple(item["observation.images.camera"].shape) == (3, *SIZE)
