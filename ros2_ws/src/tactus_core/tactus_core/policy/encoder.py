"""Images to features, by the bundle's encoder graph."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tactus_core.errors import BundleError, DataError, StaleError
from tactus_core.history import Recollection
from tactus_core.policy.bundle import Bundle
from tactus_core.policy.card import Card
from tactus_core.policy.graphs import image_input, is_single

Images = Mapping[str, NDArray[np.uint8]]


class OnnxEncoder:
    """The `Encoder` of a bundle; preprocessing is inside the graph."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle, self._observation = bundle, bundle.card.observation
        self._single = is_single(self._observation)

    def encode(self, images: Images) -> NDArray[np.float32]:
        """Return features (F,) of rgb uint8 images by camera, (times, H, W, 3) each; none of a policy without a camera.

        Raises DataError for other cameras, numbers of images, or sizes than the card says.
        """
        expected = {name: (len(camera.at_s), *camera.shape) for name, camera in self._observation.cameras.items()}
        got = {name: image.shape for name, image in images.items()}
        kinds = {str(image.dtype) for image in images.values()}
        if got != expected or not kinds <= {"uint8"}:
            raise DataError(f"images have shapes {got}, {', '.join(kinds)}; expected {expected}, uint8, rgb. Check the cameras.")
        if not expected:
            return np.empty(0, np.float32)
        inputs = {image_input(self._observation, name): image if self._single else image[None] for name, image in images.items()}
        return self._bundle.run("encoder", **inputs)[0]


def only_camera(card: Card) -> str | None:
    """Return the camera of a policy for a robot that has one, None where it needs none; raises BundleError where it needs several."""
    cameras = list(card.observation.cameras)
    if len(cameras) > 1:
        raise BundleError(f"bundle '{card.id}' sees with {', '.join(cameras)}; there is one camera here. Choose a bundle of one camera.")
    return cameras[0] if cameras else None


class Views:
    """The last images of one camera, and those of them that an observation is made of. remembers: it is made of more than the newest."""

    def __init__(self, card: Card, camera: str) -> None:
        self._name, self._at_s = camera, card.observation.cameras[camera].at_s
        self.remembers = len(self._at_s) > 1
        spacing_s = min(np.diff(self._at_s), default=0.0)
        # An image counts for the time that it is nearest to.
        self._tolerance_s = 0.5 * float(spacing_s)
        self._images: Recollection[tuple[float, NDArray[np.uint8]]] = Recollection()

    def see(self, stamp_s: float, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Add the newest image (H, W, 3), and return those of the observation at its stamp, (times, H, W, 3).

        Raises StaleError where one of them is missing, DataError for a stamp as `StateHistory.append` does.
        """
        if not self.remembers:
            return image[None]
        self._images.append(stamp_s, (stamp_s, image))
        return np.stack([self._at(stamp_s + at_s, stamp_s) for at_s in self._at_s])

    def _at(self, wanted_s: float, newest_s: float) -> NDArray[np.uint8]:
        found = self._images.newest_at([min(wanted_s + self._tolerance_s, newest_s)])
        if not found or wanted_s - found[0][0] > self._tolerance_s:
            raise StaleError(
                f"camera '{self._name}' gave no image within {self._tolerance_s:.3f} s of {wanted_s:.3f} s, which the observation at "
                f"{newest_s:.3f} s needs. Wait until there are enough, or check the camera's rate."
            )
        return found[0][1]


class Eyes:
    """What the cameras of a policy saw last. The card's first one leads: an observation is made when it sees, and has its stamp.

    remembers: an observation is made of more than the newest images.

    Cameras are devices of their own: those of the others are the images that came last, whatever their stamps. Whoever calls judges
    whether they are fresh.
    """

    def __init__(self, card: Card) -> None:
        self._views = {name: Views(card, name) for name in card.observation.cameras}
        self._newest: dict[str, NDArray[np.uint8]] = {}
        self.remembers = any(views.remembers for views in self._views.values())

    def see(self, camera: str, stamp_s: float, image: NDArray[np.uint8]) -> Images | None:
        """Add a camera's newest image (H, W, 3); return those of the observation where that camera leads, else None.

        Raises StaleError where one of them is missing, DataError for a stamp as `StateHistory.append` does.
        """
        self._newest.pop(camera, None)
        self._newest[camera] = self._views[camera].see(stamp_s, image)
        if camera != next(iter(self._views)):
            return None
        if missing := [name for name in self._views if name not in self._newest]:
            raise StaleError(f"nothing to see yet of camera {', '.join(missing)}. Wait for it, or check that it runs.")
        return {name: self._newest[name] for name in self._views}
