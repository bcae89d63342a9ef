"""A stream that falls silent in the running graph: every node that needs it says so, the robot rests, and goes on after a reset."""

import os
import signal

from diagnostic_msgs.msg import DiagnosticStatus
from std_srvs.srv import SetBool, Trigger

from tactus_core.errors import DeviceError
from tactus_nodes import topics

READY_S, SOON_S = 60.0, 10.0
NEEDED = {"perception": "camera/image", "slow_policy": "features", "fast_policy": "chunk"}


def test_silent_images_are_missed_by_all_who_need_them_and_heard_again(launch):
    verdicts, told = [], {}
    with launch() as (launched, session):
        session.wait_ready(READY_S)
        session.listen(topics.VERDICT, verdicts.append)
        session.listen(topics.DIAGNOSTICS, lambda message: told.update({status.name: status for status in message.status}))
        session.call(SetBool, "slow_policy/run", data=True)
        session.wait_for(lambda: verdicts and verdicts[-1].state == "running", SOON_S, "motion")
        session.tolerate_faults()  # a camera that stands still is a lost node, too: the supervisor stops the robot
        camera = launched.running("sim_camera")[0].pid
        os.kill(camera, signal.SIGSTOP)
        try:
            for node, topic in NEEDED.items():
                missed = f"{topic}: nothing for"
                session.wait_for(lambda node=node, missed=missed: missed in stale(told, node), SOON_S, f"{node} to miss {topic}")
                assert told[node].level == DiagnosticStatus.WARN
            session.wait_for(lambda: verdicts[-1].state in ("holding", "stopped"), SOON_S, "rest")
        finally:
            os.kill(camera, signal.SIGCONT)
        session.wait_for(lambda: reset(session), SOON_S, "a reset, once the camera is heard and the robot has cooled down")
        session.wait_for(lambda: verdicts[-1].state == "running", SOON_S, "motion")
        session.wait_for(lambda: not any(stale(told, node) for node in NEEDED), SOON_S, "fresh streams")


def reset(session):
    """Ask for a reset; return whether it was taken."""
    try:
        session.call(Trigger, "supervisor/reset")
    except DeviceError:
        return False
    return True


def stale(told, node):
    """Return which inputs a node has called too old."""
    return next((value.value for value in told[node].values if value.key == "stale"), "") if node in told else ""
