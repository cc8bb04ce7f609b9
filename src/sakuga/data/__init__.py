"""What a batch is made of. Every order of the data is a function of (seed, step, rank), so resuming needs no state."""
