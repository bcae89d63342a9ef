"""Networks, training and export; the only package that knows torch."""
