"""Who is alive: heartbeats, judged by the age of their arrival."""

from collections.abc import Iterable


class Watch:
    """Follows the heartbeats of the nodes `names`; all times are of one steady clock [s]. `gone`: those that count as lost."""

    def __init__(self, names: Iterable[str], timeout_s: float) -> None:
        self._names = tuple(names)
        self._timeout_s = timeout_s
        self._heard_s: dict[str, float] = {}
        self.gone: set[str] = set()

    def begin(self, now_s: float) -> None:
        """Expect everybody from now on."""
        self._heard_s = dict.fromkeys(self._names, now_s)

    def hear(self, name: str, now_s: float) -> bool:
        """Note a heartbeat; return whether it brings back a node that was lost."""
        if name in self._heard_s:
            self._heard_s[name] = now_s
        back = name in self.gone
        self.gone.discard(name)
        return back

    def newly_lost(self, now_s: float) -> list[str]:
        """Return the nodes whose last heartbeat has become too old since the last call."""
        late = [name for name in self._heard_s if self.age_s(name, now_s) > self._timeout_s and name not in self.gone]
        self.gone.update(late)
        return late

    def age_s(self, name: str, now_s: float) -> float:
        """Return the age of a node's last heartbeat; infinite before there is one."""
        return now_s - self._heard_s.get(name, float("-inf"))
