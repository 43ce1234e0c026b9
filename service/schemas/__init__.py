"""Wire shapes and limits."""
