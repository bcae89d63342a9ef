"""The graph of an encoder that stands alone: one input, features out."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tactus_core.engines.making import reference
from tactus_core.errors import DataError
from tactus_core.perception.encoder_card import GRAPH, EncoderCard
from tactus_core.policy.specs import GraphSpec, TensorSpec


class Network:
    """`encoder.onnx` of a folder whose card was loaded, and with it the file's hash checked; raises BundleError for another signature."""

    def __init__(self, folder: Path, card: EncoderCard, given: TensorSpec, threads: int = 1) -> None:
        features = TensorSpec("features", (1, card.features), "float32", "no unit")
        self._engine = reference(folder / GRAPH, GraphSpec(GRAPH, card.files[GRAPH], (given,), (features,)), threads)
        self._given, self._id = given.name, card.id

    def __call__(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Return the features (F,) of one sample, without the graph's leading dimension; raises DataError where they are not finite."""
        features: NDArray[np.float32] = self._engine.run(**{self._given: values[None]})[0]
        if not np.isfinite(features).all():
            raise DataError(f"encoder '{self._id}' made features that are not finite. They were not used; export it from other weights.")
        return features
