"""Generation: requests, backends that answer them, the plan of the eight conditions, fluency."""
