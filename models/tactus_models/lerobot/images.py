"""Images as LeRobot's networks want them: normalised, resized, and the centre of them."""

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


def resizing(size: int, new: int) -> Tensor:
    """Return the matrix (new, size) that resizes a column as torch does, antialiased where it shrinks."""
    columns = torch.eye(size, dtype=torch.float64)[None, None]
    return nn.functional.interpolate(columns, (new, size), mode="bilinear", antialias=True)[0, 0].float()


def _middle(whole: int, part: int) -> slice:
    first = round((whole - part) / 2.0)  # halves to even, as torchvision's centre crop
    return slice(first, first + part)
