"""Plots and video from a small bag that is written here, message by message."""

import av
import numpy as np
import pytest

pytest.importorskip("rclpy", reason="bags are written with the definitions of ROS messages: run it by ./tactus test")

from rclpy.serialization import serialize_message

from tactus_cli.report import plots, video
from tactus_cli.report.bag import Series, read
from tactus_cli.report.wiping import read_episodes
from tactus_core.errors import DataError
from tactus_core.types import Outcome, WorldSnapshot
from tactus_nodes import convert, convert_seen, convert_tactus, topics
from tactus_nodes.bag import BagWriter

SEEDS = (200_000, 200_001)
EPISODE_S, IDLE_S = 0.6, 0.3
PARTS = {"wiped": 1.0, "in_band": 0.95, "peak_force_N": 12.0, "stroke_s": 0.4, "episode_s": EPISODE_S}


class Story:
    """Writes what a graph would publish: idle, two episodes with a pause in between, the second one without an outcome."""

    def __init__(self, folder):
        self.bag = BagWriter(folder)
        self.types = {f"/{topic.name}": topic for topic in (topics.WRENCH, topics.TACTILE, topics.IMAGE, topics.WORLD, topics.OUTCOME)}
        for name, topic in self.types.items():
            package = topic.type.__module__.partition(".")[0]
            self.bag.add_topic(name, f"{package}/msg/{topic.type.__name__}", topic.qos, "RIHS01_0")
        self.now_s = 1000.0
        self.run(999, IDLE_S)
        self.run(SEEDS[0], EPISODE_S)
        self.put("/sim/outcome", convert_tactus.to_outcome(Outcome(SEEDS[0], True, PARTS), self.stamp))
        self.run(SEEDS[0], IDLE_S)  # the world goes on until the next reset
        self.now_s += 0.15
        self.run(SEEDS[1], EPISODE_S)
        self.bag.close()

    @property
    def stamp(self):
        return convert.to_stamp(self.now_s)

    def put(self, name, message):
        self.bag.write(name, round(self.now_s * 1e9), bytes(serialize_message(message)))

    def run(self, seed, seconds):
        touch = convert_seen.taxel_cloud(4, 12)
        wrench = topics.WRENCH.type()
        wrench.header.frame_id = "tcp"
        for i in range(round(seconds / 0.005)):
            self.now_s += 0.005
            wrench.header.stamp = touch.header.stamp = self.stamp
            convert.put_wrench(np.array([0.0, 0.0, -8.0 * (seed in SEEDS), 0.0, 0.0, 0.0]), wrench)
            taxels = np.random.default_rng(i).uniform(0.0, 0.3, (4, 12, 6))
            convert_seen.put_taxels(taxels, touch)
            self.put("/wrench", wrench)
            self.put("/tactile", touch)
            if i % 10 == 0:
                positions = np.append(np.full(26, 0.1 * i), 0.001 * i)
                marks = np.array([1] * 3 + [0] * 5, np.uint8)
                self.put("/sim/world", convert_tactus.to_world(WorldSnapshot(seed, positions, marks), self.stamp))
            if i % 20 == 0:
                self.put("/camera/image", convert_seen.to_image(np.full((96, 96, 3), seed % 251, np.uint8), self.stamp))


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bags") / "story"
    Story(folder)
    return folder


@pytest.fixture(scope="module")
def episodes(bag):
    return read_episodes(bag, SEEDS)


class Camera:
    def render(self, snapshot):
        return np.full((360, 480, 3), 200, np.uint8)


def test_episodes_begin_with_their_world_and_end_with_their_outcome(episodes):
    assert [episode.seed for episode in episodes] == list(SEEDS)
    whole, unfinished = episodes
    assert whole.outcome.parts == PARTS
    assert unfinished.outcome is None
    for episode in episodes:
        assert episode.duration_s == pytest.approx(EPISODE_S, abs=0.06)
        assert episode.force_N == pytest.approx(8.0)
        assert episode.wrench.t_s[0] == 0.0
        assert episode.wrench.t_s[-1] <= episode.duration_s
        assert len(episode.taxels.t_s) == len(episode.wrench.t_s)
        assert np.all(episode.images.values == episode.seed % 251)


def test_world_is_interpolated_between_snapshots_and_kept_beyond(episodes):
    worlds = episodes[0].worlds
    middle = episodes[0].world_at(float(worlds.t_s[2] + 0.25 * (worlds.t_s[3] - worlds.t_s[2])))
    assert middle.positions[0] == pytest.approx(0.75 * 2.0 + 0.25 * 3.0)
    assert episodes[0].world_at(-1.0).positions[0] == worlds.values[0].positions[0]
    assert episodes[0].world_at(99.0).positions[0] == worlds.values[-1].positions[0]
    assert episodes[0].wiped.values == pytest.approx(5 / 8)


def test_series_gives_the_newest_value_and_cuts_with_both_ends():
    series = Series(np.array([1.0, 2.0, 3.0]), ["a", "b", "c"])
    assert [series.at(t) for t in (0.0, 1.0, 2.9, 3.0, 9.0)] == ["a", "a", "b", "c", "c"]
    cut = series.cut(2.0, 3.0)
    assert (cut.t_s.tolist(), cut.values) == ([0.0, 1.0], ["b", "c"])


def test_force_figure_of_a_whole_and_an_unfinished_episode(episodes, tmp_path):
    for episode in episodes:
        plots.force_figure(episode, "some-bundle", tmp_path / f"{episode.seed}.png")
        assert (tmp_path / f"{episode.seed}.png").read_bytes().startswith(b"\x89PNG")


def test_latency_figure_also_where_the_last_bin_is_full(tmp_path):
    histogram = [0] * 200
    histogram[11], histogram[199] = 900, 100
    latency = {"touch_to_command_ms": {"p50": 1.1, "p99": 40.0, "max": 50.0}, "histogram_ms": histogram, "realtime_scheduling": False}
    plots.latency_figure(latency, tmp_path / "latency.png")
    assert (tmp_path / "latency.png").read_bytes().startswith(b"\x89PNG")


def test_video_has_every_picture_and_even_sides(episodes, tmp_path):
    path = tmp_path / "episodes.mp4"
    video.encode(path, video.frames(episodes, "some-bundle", Camera()))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt, stream.average_rate) == ("h264", "yuv420p", video.FPS)
        assert stream.width % 2 == stream.height % 2 == 0
        assert sum(1 for _ in container.decode(stream)) == video.frame_count(episodes)


def test_interrupted_video_leaves_no_file(episodes, tmp_path):
    def broken():
        yield next(video.frames(episodes, "some-bundle", Camera()))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        video.encode(tmp_path / "episodes.mp4", broken())
    assert not list(tmp_path.iterdir())


def test_folder_without_a_bag_and_half_a_bag_are_errors(bag, tmp_path):
    with pytest.raises(DataError, match="no bag in"):
        read(tmp_path, {})
    whole = next(bag.glob("*.mcap")).read_bytes()
    (tmp_path / "half.mcap").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="not a whole bag"):
        read(tmp_path, {topics.WRENCH: convert.wrench_tcp})
