"""What the tests stand on: a PostgreSQL, databases by the dozen, a browser, real data, and a loud word when one is missing."""
