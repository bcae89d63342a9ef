"""What drivers of hands do alike that are asked over one of several links: an answer that fails is counted, and ends the link."""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from tactus_core.errors import DeviceError
from tactus_hardware.joints import JointDriver
from tactus_hardware.modbus_rtu import WireError
from tactus_hardware.ports import HandState


class _Closed(Protocol):
    def close(self) -> None:
        """Let go of the wire; never raises."""
        ...


T = TypeVar("T")
L = TypeVar("L", bound=_Closed)


class LinkedHand(JointDriver[HandState], Generic[L]):
    """A driver's own part, beside those of `JointDriver`: `_connect`, which sets `_link`. It counts what a `WireError` says."""

    _link: L | None = None

    def _linked(self) -> L:
        if self._link is None:
            raise DeviceError("nothing is connected.")
        return self._link

    def _exchange(self, call: Callable[..., T], *arguments: object) -> T:
        """Return what the link says. After a damaged or late answer it is given up: nothing tells old answers from new ones for sure."""
        try:
            return call(*arguments)
        except WireError as error:
            self.health.count(error.fault)
            raise

    def _disconnect(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
