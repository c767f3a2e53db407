"""Make input tables of a dump: Stack Exchange, Reddit, or a table with other column names."""

from __future__ import annotations

import argparse
import logging
import secrets

import library_path  # noqa: F401, first: where sociolect lies

from sociolect.common.errors import InputError, exit_plainly
from sociolect.dumps.import_flags import add_flags, options_of, said_by
from sociolect.dumps.importing import import_dump
from sociolect.dumps.mapped import mapping_of
from sociolect.dumps.shown import print_import
from sociolect.dumps.sources import sources_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_flags(parser)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    tags = given.groups if given.by == "tags" else None
    if given.by == "tags" and (given.kind != "stackexchange" or not given.groups):
        raise InputError("--by tags: only for stackexchange, with the tags that are its groups: --groups optics,light")
    salt = given.salt or secrets.token_hex(16)
    record = given.out / f"import_{given.kind}.json"
    try:
        sources = sources_of(given.kind, given.files, mapping_of(given.map), tags)
        imported = import_dump(sources, record, options_of(given, salt), said_by(given, sources), given.replace)
    except OSError as error:
        # a full disk, a file that may not be read
        raise InputError(f"{error.filename or given.out}: {error.strerror or error}; mend that, then again") from error
    print_import(imported, record)
    if not given.salt:
        print("author ids: of a random salt that is not kept; --salt gives the same ids again")


if __name__ == "__main__":
    exit_plainly(main)
