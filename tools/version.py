#!/usr/bin/env python3
"""Print the version of throng, which stands in core/version.hpp and nowhere else."""
import pathlib
import re

header = pathlib.Path(__file__).parent.parent / "core" / "version.hpp"
print(re.search(r'kVersion = "([^"]+)"', header.read_text(encoding="utf-8")).group(1))
