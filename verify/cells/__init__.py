"""Tasks on shared cells, which have nothing to do with shadow copies, as something that can be explored."""
