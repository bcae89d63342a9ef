"""What raw touch and force mean: contact in an image of a gel, forces free of bias and glitches. Pure; time is an argument."""
