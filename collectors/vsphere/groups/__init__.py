"""What is asked for each group and in which order; meaning is left to the mappings."""
