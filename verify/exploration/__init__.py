"""The search itself: a world as a product of automata, its states, and every order of its steps, once."""
