"""Style vectors of answers and generations, and the labeled answers of an experiment."""
