"""The rules of tools/check and what they read the tree with."""
