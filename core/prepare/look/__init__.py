"""What is wrong in the data, as far as it can tell itself: one check a kind of fault, all fed in one pass."""
