"""LeRobot's `act`: images become tokens, a transformer joins them with the state, another makes the chunk of them (Zhao et al. 2023)."""

import math

import torch
from torch import Tensor, nn

from tactus_models.imported.resnet import STRIDE, WIDTHS, ResNet
from tactus_models.lerobot.config import ActConfig, Features


class Attention(nn.Module):
    """Multi-head attention over tokens (B, N, D), with the names of torch's weights."""

    def __init__(self, config: ActConfig) -> None:
        super().__init__()
        size = config.dim_model
        self._heads = config.n_heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * size, size))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * size))
        self.out_proj = nn.Linear(size, size)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Return (B, N of query, D)."""
        projections = zip((query, key, value), self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3), strict=True)
        q, k, v = (
            nn.functional.linear(x, weight, bias).unflatten(-1, (self._heads, -1)).transpose(1, 2) for x, weight, bias in projections
        )
        weights = (q / math.sqrt(q.shape[-1]) @ k.transpose(-1, -2)).softmax(dim=-1)
        return self.out_proj((weights @ v).transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """What both kinds of layer have beside attention: two linear maps, and LayerNorms before (`pre_norm`) or behind each part."""

    def __init__(self, config: ActConfig, norms: int) -> None:
        super().__init__()
        self._pre, self._activation = config.pre_norm, getattr(torch.nn.functional, config.feedforward_activation)
        self.linear1 = nn.Linear(config.dim_model, config.dim_feedforward)
        self.linear2 = nn.Linear(config.dim_feedforward, config.dim_model)
        for number in range(1, norms + 1):
            self.add_module(f"norm{number}", nn.LayerNorm(config.dim_model))

    def before(self, x: Tensor, number: int) -> Tensor:
        """Return what part `number` of the layer is given."""
        return self.get_submodule(f"norm{number}")(x) if self._pre else x

    def behind(self, x: Tensor, number: int) -> Tensor:
        """Return what becomes of the sum of part `number` and its shortcut."""
        return x if self._pre else self.get_submodule(f"norm{number}")(x)

    def feed(self, x: Tensor, number: int) -> Tensor:
        """Return the layer's last part."""
        return self.behind(x + self.linear2(self._activation(self.linear1(self.before(x, number)))), number)


class EncoderLayer(FeedForward):
    """Self-attention and feed-forward."""

    def __init__(self, config: ActConfig) -> None:
        super().__init__(config, norms=2)
        self.self_attn = Attention(config)

    def forward(self, x: Tensor, place: Tensor) -> Tensor:
        """Return tokens (B, N, D); `place` is added to what attention compares."""
        y = self.before(x, 1)
        return self.feed(self.behind(x + self.self_attn(y + place, y + place, y), 1), 2)


class DecoderLayer(FeedForward):
    """Self-attention, attention to what was observed, feed-forward."""

    def __init__(self, config: ActConfig) -> None:
        super().__init__(config, norms=3)
        self.self_attn = Attention(config)
        self.multihead_attn = Attention(config)

    def forward(self, x: Tensor, place: Tensor, observed: Tensor, observed_place: Tensor) -> Tensor:
        """Return tokens (B, T, D)."""
        y = self.before(x, 1)
        x = self.behind(x + self.self_attn(y + place, y + place, y), 1)
        x = self.behind(x + self.multihead_attn(self.before(x, 2) + place, observed + observed_place, observed), 2)
        return self.feed(x, 3)


class Stack(nn.Module):
    """Layers one behind the other, and a LayerNorm where there is one."""

    def __init__(self, layers: list[nn.Module], norm: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.norm = norm

    def forward(self, x: Tensor, *others: Tensor) -> Tensor:
        """Return tokens like `x`."""
        for layer in self.layers:
            x = layer(x, *others)
        return self.norm(x)


class Act(nn.Module):
    """The whole network but for its VAE encoder, which only training needs; the style variable is zero."""

    def __init__(self, config: ActConfig, features: Features) -> None:
        super().__init__()
        size = config.dim_model
        self._maps = {key: (math.ceil(h / STRIDE), math.ceil(w / STRIDE)) for key, (h, w) in features.images.items()}
        self._size = size
        self.backbone = ResNet(config.vision_backbone)
        self.encoder = Stack(
            [EncoderLayer(config) for _ in range(config.n_encoder_layers)], nn.LayerNorm(size) if config.pre_norm else nn.Identity()
        )
        self.decoder = Stack([DecoderLayer(config) for _ in range(config.n_decoder_layers)], nn.LayerNorm(size))
        self.encoder_robot_state_input_proj = nn.Linear(features.state, size)
        self.encoder_latent_input_proj = nn.Linear(config.latent_dim, size)
        self.encoder_img_feat_input_proj = nn.Conv2d(WIDTHS[-1], size, 1)
        self.encoder_1d_feature_pos_embed = nn.Embedding(2, size)
        self.decoder_pos_embed = nn.Embedding(config.chunk_size, size)
        self.action_head = nn.Linear(size, features.action)

    @property
    def feature_size(self) -> int:
        """Length of all images' tokens behind each other."""
        return sum(h * w for h, w in self._maps.values()) * self._size

    def see(self, images: list[Tensor]) -> Tensor:
        """Return the tokens, flat (1, feature_size), of prepared images, each (1, 3, H, W)."""
        maps = [self.encoder_img_feat_input_proj(self.backbone(image)) for image in images]
        return torch.cat([m.flatten(2).transpose(1, 2).flatten(1) for m in maps], dim=-1)

    def plan(self, condition: Tensor) -> Tensor:
        """Return the normalised chunk (1, T, C) for `condition`: what `see` returned, then the normalised state."""
        seen, state = condition[:, : self.feature_size], condition[:, self.feature_size :]
        # The style variable is zero: of its projection the bias is left.
        first = torch.stack([self.encoder_latent_input_proj.bias[None], self.encoder_robot_state_input_proj(state)], dim=1)
        tokens = torch.cat([first, seen.unflatten(1, (-1, self._size))], dim=1)
        place = torch.cat([self.encoder_1d_feature_pos_embed.weight, *(places(*m, self._size) for m in self._maps.values())])[None]
        observed = self.encoder(tokens, place)
        query = self.decoder_pos_embed.weight[None]
        return self.action_head(self.decoder(torch.zeros_like(query), query, observed, place))


def places(height: int, width: int, size: int) -> Tensor:
    """Return what tells tokens of a map their places, (height · width, size): waves along y in the first half, along x in the second."""
    half = size // 2
    frequency = 10_000.0 ** (-2.0 * (torch.arange(half) // 2) / half)

    def waves(count: int) -> Tensor:
        phase = torch.arange(1, count + 1)[:, None] / (count + 1e-6) * 2.0 * math.pi * frequency
        return torch.stack([phase[:, 0::2].sin(), phase[:, 1::2].cos()], dim=-1).flatten(1)

    y = waves(height)[:, None].expand(height, width, half)
    x = waves(width)[None].expand(height, width, half)
    return torch.cat([y, x], dim=-1).flatten(0, 1)
