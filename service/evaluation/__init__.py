"""What `kith evaluate` does: a community with its friendships in, figures out, and a page of them."""
