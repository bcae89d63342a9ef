"""The whole graph: it comes up, runs episodes, stops in an emergency, is recorded, and goes down in order."""

import time

import pytest
import yaml
from mcap_ros2.reader import read_ros2_messages
from std_srvs.srv import SetBool, Trigger

from tactus_nodes import topics

READY_S = 60.0
DOCUMENTED = {
    "/joint_states", "/wrench", "/tactile", "/camera/image", "/features", "/chunk", "/proposal", "/arm/target_pose", "/hand/joint_cmd",
    "/verdict", "/heartbeat", "/estop", "/diagnostics", "/sim/world", "/sim/outcome",
}  # fmt: skip


@pytest.fixture(scope="module")
def recorded(launch, tmp_path_factory):
    """Run the story once: two episodes, an emergency stop, a reset, an interrupt. The tests look at what came of it."""
    story = {"bag": tmp_path_factory.mktemp("bags") / "story"}
    verdicts = []
    with launch(record="true", folder=str(story["bag"])) as (launched, session):
        session.wait_ready(READY_S)
        session.listen(topics.VERDICT, verdicts.append)
        newest = session.newest(topics.VERDICT)
        story["outcomes"] = [session.run_episode(seed) for seed in (11, 12)]
        session.call(SetBool, "slow_policy/run", data=True)
        session.wait_for(lambda: verdicts and verdicts[-1].state == "running", 10.0, "motion")
        session.tolerate_faults()
        session.call(Trigger, "supervisor/estop")
        session.wait_for(lambda: verdicts[-1].state == "stopped", 5.0, "the stop")
        count = len(verdicts)
        session.wait_for(lambda: len(verdicts) > count + 300, 10.0, "three hundred more verdicts: longer than the cool-down")
        story["stopped"] = verdicts[count:]
        story["newest"] = [newest().state for _ in range(3)]
        session.call(Trigger, "supervisor/reset")
        session.wait_for(lambda: verdicts[-1].state == "running", 5.0, "motion after the reset")
        story["timing"] = session.timing(["sim_device", "fast_policy", "guard"])
        began_s = time.monotonic()
        launched.shutdown("interrupted (SIGINT)")
        assert launched.wait(10.0)
        story["down_s"] = time.monotonic() - began_s
        story["exit_codes"] = launched.exit_codes
    return story


def test_episodes_end_with_the_outcome_of_their_seed(recorded):
    assert [outcome.seed for outcome in recorded["outcomes"]] == [11, 12]
    assert all(outcome.success for outcome in recorded["outcomes"])


def test_emergency_stop_is_latched(recorded):
    assert {verdict.state for verdict in recorded["stopped"]} == {"stopped"}
    assert all("estop" in verdict.reasons for verdict in recorded["stopped"])


def test_the_newest_message_is_read_though_it_woke_nobody_and_again_until_there_is_another(recorded):
    assert recorded["newest"] == ["stopped"] * 3


def test_everything_ends_in_order_within_three_seconds(recorded):
    assert set(recorded["exit_codes"].values()) == {0}, recorded["exit_codes"]
    assert recorded["down_s"] < 3.0


def test_timing_counts_answered_touches(recorded):
    assert recorded["timing"]["sim_device"]["timing"]["touch_to_command_ms"]["count"] > 0


def test_bag_holds_every_topic_and_opens_without_ros(recorded):
    bag = recorded["bag"]
    counts = {}
    for read in read_ros2_messages(str(bag / f"{bag.name}_0.mcap")):
        counts[read.channel.topic] = counts.get(read.channel.topic, 0) + 1
        if read.channel.topic == "/proposal":
            assert read.ros_msg.source == "policy"
    assert set(counts) >= DOCUMENTED
    metadata = yaml.safe_load((bag / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    listed = {t["topic_metadata"]["name"]: t["message_count"] for t in metadata["topics_with_message_count"]}
    assert {name: count for name, count in listed.items() if count} == counts
    assert metadata["message_count"] == sum(counts.values())
