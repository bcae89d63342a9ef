"""Actor and critics. Observations are normalised (B, 82): `tactus_core.policy.residual.observation`."""

import math

import torch
from torch import Tensor, nn

from tactus_core.policy.graphs import TWIST_SIZE
from tactus_models.layout import LOW_DIM_SIZE

OBSERVATION_SIZE = LOW_DIM_SIZE + TWIST_SIZE
_FARTHEST = 10.0  # std; a blow must not throw the networks off


class Actor(nn.Module):
    """Observation to correction (B, 6), shares of the limits. The last layer starts at zero: at first the base acts alone."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        last = nn.Linear(hidden, TWIST_SIZE)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.body = nn.Sequential(
            nn.Linear(OBSERVATION_SIZE, hidden), nn.LayerNorm(hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), last
        )

    def forward(self, observation: Tensor) -> Tensor:
        """Return corrections within −1..1."""
        return torch.tanh(self.body(observation.clamp(-_FARTHEST, _FARTHEST)))


class Critics(nn.Module):
    """An ensemble of value functions of (observation, whole action), all heads in one matrix product; LayerNorm keeps them from soaring."""

    def __init__(self, heads: int, hidden: int) -> None:
        super().__init__()
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        for inputs, outputs in ((OBSERVATION_SIZE + TWIST_SIZE, hidden), (hidden, hidden), (hidden, 1)):
            bound = 1.0 / math.sqrt(inputs)
            self.weights.append(nn.Parameter(torch.empty(heads, inputs, outputs).uniform_(-bound, bound)))
            self.biases.append(nn.Parameter(torch.zeros(heads, 1, outputs)))
        self.gains = nn.ParameterList([nn.Parameter(torch.ones(heads, 1, hidden)) for _ in range(2)])

    def forward(self, observation: Tensor, action: Tensor, heads: Tensor | None = None) -> Tensor:
        """Return values (heads, B) of the heads named (k,), or of all. action (B, 6): what is proposed after correction, normalised."""
        x = torch.cat([observation, action], dim=-1).clamp(-_FARTHEST, _FARTHEST).expand(self._count(heads), -1, -1)
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(_of(bias, heads), x, _of(weight, heads))
            if layer < len(self.gains):
                x = torch.relu(nn.functional.layer_norm(x, x.shape[-1:]) * _of(self.gains[layer], heads))
        return x[..., 0]

    def _count(self, heads: Tensor | None) -> int:
        return len(self.biases[0]) if heads is None else len(heads)


def _of(values: Tensor, heads: Tensor | None) -> Tensor:
    return values if heads is None else values[heads]
