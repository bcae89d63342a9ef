"""Checkpoints of LeRobot (Apache-2.0), read without it: `diffusion` and `act` → a bundle. The networks here only infer."""
