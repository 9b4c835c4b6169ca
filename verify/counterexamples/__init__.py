"""What is shown: a schedule that violates something, replayed, made short, and put into words."""
