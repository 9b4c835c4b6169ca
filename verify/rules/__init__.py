"""What is judged: the oracle and its parts, which know what every answer must be and say when one is wrong."""
