"""What `learn.py` is made of: pictures, recipes, measures."""
