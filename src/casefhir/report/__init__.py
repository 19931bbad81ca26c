"""What bundles say, for people: tables, SQL over them, plots and one HTML page. Works from R4 JSON alone."""
