"""Who is alive, who is lost, and what has to be asked of whom until it works again: nothing of ROS, times of one steady clock [s]."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

# A node that beats this often without answering has not heard the question.
_BEATS_FOR_AN_ANSWER = 5

GET_STATE, CONFIGURE, ACTIVATE = "get_state", "configure", "activate"


class Stage(StrEnum):
    """Where a node stands: on its way to active, active, or lost."""

    COMING = "coming"
    ACTIVE = "active"
    LOST = "lost"


@dataclass
class _Member:
    stage: Stage = Stage.COMING
    lifecycle: str = ""  # its lifecycle state as far as known; empty: to be asked
    asked: str = ""  # what it was asked and has not answered
    beats: int = 0  # heard since then
    heard_s: float = float("-inf")
    born_ns: int = 0  # which process it is, by its heartbeats; 0: not heard yet
    anew: bool = False  # another process has taken the place of the one that was active
    since_s: float = 0.0  # when it began to come, or was lost
    problem: str = ""  # why it is not coming back by itself


class Watch:
    """Follows the nodes `names`, in the order of their activation.

    timeout_s: silence after which an active node is lost. return_s: how long a node may be on its way, or lost, before that is a problem.
    """

    def __init__(self, names: Sequence[str], timeout_s: float, return_s: float, now_s: float) -> None:
        self._timeout_s = timeout_s
        self._return_s = return_s
        self._members = {name: _Member(since_s=now_s) for name in names}

    def stage(self, name: str) -> Stage:
        """Return where a node stands."""
        return self._members[name].stage

    def inactive(self, names: Sequence[str]) -> list[str]:
        """Return those of `names` that are not active."""
        return [name for name in names if self._members[name].stage is not Stage.ACTIVE]

    def problem(self, name: str) -> str:
        """Return why a node does not come (back) by itself; empty where it may."""
        return self._members[name].problem

    def age_s(self, name: str, now_s: float) -> float:
        """Return the age of a node's last heartbeat; infinite before there is one."""
        return now_s - self._members[name].heard_s

    def hear(self, name: str, born_ns: int, now_s: float) -> bool:
        """Note a heartbeat; return whether a lost node is back, which then has to be asked what it is.

        A process that starts anew within the timeout leaves no silence behind: `born_ns` tells it from the one before.
        """
        if (member := self._members.get(name)) is None:
            return False
        silent = now_s - member.heard_s > self._timeout_s
        anew = member.born_ns not in (0, born_ns)
        member.heard_s, member.born_ns = now_s, born_ns
        member.beats += 1
        if anew and member.stage is Stage.ACTIVE:
            member.anew = True  # `newly_lost` has to say so first
        elif (silent or anew) and member.stage is not Stage.COMING and not member.anew:
            self._enter(member, Stage.COMING, now_s)
            return True
        if anew or (member.asked and member.beats >= _BEATS_FOR_AN_ANSWER):
            member.asked = member.lifecycle = ""
        elif silent and not member.asked:  # while it works on what it was asked, a node does not beat
            member.lifecycle = ""
        return False

    def due(self) -> list[tuple[str, str]]:
        """Return (node, what to ask it). All are configured at once, then activated one after the other; lost ones keep nobody waiting."""
        coming = [(name, member) for name, member in self._members.items() if member.stage is Stage.COMING]
        if coming and all(member.lifecycle == "inactive" for _, member in coming):
            name, first = coming[0]
            return [] if first.asked else [(name, ACTIVATE)]
        free = [(name, member) for name, member in coming if not member.asked and member.heard_s > float("-inf")]
        next_request = {"": GET_STATE, "unconfigured": CONFIGURE}
        return [(name, next_request[member.lifecycle]) for name, member in free if member.lifecycle in next_request]

    def asked(self, name: str, request: str) -> None:
        """Note that a request is on its way."""
        self._members[name].asked, self._members[name].beats = request, 0

    def told_state(self, name: str, lifecycle: str, now_s: float) -> None:
        """Take the answer to `get_state`: 'unconfigured', 'inactive', 'active', or what stands between them."""
        member = self._members[name]
        if member.asked == GET_STATE:
            member.asked, member.lifecycle = "", lifecycle if lifecycle in ("unconfigured", "inactive") else ""
            if lifecycle == "active":
                self._become_active(member, now_s)

    def told_done(self, name: str, request: str, failure: str, now_s: float) -> None:
        """Take the answer to a transition; `failure` says why it was refused, empty where it took."""
        member = self._members[name]
        if member.asked != request:
            return
        if failure:
            self._enter(member, Stage.LOST, now_s)
            member.problem = f"{name} did not {request}: {failure}"
        elif request == ACTIVATE:
            self._become_active(member, now_s)
        else:
            member.asked, member.lifecycle = "", "inactive"

    def newly_lost(self, now_s: float) -> dict[str, str]:
        """Return why which nodes that were active are lost since the last call; find who is overdue."""
        lost = {}
        for name, member in self._members.items():
            silent = now_s - member.heard_s > self._timeout_s
            if member.stage is Stage.ACTIVE and (silent or member.anew):
                lost[name] = f"no heartbeat for {self._timeout_s} s" if silent else "its process has started anew"
                self._enter(member, Stage.LOST, now_s)
                member.heard_s = float("-inf")  # its next heartbeat brings it back
            elif member.stage is not Stage.ACTIVE and not member.problem and now_s - member.since_s > self._return_s:
                heard = "is heard, but is not active" if now_s - member.heard_s <= self._timeout_s else "is not heard"
                self._enter(member, Stage.LOST, member.since_s)
                member.problem = (
                    f"{name} {heard} after {self._return_s:.0f} s. Did its process end, with no restart left? Its own message, above or in "
                    "the log folder, says why; then start the graph again."
                )
        return lost

    def _become_active(self, member: _Member, now_s: float) -> None:
        self._enter(member, Stage.ACTIVE, now_s)
        member.heard_s = now_s  # it did not beat while it changed

    def _enter(self, member: _Member, stage: Stage, now_s: float) -> None:
        member.stage, member.since_s = stage, now_s
        member.lifecycle = member.asked = member.problem = ""
        member.anew = False
