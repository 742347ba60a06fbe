#!/usr/bin/env python3
"""Write a C++ file that holds a text file as a string constant: embed.py INPUT OUTPUT NAME."""
import json
import sys

source, target, name = sys.argv[1:]
with open(source, encoding="utf-8") as file:
    text = json.dumps(json.load(file), separators=(",", ":"))  # refuses a broken file at build time
pieces = [text[i : i + 8000] for i in range(0, len(text), 8000)]
with open(target, "w", encoding="utf-8") as file:
    file.write(f"// Written by tools/embed.py from {source.rsplit('/', 1)[-1]}.\nnamespace throng {{\n")
    file.write(f"extern const char* const {name};\nconst char* const {name} =\n")
    file.writelines(f'    R"json({piece})json"\n' for piece in pieces)
    file.write(";\n}  // namespace throng\n")
