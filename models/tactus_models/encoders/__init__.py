"""Networks that turn sight and touch into features, and their export; each is one graph that needs nothing beside it."""
