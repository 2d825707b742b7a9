"""The course, the cookbook and the reference as markdown, and what runs their examples and builds the site from them."""
