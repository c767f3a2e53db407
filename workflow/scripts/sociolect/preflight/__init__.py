"""What is looked at before anything runs."""
