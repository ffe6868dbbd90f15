"""Cases that several ops have in common."""
