"""What raw touch and force mean: contact and moving dots on a gel, forces free of bias and glitches. Pure; time is an argument."""
