"""Every two actions of a store's life at the same time, against a passive that reads: the matrix of them, explored."""
