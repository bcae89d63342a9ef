"""One module per command; `tactus_cli` says how."""
