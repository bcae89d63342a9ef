"""Other weights are offered to a running graph: good ones act between two episodes, bad ones never, worse ones not for long."""

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from std_srvs.srv import SetBool

from tactus_cli.commands import swap
from tactus_cli.swapping.versions import finer, write_bad, write_version
from tactus_core.policy.card import file_sha256
from tactus_msgs.msg import EpisodeMark
from tactus_msgs.srv import SwapBundle
from tactus_nodes import topics

PATIENCE_S = 30.0
GOOD = 5  # successes, after which three failures are surely worse


class Story:
    """What was offered, what was said to it, and whose weights acted."""

    def __init__(self, session):
        self.session, self.verdicts, self.versions = session, [], []
        session.listen(topics.VERDICT.deeper(100), self.verdicts.append)
        session.listen(topics.VERSION.deeper(10), self.versions.append)
        self._marks = session.node.create_publisher(EpisodeMark, topics.MARK.name, topics.MARK.qos)

    def offer(self, folder):
        answer = self.session.ask(SwapBundle, "policy/swap", PATIENCE_S, bundle=str(folder))
        return answer.message if not answer.success else ""

    def mark(self, *kinds):
        for kind in kinds:
            self._marks.publish(EpisodeMark(kind=kind))
        self.session.listen_for(0.1)

    def until_acts(self, bundle_hash, what, mark=None):
        """Wait until these weights move the robot; with `mark` episodes end meanwhile."""

        def acts():
            if mark and self.versions[-1].bundle_hash != bundle_hash:
                self.mark(mark)
            return self.verdicts[-1].bundle_hash == bundle_hash and self.verdicts[-1].state == "running"

        self.session.wait_for(acts, PATIENCE_S, what)

    def moved(self):
        """Return the hashes of the weights that moved the robot, in their order."""
        hashes = [verdict.bundle_hash for verdict in self.verdicts if verdict.source == "policy" and verdict.bundle_hash]
        return [each for i, each in enumerate(hashes) if i == 0 or each != hashes[i - 1]]


@pytest.fixture(scope="module")
def story(launch, bundle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("versions")
    params = folder / "params.yaml"
    # For a machine that is busy with other tests, too.
    patient = {
        "swap": {"observations": 2, "observe_every_s": 0.2},
        "supervisor": {"heartbeat_timeout_s": 2.0},
        "guard": {"estop_timeout_s": 2.0},
    }
    params.write_text(yaml.safe_dump({name: {"ros__parameters": values} for name, values in patient.items()}))
    rng, found = np.random.default_rng(0), {}
    second = write_version(bundle, folder / "second", "2", weights=finer(rng))
    bad = write_bad(second, folder / "bad")
    (folder / "watched").mkdir()
    first_hash, second_hash = (file_sha256(each / "card.yaml") for each in (bundle, second))
    with launch(swap="true", versions=str(folder / "watched"), params=str(params)) as (_, session):
        session.wait_ready(60.0)
        story = Story(session)
        found["unseen"] = story.offer(second)
        while "nothing has come yet" in found["unseen"]:  # the slow policy says twice a second whose weights act
            session.listen_for(0.1)
            found["unseen"] = story.offer(second)
        session.run_episode(1)  # its outcome is behind it: only marks end episodes from here on
        session.wait_for(lambda: "observations" not in story.offer(second), PATIENCE_S, "enough to compare with")
        session.listen_for(0.5)
        found["mid-episode"] = story.versions[-1].bundle_hash, story.verdicts[-1].bundle_hash
        story.mark(EpisodeMark.SUCCESS)
        story.until_acts(second_hash, "the swap at the end of the episode")
        found["refused"] = {wrong: story.offer(each) for wrong, each in bad.items()}
        for _ in range(GOOD):
            story.mark(EpisodeMark.BEGIN, EpisodeMark.SUCCESS)
        # Written beside, then renamed, as a learner does it.
        third = write_version(bundle, folder / "beside", "3", weights=finer(rng)).rename(folder / "watched" / "third")
        third_hash = file_sha256(third / "card.yaml")
        story.until_acts(third_hash, "the version that appeared", mark=EpisodeMark.BEGIN)
        for _ in range(3):
            story.mark(EpisodeMark.BEGIN, EpisodeMark.FAILURE)
        story.until_acts(second_hash, "the version before", mark=EpisodeMark.BEGIN)
        found["again"] = CliRunner().invoke(swap.command, [str(third)], catch_exceptions=False, standalone_mode=False)
        session.call(SetBool, "slow_policy/run", data=False)
        found["at rest"] = story.offer(bundle)
        session.wait_for(lambda: story.versions[-1].bundle_hash == first_hash, PATIENCE_S, "the swap at rest")
        found["story"], found["hashes"] = story, (first_hash, second_hash, third_hash)
    return found


def test_nothing_is_swapped_before_the_robot_has_seen_anything_to_compare_on(story):
    assert "observations of this robot" in story["unseen"]


def test_good_weights_act_after_the_episode_and_not_during_it(story):
    first, second, third = story["hashes"]
    assert story["mid-episode"] == (first, first)
    assert story["story"].moved() == [first, second, third, second]


def test_bad_weights_are_refused_one_by_one_and_the_graph_goes_on(story):
    assert all(story["refused"].values()), story["refused"]
    assert "not finite" in story["refused"]["NaN"]
    assert "too far" in story["refused"]["too far"]


def test_worse_weights_are_taken_back_and_not_taken_again(story):
    assert story["again"].return_value == 1
    assert "refused: these weights were taken back: 0 of 3" in story["again"].output


def test_at_rest_weights_are_swapped_at_once(story):
    assert story["at rest"] == ""


def test_every_tick_says_whose_weights_acted(story):
    policy = [verdict for verdict in story["story"].verdicts if verdict.source == "policy"]
    names = {verdict.bundle_hash: verdict.bundle for verdict in policy}
    assert [names[each].rpartition("@")[2] for each in story["hashes"]] == ["1", "2", "3"]
    assert all(verdict.bundle == names[verdict.bundle_hash] for verdict in policy)
