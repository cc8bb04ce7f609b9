"""What is computed once from the pictures of a collection."""
