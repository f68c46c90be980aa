"""What is known of the catalogue: content, popularity, crowds, neighbours."""
