"""Checkpoints of the original Reactive Diffusion Policy (Xue et al., RSS 2025; MIT), read without it → a bundle of kind `latent`."""
