"""SQL, the cache, and the loaded index."""
