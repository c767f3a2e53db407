"""Every key of the config, one file per rule file; and what is generated from them."""
