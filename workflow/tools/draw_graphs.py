"""Draw the rule graph and the job graph: Mermaid always, SVG where graphviz is there."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import library_path  # noqa: F401, first: where sociolect lies

from sociolect.common.files import write_text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configfile", required=True)
    parser.add_argument("--target", default="all")
    parser.add_argument("--folder", type=Path, required=True)
    flags = parser.parse_args()
    dot = shutil.which("dot")
    for kind in ("rulegraph", "dag"):
        for language, suffix in (("mermaid-js", "mmd"), ("dot", "dot")):
            asked = ["--configfile", flags.configfile, "--forceall", f"--{kind}", language, "--", flags.target]
            done = subprocess.run([sys.executable, "-m", "snakemake", *asked], capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"error: {done.stderr.strip() or 'snakemake could not draw the graph'}")
            path = flags.folder / f"{kind}.{suffix}"
            write_text(done.stdout, path)
            print(path)
        if dot:
            svg = flags.folder / f"{kind}.svg"
            subprocess.run([dot, "-Tsvg", str(flags.folder / f"{kind}.dot"), "-o", str(svg)], check=True)
            print(svg)
    if not dot:
        print("no SVG: graphviz is not installed (Debian: apt-get install graphviz)")


if __name__ == "__main__":
    main()
