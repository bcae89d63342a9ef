"""The tactus command."""
