"""What a slow policy learns, and how a sample is drawn of what it learnt: diffusion, flow matching, or a plan in one pass."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tactus_core.policy.sampling import make_sampler
from tactus_core.policy.schedule import alphas
from tactus_core.policy.specs import DiffusionSpec, DirectSpec, FlowSpec
from tactus_models.config import DiffusionConfig
from tactus_models.loop import Dice
from tactus_models.networks import Denoiser
from tactus_models.tokenizer import kl_divergence, sample_latent
from tactus_models.transformer import ActPlanner, TransformerDenoiser

Shape = tuple[int, int]


class Objective(Protocol):
    """How one kind of policy is trained. draws: targets per image and step."""

    draws: int

    @property
    def spec(self) -> DiffusionSpec | FlowSpec | DirectSpec:
        """What its card says."""
        ...

    def network(self, shape: Shape) -> nn.Module:
        """Return an untrained network for samples of `shape`: the graph `denoiser`, or `planner`."""
        ...

    def losses(self, network: Any, clean: Tensor, condition: Tensor, dice: Dice) -> dict[str, Tensor]:
        """Return the scalars of one batch of normalised targets (B, T, C) with their conditions (B, D); `loss` is minimised."""
        ...

    def sample(self, network: Any, condition: Tensor, shape: Shape, dice: Dice) -> NDArray[np.float32]:
        """Return normalised samples (B, T, C), drawn as the robot draws them."""
        ...


class Diffusion:
    """Noise in noisy targets is predicted (Ho et al. 2020), by a U-Net or a transformer."""

    def __init__(self, config: DiffusionConfig, condition: int) -> None:
        self.draws, self._config, self._condition = config.noise_samples, config, condition
        self.spec = DiffusionSpec(
            clip_sample=1.0,
            clip_noise=True,
            train_steps=config.train_steps,
            schedule="squaredcos_cap_v2",
            prediction="epsilon",
            sampler="ddim",
            inference_steps=config.inference_steps,
        )
        self._bar = torch.from_numpy(alphas(self.spec.schedule, config.train_steps)).float()

    def network(self, shape: Shape) -> nn.Module:
        """See `Objective`."""
        return Denoiser(self._config.unet_widths, shape[1], self._condition)

    def losses(self, network: Any, clean: Tensor, condition: Tensor, dice: Dice) -> dict[str, Tensor]:
        """See `Objective`."""
        noisy, level, noise = self.noised(clean, dice)
        return {"loss": nn.functional.mse_loss(network(noisy, level, condition), noise)}

    def noised(self, clean: Tensor, dice: Dice) -> tuple[Tensor, Tensor, Tensor]:
        """Return targets (B, T, C) at random noise levels, these levels (B,), and the noise (B, T, C)."""
        level = torch.randint(0, self._config.train_steps, (len(clean),), generator=dice.torch)
        noise = torch.randn(clean.shape, generator=dice.torch)
        bar = self._bar[level][:, None, None]
        return bar.sqrt() * clean + (1.0 - bar).sqrt() * noise, level, noise

    def sample(self, network: Any, condition: Tensor, shape: Shape, dice: Dice) -> NDArray[np.float32]:
        """See `Objective`."""
        return _sampled(self.spec, network, condition, shape, dice)


class TransformerDiffusion(Diffusion):
    """The same by a transformer."""

    def network(self, shape: Shape) -> nn.Module:
        """See `Objective`."""
        return TransformerDenoiser(self._config.transformer, self._condition, shape)


class _Velocity(nn.Module):
    """A network that was made for noise levels of diffusion, told shares of noise."""

    LEVELS = 100.0

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, sample: Tensor, timestep: Tensor, condition: Tensor) -> Tensor:
        """Return the velocity (B, T, C) at a share of noise (B,)."""
        return self.network(sample, self.LEVELS * timestep, condition)


class Flow:
    """The velocity on straight ways between target and noise is predicted (Lipman et al. 2023; Liu et al. 2023)."""

    def __init__(self, config: DiffusionConfig, condition: int) -> None:
        self.draws, self._config, self._condition = config.noise_samples, config, condition
        self.spec = FlowSpec(inference_steps=config.inference_steps)

    def network(self, shape: Shape) -> nn.Module:
        """See `Objective`."""
        return _Velocity(Denoiser(self._config.unet_widths, shape[1], self._condition))

    def losses(self, network: Any, clean: Tensor, condition: Tensor, dice: Dice) -> dict[str, Tensor]:
        """See `Objective`."""
        share = torch.rand(len(clean), generator=dice.torch)
        noise = torch.randn(clean.shape, generator=dice.torch)
        mixed = torch.lerp(clean, noise, share[:, None, None])
        return {"loss": nn.functional.mse_loss(network(mixed, share, condition), noise - clean)}

    def sample(self, network: Any, condition: Tensor, shape: Shape, dice: Dice) -> NDArray[np.float32]:
        """See `Objective`."""
        return _sampled(self.spec, network, condition, shape, dice)


class Act:
    """The chunk is reconstructed from its own style; KL keeps the style near what it is at run time (Zhao et al. 2023)."""

    draws = 1

    def __init__(self, config: DiffusionConfig, condition: int) -> None:
        self._config, self._condition = config, condition
        self.spec = DirectSpec()

    def network(self, shape: Shape) -> nn.Module:
        """See `Objective`."""
        return ActPlanner(self._config.transformer, self._condition, shape)

    def losses(self, network: Any, clean: Tensor, condition: Tensor, dice: Dice) -> dict[str, Tensor]:
        """See `Objective`."""
        mean, log_variance = network.encode(clean, condition)
        l1 = nn.functional.l1_loss(network.decode(sample_latent(mean, log_variance, dice.torch), condition), clean)
        kl = kl_divergence(mean[:, None], log_variance[:, None])
        return {"loss": l1 + self._config.transformer.kl_weight * kl, "l1": l1, "kl": kl}

    def sample(self, network: Any, condition: Tensor, shape: Shape, dice: Dice) -> NDArray[np.float32]:
        """See `Objective`."""
        return network(condition).numpy()


# By the name in `DiffusionConfig.policy`.
OBJECTIVES: Mapping[str, type[Diffusion] | type[Flow] | type[Act]] = {
    "unet": Diffusion,
    "transformer": TransformerDiffusion,
    "flow": Flow,
    "act": Act,
}


def _sampled(spec: DiffusionSpec | FlowSpec, network: Any, condition: Tensor, shape: Shape, dice: Dice) -> NDArray[np.float32]:
    def denoise(sample: NDArray[np.float32], timestep: Any) -> NDArray[np.float32]:
        level = torch.from_numpy(np.full(len(sample), timestep))
        return network(torch.from_numpy(sample), level, condition).numpy()

    start = dice.numpy.standard_normal((len(condition), *shape), dtype=np.float32)
    return make_sampler(spec).sample(denoise, start, dice.numpy)
