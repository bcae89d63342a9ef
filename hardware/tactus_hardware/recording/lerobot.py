"""An episode of a LeRobot data set (v2.1, v3): joint states, and the pictures of its first camera."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tactus_core.datasets.lerobot import LeRobotData
from tactus_core.errors import DataError
from tactus_hardware.recording.port import IMAGE, JOINT_STATES, Joints, RecordingInfo, Sample

_STATE = "observation.state"


class LeRobotRecording:
    """One episode, by its rows: when its sensors were read before that, it does not say."""

    def __init__(self, folder: Path, take: int) -> None:
        data = LeRobotData(folder)
        take = take or 1
        if take > len(data.entries):
            raise DataError(f"{folder} holds {len(data.entries)} episodes, and take {take} was asked for. Choose 1 to {len(data.entries)}.")
        self._episode = data.episode(data.entries[take - 1])
        if _STATE not in self._episode.columns:
            raise DataError(f"{folder} has no '{_STATE}'; it has {', '.join(self._episode.columns)}. Nothing of it can be played.")
        self._cameras = list(self._episode.videos)
        rows, fps = self._episode.rows, self._episode.fps
        counts = {JOINT_STATES: rows} | ({IMAGE: rows} if self._cameras else {})
        notes = (
            f"Episode {take} of {len(data.entries)}: {self._episode.task}",
            f"Cameras that are not played: {', '.join(self._cameras[1:]) or 'none'}. Actions are not played either.",
            "Values of the state are played as positions, whatever their unit; velocities are not.",
        )
        self.info = RecordingInfo("lerobot", rows / fps, counts, float(fps), "the data set's rows per second", notes)

    def samples(self) -> Iterator[Sample]:
        """See `Recording`."""
        episode = self._episode
        column, states = episode.columns[_STATE], episode.values[_STATE].astype(np.float64)
        names = column.names or tuple(f"state_{i}" for i in range(states.shape[1]))
        pictures = episode.videos[self._cameras[0]].pictures() if self._cameras else None
        for row, state in enumerate(states):
            time_s = row / episode.fps
            yield Sample(time_s, time_s, JOINT_STATES, Joints(names, state, np.empty(0)))
            if pictures is not None:
                yield Sample(time_s, time_s, IMAGE, next(pictures))


def read(path: Path, take: int, rate_Hz: float) -> LeRobotRecording:
    """Return an episode of the data set in a folder."""
    return LeRobotRecording(path, take)
