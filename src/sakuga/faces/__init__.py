"""Faces in pictures: found, measured, moved into the frame of a network and pasted back."""
