"""Published checkpoints of other projects, read safely into our networks."""

from sakuga.importers.cartoongan import cartoongan as cartoongan
