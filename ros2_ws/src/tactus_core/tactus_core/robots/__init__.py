"""What several robots have in common: the shapes of arms, and where their URDFs are kept."""
