"""What people have in place of a table: dumps of forums, and tables with other columns; they become input tables."""
