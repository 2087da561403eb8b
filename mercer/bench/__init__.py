"""A shop in, what checks find of errors put into its data on purpose out."""
