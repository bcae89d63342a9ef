"""Images as imported networks want them, normalised, resized, and the centre of them; and the features of all of them."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from tactus_core.policy.bundle import Normaliser


class Preparation(nn.Module):
    """uint8 images (B, H, W, 3) → (B, 3, h, w), of one camera.

    Resizing is two products with constant matrices, exactly what torch does (bilinear, antialiased): ONNX has no such operation
    before opset 18. What the crop throws away is not computed.
    """

    factor: Tensor
    shift: Tensor

    def __init__(
        self, shape: tuple[int, int], normaliser: Normaliser, resize: tuple[int, int] | None = None, crop: tuple[int, int] | None = None
    ) -> None:
        super().__init__()
        offset, scale = (torch.from_numpy(values.astype("float64")) for values in (normaliser.offset, normaliser.scale))
        self.register_buffer("factor", (1.0 / (255.0 * scale)).float()[:, None, None])
        self.register_buffer("shift", (-offset / scale).float()[:, None, None])
        self._cut = [_middle(whole, part) for whole, part in zip(resize or shape, crop or resize or shape, strict=True)]
        self._resizes = resize is not None
        if resize is not None:
            for name, size, new, cut in zip(("rows", "columns"), shape, resize, self._cut, strict=True):
                self.register_buffer(name, resizing(size, new)[cut])

    def forward(self, image: Tensor) -> Tensor:
        """Return prepared images."""
        x = image.permute(0, 3, 1, 2)
        if not self._resizes:
            return x[:, :, self._cut[0], self._cut[1]].float() * self.factor + self.shift
        return (self.rows @ x.float() @ self.columns.T) * self.factor + self.shift  # type: ignore[operator]


class ImagesEncoder(nn.Module):
    """All images of all times → features (1, F): for each time, oldest first, those of each camera.

    networks: one for each camera, or one for all.
    """

    def __init__(self, preparations: Sequence[Preparation], networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self._preparations, self._networks = nn.ModuleList(preparations), nn.ModuleList(networks)

    def forward(self, *images: Tensor) -> Tensor:
        """Return features of uint8 images, one (1, times, H, W, 3) for each camera; (1, H, W, 3) where there is one of each."""
        found = []
        for index, (image, prepare) in enumerate(zip(images, self._preparations, strict=True)):
            found.append(self._networks[index % len(self._networks)](prepare(image.reshape(-1, *image.shape[-3:]))))
        return torch.cat(found, dim=-1).flatten()[None]


def resizing(size: int, new: int) -> Tensor:
    """Return the matrix (new, size) that resizes a column as torch does, antialiased where it shrinks."""
    columns = torch.eye(size, dtype=torch.float64)[None, None]
    return nn.functional.interpolate(columns, (new, size), mode="bilinear", antialias=True)[0, 0].float()


def _middle(whole: int, part: int) -> slice:
    first = round((whole - part) / 2.0)  # halves to even, as torchvision's centre crop
    return slice(first, first + part)
