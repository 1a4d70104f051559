"""Other programs' names and layouts. Only what is in here knows them."""
