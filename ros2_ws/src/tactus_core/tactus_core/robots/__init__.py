"""What several robots have in common: the shapes of arms."""
