"""How dates are written, by language; where nothing is said here, as Django does."""
