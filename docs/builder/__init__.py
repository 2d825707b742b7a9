"""What runs the examples of the pages, and builds the site and the notebooks from them (docs/course/WRITING.md)."""
