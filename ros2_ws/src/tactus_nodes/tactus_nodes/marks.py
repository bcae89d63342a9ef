"""Services by which an operator, or a panel that cannot call actions, says of an episode what it was."""

from collections.abc import Callable
from typing import Any

from std_srvs.srv import SetBool, Trigger

from tactus_msgs.msg import EpisodeMark
from tactus_nodes import convert_tactus, topics
from tactus_nodes.base import TactusNode


class Marker:
    """Says of an episode on `episode/mark` what it was."""

    def __init__(self, node: TactusNode) -> None:
        self._node, self._out = node, node.publisher(topics.MARK)

    def say(self, kind: str, text: str = "") -> None:
        """Publish a mark, stamped now; see `EpisodeMark`."""
        self._out.publish(convert_tactus.to_mark(kind, self._node.stamp(), text))


class Marks(Marker):
    """`~/episode` begins and ends one, `~/success` and `~/failure` end it with a label, `~/mark` marks a moment."""

    def __init__(self, node: TactusNode) -> None:
        super().__init__(node)
        node.serve(SetBool, "~/episode", self._serve_episode)
        for name, kind in (("success", EpisodeMark.SUCCESS), ("failure", EpisodeMark.FAILURE), ("mark", EpisodeMark.NOTE)):
            node.serve(Trigger, f"~/{name}", self._serving(kind))

    def _serve_episode(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        return self._answer(EpisodeMark.BEGIN if request.data else EpisodeMark.END, response)

    def _serving(self, kind: str) -> Callable[[Any, Any], Any]:
        return lambda request, response: self._answer(kind, response)

    def _answer(self, kind: str, response: Any) -> Any:
        response.success = self._node.active
        response.message = f"marked: {kind}" if self._node.active else "the recorder is not active, and nothing is recorded"
        if self._node.active:
            self.say(kind)
        return response
