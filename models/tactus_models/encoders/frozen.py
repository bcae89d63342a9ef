"""An encoder that stands alone in the place of one that is trained: what it makes of the images of demonstrations, computed once."""

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.progress import track

from tactus_core.perception.beside import image_encoder
from tactus_core.perception.encoder_card import CARD
from tactus_core.perception.encoders import ImageEncoder
from tactus_core.policy.card import file_sha256
from tactus_core.policy.specs import EncoderSpec
from tactus_models.dataset import Dataset


@dataclass(frozen=True)
class Frozen:
    """An encoder of images that policies are trained to observe, and that stays as it is. name: as their cards call it."""

    name: str
    spec: EncoderSpec
    encoder: ImageEncoder

    @staticmethod
    def load(folder: Path) -> "Frozen":
        """Read an encoder's folder; raises BundleError, or ConfigError for one that encodes no camera's images."""
        card, encoder = image_encoder(folder)
        name = re.sub(r"\W", "_", card.name, flags=re.ASCII)
        spec = EncoderSpec(file_sha256(folder / CARD), card.features, at_s=(0.0,))
        return Frozen(name if name[:1].isalpha() else f"encoder_{name}", spec, encoder)

    def see(self, data: Dataset, cache_dir: Path) -> Dataset:
        """Return the samples with what the encoder makes of their images, kept in `cache_dir`; raises DataError for another size."""
        digest = f"{data.digest} seen by {self.spec.sha256}"
        file, meta = cache_dir / "encoded.npy", cache_dir / "encoded.json"
        if not meta.is_file() or json.loads(meta.read_text())["digest"] != digest:
            # The digest is written last: what was cut short is made again.
            meta.unlink(missing_ok=True)
            np.save(file, np.stack([self.encoder.encode(np.asarray(image)) for image in track(data.image, description="encoding images")]))
            meta.write_text(json.dumps({"digest": digest}))
        return replace(data, digest=digest, encoders={self.name: self.spec}, encoded=np.load(file))
