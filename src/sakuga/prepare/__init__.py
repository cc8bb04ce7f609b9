"""From films and pictures to a training folder; every step reads folders and writes a new one with a manifest."""
