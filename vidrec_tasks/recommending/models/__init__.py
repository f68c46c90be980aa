"""Models: what is learned of users and videos, and how it scores."""
