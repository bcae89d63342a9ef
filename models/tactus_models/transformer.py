"""Transformers over the rows of a chunk: a denoiser (DP-T of Chi et al. 2023) and a planner (ACT of Zhao et al. 2023)."""

from typing import Any

import torch
from torch import Tensor, nn

from tactus_models.config import TransformerConfig
from tactus_models.networks import sinusoids


class TransformerDenoiser(nn.Module):
    """A norm-first decoder: rows of the sample attend to themselves and those before, and to noise level and condition."""

    def __init__(self, config: TransformerConfig, condition: int, shape: tuple[int, int]) -> None:
        super().__init__()
        steps, channels = shape
        self._width = config.width
        self.embed_row = nn.Linear(channels, config.width)
        self.embed_step = nn.Linear(config.width, config.width)
        self.embed_condition = nn.Linear(condition, config.width)
        self.place = nn.Parameter(0.02 * torch.randn(1, steps, config.width))
        self.decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(**_layer(config)), config.layers, nn.LayerNorm(config.width))
        self.last = nn.Linear(config.width, channels)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(steps), persistent=False)

    def forward(self, sample: Tensor, timestep: Tensor, condition: Tensor) -> Tensor:
        """Return what is predicted (B, T, C) of `sample` (B, T, C) at `timestep` (B,), given features and normalised low_dim (B, D)."""
        level = self.embed_step(sinusoids(timestep, self._width))
        memory = torch.stack([level, self.embed_condition(condition)], dim=1)
        return self.last(self.decoder(self.embed_row(sample) + self.place, memory, tgt_mask=self.mask))


class ActPlanner(nn.Module):
    """A conditional variational autoencoder of chunks. Its encoder is for training; at run time the style z is 0, the prior's mean."""

    STYLE = 16

    def __init__(self, config: TransformerConfig, condition: int, shape: tuple[int, int]) -> None:
        super().__init__()
        steps, channels = shape
        width = config.width
        self.embed_condition = nn.Linear(condition, width)
        self.embed_style = nn.Linear(self.STYLE, width)
        self.query = nn.Parameter(0.02 * torch.randn(1, steps, width))
        self.decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(**_layer(config)), config.layers, nn.LayerNorm(width))
        self.last = nn.Linear(width, channels)
        self.embed_row = nn.Linear(channels, width)
        self.summary = nn.Parameter(0.02 * torch.randn(1, 1, width))
        seen = nn.TransformerEncoderLayer(**_layer(config))
        self.encoder = nn.TransformerEncoder(seen, config.layers, nn.LayerNorm(width), enable_nested_tensor=False)
        self.moments = nn.Linear(width, 2 * self.STYLE)

    def encode(self, chunk: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance (B, STYLE) of the style of a normalised chunk (B, T, C)."""
        rows = self.embed_row(chunk) + self.query
        tokens = torch.cat([self.summary.expand(len(chunk), -1, -1), self.embed_condition(condition)[:, None], rows], dim=1)
        mean, log_variance = self.moments(self.encoder(tokens)[:, 0]).chunk(2, dim=-1)
        return mean, log_variance.clamp(-20.0, 5.0)

    def decode(self, style: Tensor, condition: Tensor) -> Tensor:
        """Return the chunk (B, T, C) of a style (B, STYLE)."""
        memory = torch.stack([self.embed_style(style), self.embed_condition(condition)], dim=1)
        return self.last(self.decoder(self.query.expand(len(condition), -1, -1), memory))

    def forward(self, condition: Tensor) -> Tensor:
        """Return the chunk (B, T, C) that the policy plans."""
        return self.decode(torch.zeros(len(condition), self.STYLE), condition)


def _layer(config: TransformerConfig) -> dict[str, Any]:
    return {
        "d_model": config.width,
        "nhead": config.heads,
        "dim_feedforward": 4 * config.width,
        "dropout": config.dropout,
        "activation": "gelu",
        "batch_first": True,
        "norm_first": True,
    }
