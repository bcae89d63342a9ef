"""What imported policies have in common: networks with the names of weights of their originals, and files that are never unpickled."""
