"""sakuga (作画): photographs and video as anime, cartoon and painting."""
