"""What the graph says, and signals to its processes."""

import os

from std_srvs.srv import SetBool, Trigger

from tactus_core.errors import DeviceError
from tactus_nodes import topics

READY_S = 60.0
SOON_S = 15.0


class Seen:
    """What the graph said last."""

    def __init__(self, session):
        self.session = session
        self.estop = self.ready = self.verdict = None
        self.said = ""
        session.tolerate_faults()
        for topic, take in (
            (topics.ESTOP, lambda message: setattr(self, "estop", message.data)),
            (topics.READY, lambda message: setattr(self, "ready", message.data)),
            (topics.VERDICT, lambda message: setattr(self, "verdict", message)),
            (topics.DIAGNOSTICS, self._take_diagnostics),
        ):
            session.listen(topic, take)

    def _take_diagnostics(self, message):
        for status in message.status:
            if status.name == "supervisor":
                self.said = status.message

    def until(self, done, what):
        self.session.wait_for(done, SOON_S, what)

    def until_stopped(self):
        self.until(lambda: self.estop is True, "the emergency stop")

    def until_ready(self):
        self.session.wait_for(lambda: self.ready, READY_S, "the return of all nodes")  # a process starts anew, as at the start

    def until_moving(self):
        self.until(lambda: self.verdict is not None and self.verdict.state == "running", "motion")

    def reset(self):
        """Reset as soon as the cool-down is over; another refusal is an error."""

        def taken():
            try:
                self.session.call(Trigger, "supervisor/reset")
            except DeviceError as refusal:
                if "a moment ago" not in str(refusal):
                    raise
                return False
            return True

        self.until(taken, "a reset after the cool-down")
        assert self.session.call(SetBool, "slow_policy/run", data=False).success


def send(launched, label, number):
    os.kill(launched.running(label)[0].pid, number)
