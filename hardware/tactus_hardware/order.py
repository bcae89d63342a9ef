"""Tells new records from old ones on a wire that loses, repeats and swaps them, as UDP does."""


class Order:
    """Over two numbers that a record carries: of its datagram, and of what was measured; both wrap at 32 bits.

    `lost`: how many did not come, by the gaps.
    """

    def __init__(self, judge_measurement: bool = True) -> None:
        """judge_measurement: the second number counts measurements, so that one which stands still means a device that does."""
        self._judge_measurement = judge_measurement
        self._last: tuple[int, int] | None = None
        self.lost = 0

    def fault(self, sequence: int, measurement: int) -> str:
        """Return what is wrong with a record: '' (it is new), 'duplicate', 'late' or 'stuck'."""
        if self._last is not None:
            last, last_measurement = self._last
            ahead = (sequence - last) % 2**32
            if ahead == 0:
                return "duplicate"
            if ahead >= 2**31:
                return "late"
            measured = (measurement - last_measurement) % 2**32
            self.lost += ahead - 1
            if self._judge_measurement and (measured == 0 or measured >= 2**31):
                self._last = sequence, last_measurement
                return "stuck"
        self._last = sequence, measurement
        return ""
