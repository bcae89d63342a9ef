"""A bag becomes the transitions that practice in lockstep notes of the same episode; what is not whole is left out, and told."""

from dataclasses import fields

import numpy as np
import pytest
from lived_story import HUMAN, MS, TICK_NS, changed, without
from written_bag import header, pose

from tactus_core.datasets.bag import Bag
from tactus_core.datasets.findings import Finding
from tactus_core.errors import TactusError
from tactus_core.learning.bags import lived
from tactus_core.learning.transitions import Transitions


def test_a_bag_is_what_practice_would_have_noted(story, tmp_path):
    (found,) = lived(story.bag(tmp_path / "bag"), story.find)
    assert found.off.max() <= 1e-6
    assert 0 < story.practised.intervened.sum() < len(story.practised)
    for field in fields(Transitions):
        got, expected = getattr(found.transitions, field.name), getattr(story.practised, field.name)
        if field.name == "seed":
            assert (got, expected) == (-1, 3)
        elif isinstance(expected, np.ndarray):
            np.testing.assert_allclose(got, expected, atol=1e-6, err_msg=field.name)
        else:
            assert got == expected, field.name


def test_interventions_look_as_they_do_in_lockstep(story, tmp_path):
    (found,) = lived(story.bag(tmp_path / "bag"), story.find)
    story.corrected.write(tmp_path / "seen.npz", 3)
    expected = np.load(tmp_path / "seen.npz")
    began_s = expected["t_s"][-1] - found.seen["t_s"][-1]
    rows = np.rint((began_s + found.seen["t_s"]) / 0.005).astype(int)
    for name in ("tcp_pose", "wrench", "fingertips", "action_pose", "action_press"):
        np.testing.assert_allclose(found.seen[name], expected[name][rows], atol=1e-6, err_msg=name)
    np.testing.assert_allclose(found.seen["image_t_s"] + began_s, expected["image_t_s"], atol=1e-9)
    assert found.seen["image"][:, 0, 0, 0].tolist() == [tick % 256 for tick in range(0, 300, 20) if tick in HUMAN]


def test_touch_that_the_policy_never_got_is_not_among_what_it_felt(story, tmp_path):
    sensed = [row for row in story.heard if row[1] in ("/joint_states", "/wrench", "/tactile")]
    blow = {"force": {"x": 0.0, "y": 0.0, "z": -30.0}, "torque": {"x": 0.0, "y": 0.0, "z": 0.0}}
    # Half a microsecond later: as of any time that a policy asks for, it would be the newest.
    missed = [
        (at_ns + 500, topic, {**message, "header": header(at_ns + 500), **({"wrench": blow} if topic == "/wrench" else {})})
        for at_ns, topic, message in sensed
    ]
    (found,) = lived(story.bag(tmp_path / "bag", [*story.heard, *missed]), story.find)
    assert found.off.max() <= 1e-6
    np.testing.assert_allclose(found.transitions.observed, story.practised.observed, atol=1e-6)


@pytest.mark.parametrize(
    ("heard", "words"),
    [
        (lambda story: without(story, "/verdict", 100), "1 holes in the guard's ticks"),
        (lambda story: without(story, "/chunk", 0), "chunk 1, which was played"),
        (lambda story: [row for row in story.heard if row[1] != "/wrench"], "lacks /hand/joint_states, /wrench, which 'stub@1' needs"),
        (lambda story: [row for row in story.heard if not (row[1] == "/tactile" and 120 <= row[0] // TICK_NS < 160)], "newest touch is"),
        (lambda story: changed(story, "/proposal", 100, bundle_hash="ab12"), "expected one policy that acts"),
        (lambda story: changed(story, "/proposal", 100, tcp_target=pose([0, 0, 0, 0, 0, 0, 1])), "from what 'stub@1' makes of the record"),
    ],
    ids=["verdict", "chunk", "wrench", "touch", "two versions", "another proposal"],
)
def test_an_episode_with_a_hole_is_left_out_and_told(story, tmp_path, heard, words):
    (found,) = lived(story.bag(tmp_path / "bag", heard(story)), story.find)
    assert isinstance(found, Finding)
    assert words in found.what


def test_an_unknown_bundle_is_named(story, tmp_path):
    (found,) = lived(story.bag(tmp_path / "bag"), lambda bundle_hash: None)
    assert "stub@1" in found.what
    assert story.bundle.sha256[:12] in found.what


def test_a_dry_run_has_no_decisions(story, tmp_path):
    nothing = pose([np.nan] * 7)
    heard = [(at_ns, topic, {**message, "executed": nothing} if topic == "/verdict" else message) for at_ns, topic, message in story.heard]
    (found,) = lived(story.bag(tmp_path / "bag", heard), story.find)
    assert "no decision" in found.what


def test_what_is_known_is_not_read_anew(story, tmp_path):
    bag, asked = story.bag(tmp_path / "bag"), []
    assert not list(lived(bag, lambda bundle_hash: pytest.fail("it was read"), known=lambda *span_s: asked.append(span_s) or True))
    (found,) = lived(bag, story.find)
    ((begins_s, ends_s),) = asked
    stamps_s = found.transitions.stamp_s
    assert begins_s <= stamps_s[0] <= stamps_s[-1] <= ends_s


def test_bags_that_overlap_are_one_experience_and_a_damaged_one_does_not_end_it(story, tmp_path):
    from tactus_cli.bags import Collecting
    from tactus_core.learning.transitions import Experience

    experience, bags = Experience(tmp_path / "experience"), tmp_path / "bags"
    collecting = Collecting(experience, story)
    assert not list(collecting.news(bags))
    bags.mkdir()
    story.bag(bags / "first")
    assert not list(collecting.news(bags)), "it is still being written"
    (bags / "first" / "metadata.yaml").touch()
    story.bag(bags / "again")
    (bags / "again" / "metadata.yaml").touch()
    (bags / "torn").mkdir()
    (bags / "torn" / "metadata.yaml").touch()
    (finding,) = collecting.news(bags)
    assert "torn" in finding.episode
    assert [path.name for path in experience.paths()] == ["000000.npz"]
    assert experience.seen(0).is_file()
    assert not list(Collecting(experience, story).news(bags / "first"))
    assert len(experience.paths()) == 1


def test_of_what_a_bag_before_had_only_the_end_is_read(story, tmp_path, monkeypatch):
    from tactus_cli import bags
    from tactus_core.learning.transitions import Experience

    class Asking(bags.Bag):
        def __init__(self, source, since):
            super().__init__(source, since)
            asked.append(since)

    asked = []
    monkeypatch.setattr(bags, "Bag", Asking)
    monkeypatch.setattr(bags, "_BEFORE_NS", 200 * MS)
    story.bag(tmp_path / "bag")
    collecting = bags.Collecting(Experience(tmp_path / "experience"), story)
    (found,) = collecting.take(tmp_path / "bag")
    known_ns, much_later_ns = round(found.transitions.stamp_s[-1] * 1e9), 10**12
    since = asked[-1]
    assert since(0, much_later_ns) == since(500 * MS, much_later_ns) == known_ns - 200 * MS
    assert since(known_ns - MS, much_later_ns) == known_ns - MS
    assert since(-(10**12), much_later_ns) == -(10**12), "what lies before it was never looked at"
    assert since(much_later_ns, 2 * much_later_ns) == much_later_ns
    assert not list(collecting.take(tmp_path / "bag"))


def test_of_a_bag_the_end_alone_can_be_read(story, tmp_path):
    whole = story.bag(tmp_path / "bag")
    end = Bag(tmp_path / "bag", lambda first_ns, last_ns: (first_ns + last_ns) // 2)
    assert end.reach_ns == whole.reach_ns
    for topic, stream in end.streams.items():
        first = len(whole.streams[topic].time_ns) - len(stream.time_ns)
        np.testing.assert_array_equal(stream.time_ns, whole.streams[topic].time_ns[first:])
        assert stream.arrival_ns[0] >= sum(whole.reach_ns) // 2
    places = [len(bag.streams["/camera/image"].time_ns) - 2 for bag in (whole, end)]
    (one,), (other,) = (bag.pictures("/camera/image", [place]) for bag, place in zip((whole, end), places, strict=True))
    assert (one == other).all()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "transitions", "there"], "expected --bundle just with"),
        (["--to", "zarr", "there", "--bundle", "insert-base"], "expected --bundle just with"),
        (["--to", "transitions", "there", "--bundle", "insert-base", "--rate-hz", "30"], "Leave --rate-hz"),
        (["--to", "transitions", "there", "--bundle", "nobody"], "no bundle 'nobody'"),
        (["--to", "zarr", "there", "--classifier", "insert-success"], "--classifier labels the episodes of"),
        (["--to", "frames", "there"], "expected --bundle just with"),
        (["--to", "transitions", "there", "--bundle", "insert-base", "--classifier", "insert-base"], "no classifier of success"),
    ],
)
def test_what_transitions_cannot_be_made_with_is_refused(words, said, tmp_path):
    from tactus_cli.commands.convert import command

    with pytest.raises(TactusError, match=said):
        command.main([str(tmp_path), *words], standalone_mode=False)
