#!/usr/bin/env python3
"""Tests of check_house.py: a small tree that keeps the rules, then one planted breach at a time."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import check_house  # noqa: E402

CLEAN = {
    "core/env.hpp": "// What an environment is, in one page.\n#pragma once\nint num_agents();\n",
    "envs/registry.hpp": '// Every game by its name, for the doors.\n#pragma once\n#include "core/env.hpp"\n',
    "envs/common/grid.hpp": "// Distances on a grid, as pure functions.\n#pragma once\n",
    "envs/beach/beach.hpp": '// The rules of the beach.\n#include "core/env.hpp"\n#include "envs/common/grid.hpp"\n',
    "envs/beach/beach.json": "{}\n",
    "envs/smax/smax.hpp": "// The rules of SMAX, as played.\n",
    "envs/meson.build": "# The list of games.\nenv_names = ['beach', 'smax']\n",
    "algos/ppo.hpp": '// One update of PPO, after Schulman.\n#include "core/env.hpp"\n',
    "bindings/cli/main.cpp": '// The main of the CLI.\n#include "algos/ppo.hpp"\n#include "envs/registry.hpp"\n',
    "bench/bench.py": '#!/usr/bin/env python3\n"""Runs the benchmarks of every game."""\n',
    "tests/envs/test_beach.cpp": '// The rules of the beach, checked.\n#include "envs/beach/beach.hpp"\n',
    "tests/envs/test_smax.cpp": "// The rules of SMAX, checked too.\n",
    "docs/envs/beach.md": "# beach\n",
    "docs/envs/smax.md": "# smax\n",
}
SAID = "// A sentence with a purpose.\n"


class House(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root)
        for name, text in CLEAN.items():
            self.write(name, text)

    def write(self, name, text):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def breach(self, name, text, words, line=None):
        """Plants one file, sees exactly one breach that names it and says these words."""
        self.write(name, text)
        breaches, _ = check_house.check(self.root)
        self.assertEqual(len(breaches), 1, breaches)
        self.assertTrue(breaches[0].startswith(f"{name}:{line}:" if line else f"{name}:"), breaches)
        self.assertIn(words, breaches[0])

    def fine(self, name, text):
        self.write(name, text)
        self.assertEqual(check_house.check(self.root), ([], []))

    def test_a_clean_tree_is_clean(self):
        self.assertEqual(check_house.check(self.root), ([], []))

    def test_nothing_points_up(self):
        for name, include in [
            ("core/bad.hpp", '"envs/smax/smax.hpp"'), ("core/bad.hpp", '"algos/ppo.hpp"'),
            ("core/bad.hpp", "<envs/registry.hpp>"),
            ("envs/beach/bad.hpp", '"envs/smax/smax.hpp"'), ("envs/beach/bad.hpp", '"../smax/smax.hpp"'),
            ("envs/beach/bad.hpp", '"algos/ppo.hpp"'), ("envs/beach/bad.hpp", '"envs/registry.hpp"'),
            ("envs/common/bad.hpp", '"envs/smax/smax.hpp"'), ("algos/bad.hpp", '"envs/registry.hpp"'),
            ("algos/bad.hpp", '"bindings/cli/cli.hpp"'), ("bindings/python/bad.cpp", '"envs/smax/smax.hpp"'),
            ("bindings/python/bad.cpp", '"bindings/cli/cli.hpp"'), ("bench/bad.cpp", '"envs/common/grid.hpp"'),
            ("examples/bad.cpp", '"tests/helpers.hpp"'),
        ]:
            with self.subTest(name=name, include=include):
                self.breach(name, f"{SAID}\n#include {include}\n", "may not include", line=3)
                os.remove(os.path.join(self.root, name))

    def test_what_may_be_included(self):
        self.fine("envs/beach/draw.cpp", SAID + '#include "beach.hpp"\n#include "envs/beach/beach.hpp"\n')
        self.fine("tests/core/test_all.cpp", SAID + '#include "algos/ppo.hpp"\n#include "envs/smax/smax.hpp"\n')
        self.fine("core/quoted.cpp", SAID + '// #include "algos/ppo.hpp"\n#include "generated.hpp"\n')

    def test_the_first_line_is_a_purpose(self):
        for name, text in [("core/bad.hpp", "#pragma once\n"), ("core/bad.hpp", "// bad.hpp\n"),
                           ("core/bad.hpp", "\n" + SAID), ("core/bad.hpp", "// Copyright of all the authors\n"),
                           ("tests/python/bad.py", "import os\n"), ("tests/python/bad.py", "")]:
            with self.subTest(name=name, text=text):
                self.breach(name, text, "the first line")
                os.remove(os.path.join(self.root, name))
        self.fine("tests/python/good.py", "#!/usr/bin/env python3\n# A sentence with a purpose.\n")

    def test_names(self):
        self.breach("core/utils.hpp", SAID, "named utils.hpp")
        os.remove(os.path.join(self.root, "core/utils.hpp"))
        for code in ["struct LaneManager {};", "int get_size();", "const Foo& get_foo(int a) const {}",
                     "auto *get_it() {}", "namespace throng::utils {}"]:
            with self.subTest(code=code):
                self.breach("core/bad.hpp", SAID + code + "\n", "a ", line=2)
        os.remove(os.path.join(self.root, "core/bad.hpp"))
        self.fine("core/good.hpp", SAID + "int a = app.get_option();\nint f() { return get_line(); }  // int get_x()\n"
                                          "auto s = \"struct LaneManager\";\nauto t = x->get_it();\n")

    def test_only_hpp_and_cpp(self):
        self.breach("core/kernel.cu", "", "C++ and CUDA live in")
        os.remove(os.path.join(self.root, "core/kernel.cu"))
        self.breach("envs/smax/notes.md", "", "holds")

    def test_budgets(self):
        self.write("core/long.hpp", SAID + "int a;\n" * 300)
        self.write("core/function.hpp", SAID + "struct S {\n  void f(int x) const {\n" + "  ++x;\n" * 80 + "  }\n};\n")
        breaches, warnings = check_house.check(self.root)
        self.assertEqual(breaches, [])
        self.assertEqual([w.split(":")[0] for w in warnings], ["core/function.hpp", "core/long.hpp"])
        self.breach("core/endless.hpp", SAID + "int a;\n" * 600, "601 lines")

    def test_an_environment_is_complete(self):
        for missing in ("envs/smax/smax.hpp", "docs/envs/smax.md", "tests/envs/test_smax.cpp"):
            with self.subTest(missing=missing):
                os.remove(os.path.join(self.root, missing))
                self.write("envs/smax/smax.json", "{}")
                breaches, _ = check_house.check(self.root)
                self.assertEqual(breaches, [f"envs/smax: needs {missing}"])
                self.write(missing, CLEAN[missing])
        self.write("envs/meson.build", "env_names = ['beach']\n")
        self.assertEqual(check_house.check(self.root)[0], ["envs/smax: is not in the list of envs/meson.build"])

    def test_paths_of_one_machine(self):
        self.breach("docs/run.md", "# run\n\ncd /" + "home/me/throng\n", "absolute path", line=3)
        self.write("docs/run.md", "# run\n")
        self.fine("docs/links.md", "see https://example.org/" + "home/x, ~/" + "work/x and $HOME/" + "work/x\n")

    def test_python_that_does_not_parse(self):
        self.breach("bench/bad.py", "# A sentence with a purpose.\nx = {\n", "not Python", line=2)

    def test_large_files(self):
        self.breach("docs/film.bin", "x" * (check_house.FILE_BYTES + 1), "over 2 MiB")

    @unittest.skipUnless(shutil.which("clang-format"), "no clang-format here")
    def test_format(self):
        self.write(".clang-format", "BasedOnStyle: Google\n")
        self.breach("core/bad.hpp", SAID + "int   a ;\nint   b ;\n", "clang-format -i core/bad.hpp", line=2)

    @unittest.skipUnless(shutil.which("git"), "no git here")
    def test_git_says_what_belongs_to_the_tree(self):
        subprocess.run(["git", "init", "-q", self.root], check=True)
        self.write(".gitignore", "/build*/\n")
        self.fine("build/core/bad.cu", "")
        self.breach("somewhere/bad.cu", "", "C++ and CUDA live in")

    def test_the_program_exits_1(self):
        program = [sys.executable, check_house.__file__, self.root]
        self.assertEqual(subprocess.run(program, capture_output=True).returncode, 0)
        self.write("core/bad.hpp", "")
        run = subprocess.run(program, capture_output=True, text=True)
        said = [line for line in run.stdout.splitlines() if not line.startswith("note:")]
        self.assertEqual((run.returncode, len(said)), (1, 1))
        self.assertTrue(said[0].startswith("core/bad.hpp:1: "), said)


if __name__ == "__main__":
    unittest.main()
