"""One maker of seeds per target; importing it makes them."""
