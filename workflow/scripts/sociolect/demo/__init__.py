"""A made-up corpus whose groups have planted, known styles."""
