"""The graphs of rules and of jobs, as pictures and as a page: what is done, runs, failed, or is made anew, and why."""
