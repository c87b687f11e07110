"""The pages of visitors, one module for each part of their way, and what staff do with photos that failed."""
