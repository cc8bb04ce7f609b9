"""A camera as anime, live, in the browser of this machine."""
