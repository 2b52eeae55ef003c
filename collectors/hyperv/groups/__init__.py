"""What each group asks, and how the answers of one host or of a cluster's nodes become an observation."""
