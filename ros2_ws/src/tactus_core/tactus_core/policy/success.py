"""How often weights succeed, by the episodes that told: new ones have to give way once they are surely worse than those before."""

import math
import statistics
from collections import defaultdict, deque
from dataclasses import dataclass

from tactus_core.config import param

_Z_95 = statistics.NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, kw_only=True)
class SuccessConfig:
    """How long new weights are watched."""

    window: int = param(50, low=5, high=1000, doc="Episodes that are remembered: of the weights that act, and of those before them.")
    least: int = param(3, low=1, high=1000, doc="Episodes of new weights before they are judged.")


def wilson(successes: int, episodes: int) -> tuple[float, float]:
    """Return the 95 % interval of a success rate (Wilson, 1927); (0, 1) where there was no episode."""
    if not episodes:
        return 0.0, 1.0
    rate, z2 = successes / episodes, _Z_95**2
    centre = (rate + z2 / (2 * episodes)) / (1 + z2 / episodes)
    half = _Z_95 / (1 + z2 / episodes) * math.sqrt(rate * (1 - rate) / episodes + z2 / (4 * episodes**2))
    # Rounding must not push the limits past the rate that they enclose.
    return min(max(0.0, centre - half), rate), max(min(1.0, centre + half), rate)


class SuccessWindow:
    """Episodes since the last swap against those before it. An episode that somebody helped in was no success of the policy's own.

    Weights that explore fail more often, and are none the worse for it: those with as much noise are compared with one another.
    """

    def __init__(self, config: SuccessConfig) -> None:
        self._least = config.least
        self._before: defaultdict[float, deque[bool]] = defaultdict(lambda: deque(maxlen=config.window))
        self._since: deque[bool] = deque(maxlen=config.window)
        self._noise = 0.0
        self._open = self._helped = False

    def begin(self) -> None:
        """Note that an episode begins."""
        self._open, self._helped = True, False

    def help(self) -> None:
        """Note that a human has control."""
        self._helped = True

    def end(self, success: bool | None) -> None:
        """Note how the episode went, None where nobody says; the first word counts, and none without a beginning."""
        if self._open and success is not None:
            self._since.append(success and not self._helped)
        self._open = False

    def swapped(self, noise: float) -> None:
        """Note that other weights act, which explore with so much `noise`: what came until now was before."""
        self._before[self._noise].extend(self._since)
        self.rolled_back(noise)

    def rolled_back(self, noise: float) -> None:
        """Note that weights of before act again, with so much `noise`: what came since the swap is not theirs."""
        self._since.clear()
        self._noise, self._open = noise, False

    def fall(self) -> str:
        """Say why the weights that act are worse than those before with as much noise; empty: nothing is sure.

        The rule: the upper limit of the rate since the swap lies below the lower limit of the rate before (`wilson`).
        """
        since, before = ((sum(of), len(of)) for of in (self._since, self._before[self._noise]))
        highest, lowest = wilson(*since)[1], wilson(*before)[0]
        if len(self._since) < self._least or highest >= lowest:
            return ""
        return (
            f"{since[0]} of {since[1]} episodes since the swap succeeded (a rate of at most {highest:.2f}), {before[0]} of {before[1]} "
            f"before it (at least {lowest:.2f})"
        )
