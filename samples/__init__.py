"""Programs worth running, from `derivative` to networks on real images: `minitorch samples` lists them."""
