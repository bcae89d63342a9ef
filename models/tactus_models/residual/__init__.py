"""Residual off-policy reinforcement learning on a base policy that stands still (Ankile et al. 2025, ResFiT)."""
