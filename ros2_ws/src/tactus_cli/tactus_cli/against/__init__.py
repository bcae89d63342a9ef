"""Other projects' runtimes, each a program for its own environment: `./tactus bench policy --against` measures beside them."""
