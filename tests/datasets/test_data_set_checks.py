"""The validator names each fault by episode, column and time; damaged files are refused, and real episodes are read and upgraded."""

import contextlib
import json
import os
import random
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from written_bag import WrittenBag

from tactus_cli.commands.convert import command
from tactus_core.datasets.bag import Bag
from tactus_core.datasets.check import check_bag, check_data
from tactus_core.datasets.convert import convert
from tactus_core.datasets.findings import Place, irregular
from tactus_core.datasets.lerobot import LeRobotData
from tactus_core.datasets.rows import episodes
from tactus_core.datasets.video import VideoFile, VideoWriter
from tactus_core.errors import DataError
from tactus_hardware.recording import open_recording

REAL = Path(os.environ.get("TACTUS_DATA", Path(__file__).parents[3] / "shared/data")) / "episodes/g1_inspire_lerobot_v21"


@pytest.fixture
def copy(v3, tmp_path):
    return shutil.copytree(v3, tmp_path / "copy")


def rewrite(folder, column, change):
    """Change a column of the data set's only Parquet file: change(values) for all rows, as a list."""
    path = folder / "data/chunk-000/file-000.parquet"
    table = pq.read_table(path)
    values = table[column].to_pylist()
    change(values)
    place = table.column_names.index(column)
    pq.write_table(table.set_column(place, column, pa.array(values, table.schema.field(column).type)), path)


def add(row, amount):
    def change(values):
        values[row] += amount

    return change


def found(folder):
    return [(f.kind, f.episode, f.column) for f in check_data(LeRobotData(folder))]


def test_the_encoder_leaves_every_thread_to_ordinary_scheduling(tmp_path):
    writer = VideoWriter(tmp_path / "video.mp4", 10, 64, 64)  # as root, it asks for the highest real-time priority
    for level in range(20):
        writer.add(np.full((64, 64, 3), level, np.uint8))
    assert {os.sched_getscheduler(int(task.name)) for task in Path("/proc/self/task").iterdir()} == {os.SCHED_OTHER}
    writer.close()


def test_a_whole_data_set_has_no_findings(v3):
    assert found(v3) == []


@pytest.mark.parametrize(
    ("column", "change", "kind"),
    [
        ("timestamp", add(7, 0.010), "timing"),
        ("timestamp", lambda values: values.__setitem__(slice(7, 39), [t + 0.5 for t in values[7:39]]), "gap"),
        ("timestamp", add(7, -0.2), "jump"),
        ("time_ns", add(7, 30_000_000), "timing"),
        ("frame_index", add(7, 1), "length"),
        ("index", add(7, 5), "length"),
        ("age.wrench", add(7, 0.4), "gap"),
        ("action", lambda values: values[7].__setitem__(0, float("nan")), "value"),
    ],
    ids=["off", "gap", "back", "clock", "frame", "index", "old", "nan"],
)
def test_each_fault_is_named_by_episode_and_column(copy, column, change, kind):
    rewrite(copy, column, change)
    assert (kind, "episode 0", column) in found(copy)
    assert {episode for _, episode, _ in found(copy)} == {"episode 0"}


def test_a_fault_is_named_by_its_time(copy):
    rewrite(copy, "age.wrench", add(7, 0.4))
    (finding,) = check_data(LeRobotData(copy))
    assert finding.time_s == pytest.approx(7 / 30)


def test_a_leap_of_a_steady_signal_is_a_jump(copy):
    def change(values):
        for row, value in enumerate(values):
            value[0] = 0.001 * row + (3.0 if row >= 20 else 0.0)

    rewrite(copy, "observation.state", change)
    assert ("jump", "episode 0", "observation.state") in found(copy)


def test_wrong_totals_and_lengths_are_named(copy):
    info = copy / "meta/info.json"
    info.write_text(info.read_text().replace('"total_frames": ', '"total_frames": 1'))
    assert [f.kind for f in check_data(LeRobotData(copy))] == ["length"]


def test_videos_that_are_short_mistimed_or_gone_are_named(copy):
    (path,) = copy.rglob("*.mp4")
    whole = VideoFile.probe(path)
    writer = VideoWriter(path, 15, whole.height, whole.width)
    for _ in range(10):
        writer.add(np.zeros((whole.height, whole.width, 3), np.uint8))
    writer.close()
    name = "observation.images.camera"
    assert {("length", "episode 0", name), ("gap", "episode 0", name), ("length", "episode 1", name)} <= set(found(copy))
    path.unlink()
    assert set(found(copy)) == {("file", "episode 0", name), ("file", "episode 1", name)}


@given(st.lists(st.floats(0.001, 0.2), min_size=2, max_size=30))
def test_every_irregular_step_is_counted_once(steps_s):
    times_s = np.concatenate([[0.0], np.cumsum(steps_s)])
    given = list(irregular(Place("e", "c"), times_s, 0.05, 1e-3))
    step_s = np.diff(times_s)
    assert sum(f.kind == "gap" for f in given) == (step_s > 0.075).sum()
    assert any(f.kind == "timing" for f in given) == (((np.abs(step_s - 0.05) > 1e-3) & (step_s <= 0.075)).any())


def test_gaps_and_clocks_of_a_bag_are_named(tmp_path):
    WrittenBag(tmp_path / "gap", skip=range(50, 70))
    (gap,) = check_bag(Bag(tmp_path / "gap"))
    assert (gap.kind, gap.column, gap.time_s) == ("gap", "/joint_states", pytest.approx(0.49))
    WrittenBag(tmp_path / "clock", late_ns=5_000_000_000, without=["/verdict", "/proposal"])
    assert {(f.kind, f.column) for f in check_bag(Bag(tmp_path / "clock"))} >= {("timing", "/wrench"), ("timing", "/tactile")}


def test_damaged_bags_are_refused_and_never_crash(bag, tmp_path):
    whole = (bag[0] / "bag_0.mcap").read_bytes()
    chance = random.Random(0)
    path = tmp_path / "bag_0.mcap"
    refused = 0
    for _ in range(60):
        damaged = bytearray(whole[: chance.randrange(1, len(whole))] if chance.random() < 0.3 else whole)
        for _ in range(chance.randrange(1, 9)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            for episode in episodes(Bag(path), 30, "task"):
                for video in episode.videos.values():
                    list(video.pictures())
        except DataError:
            refused += 1
    assert refused > 30


def test_damaged_data_sets_are_refused_and_never_crash(v3, tmp_path):
    chance = random.Random(1)
    for round_ in range(40):
        folder = shutil.copytree(v3, tmp_path / str(round_))
        path = chance.choice([p for p in folder.rglob("*") if p.is_file() and p.name not in ("tactus.json", "stats.json")])
        content = bytearray(path.read_bytes())
        for _ in range(5):
            content[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(content)
        with contextlib.suppress(DataError):
            list(check_data(LeRobotData(folder)))


def test_real_v21_episodes_are_valid_and_become_v3_with_their_values_and_videos(tmp_path):
    if not REAL.exists():
        pytest.skip(f"no real recordings here: {REAL} is missing; name their folder in TACTUS_DATA")
    old = LeRobotData(REAL)
    assert list(check_data(old)) == []
    list(convert([REAL], "lerobot", tmp_path / "v3", None, None, None, lambda source: None))
    new = LeRobotData(tmp_path / "v3")
    assert (new.version, new.info["robot_type"], [e.rows for e in new.entries]) == ("v3.0", "Unitree_G1_Inspire", [221, 277])
    assert new.columns["observation.state"].names[-1] == "kRightHandThumbRotation"
    for before, after in zip(old.entries, new.entries, strict=True):
        assert before.task == after.task
        old_table, new_table = old.table(before), new.table(after)
        assert all(np.array_equal(old_table[name], new_table[name]) for name in old_table)
        for name, video in before.videos.items():
            assert video.path.read_bytes() == after.videos[name].path.read_bytes()
    assert list(check_data(new)) == []
    assert played(REAL) == played(tmp_path / "v3") == (["joint_states", "camera/image"] * 277, 277 / 30)


def played(folder):
    """Return the streams of an episode's samples as a replay would play them, and its length."""
    recording = open_recording(folder, take=2)
    samples = list(recording.samples())
    assert samples[0].value.names[0] == "kLeftShoulderPitch"
    assert samples[1].value.shape == (480, 640, 3)
    return [sample.stream for sample in samples], recording.info.duration_s


def test_command_checks_and_converts(bag, tmp_path):
    run = CliRunner().invoke
    result = run(
        command, [str(bag[0]), "--to", "lerobot", str(tmp_path / "set"), "--json", str(tmp_path / "r.json")], standalone_mode=False
    )
    assert result.exception is None, result.output
    report = json.loads((tmp_path / "r.json").read_text())
    assert (report["episodes"], report["findings"]) == (1, [])
    assert run(command, [str(tmp_path / "set"), "--check"], standalone_mode=False).return_value == 0
    rewrite(tmp_path / "set", "age.wrench", add(7, 0.4))
    result = run(command, [str(tmp_path / "set"), "--check"], standalone_mode=False)
    assert result.return_value == 1
    assert "age.wrench at 0.233 s" in result.output
