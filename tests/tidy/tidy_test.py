"""The tidy test finds what it says it finds: each case plants one violation in a small clean tree, and counts it."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import tidy  # noqa: E402  (found by the line above)

CLEAN = {
    "state/CMakeLists.txt": "add_library(spur_state customer.cc codec/keys.cc)\n",
    "state/customer.h": "// What is known of one customer.\n#pragma once\n#include <vector>\n",
    "state/customer.cc": '#include "state/customer.h"\n\nint answer() { return 42; }\n',
    "state/codec/keys.cc": "// Keys as bytes. Nothing here calls exp( or reads std::chrono::system_clock::now().\n",
    "operators/CMakeLists.txt": "file(GLOB sources triggers/*.cc models/*.cc)\n",
    "operators/triggers/absence.cc": '// A wait that ends.\n#include "state/customer.h"\nconst char* kText = "std::rand()";\n',
    "operators/models/bg_nbd.cc": "// BG/NBD.\n#include <cmath>\ndouble p(double x) { return std::exp(x); }\n",
    "daemon/CMakeLists.txt": "add_library(d clock.cc log/embedded_log.cc)\n",
    "daemon/clock.cc": "// The one clock.\n#include <chrono>\nauto now() { return std::chrono::system_clock::now(); }\n",
    "daemon/log/embedded_log.cc": '// The log.\n#include <rocksdb/db.h>\n#include "operators/shard.h"\n',
}


def found(**changed):
    """What tidy says of the clean tree with some files changed; `__` in a name stands for `/`, `_dot_` for `.`."""
    with tempfile.TemporaryDirectory() as root:
        files = dict(CLEAN)
        files.update({k.replace("__", "/").replace("_dot_", "."): v for k, v in changed.items()})
        for name, text in files.items():
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tidy.Tree(root).check()


class Tidy(unittest.TestCase):
    def one(self, place, what, **changed):
        findings = found(**changed)
        self.assertEqual(len(findings), 1, findings)
        self.assertTrue(findings[0].startswith(place + ": "), findings)
        self.assertIn(what, findings[0])

    def core(self, what, line):
        """`line` in the fold is one finding, and in the daemon none of the same kind."""
        self.one("operators/triggers/absence.cc:2", what, operators__triggers__absence_dot_cc=f"// A wait.\n{line}\n")

    def test_a_clean_tree_is_fine(self):
        self.assertEqual(found(), [])

    def test_an_arrow_against_the_stream(self):
        self.one("state/customer.h:3", "operators/shard.h",
                 state__customer_dot_h='// A customer.\n#pragma once\n#include "operators/shard.h"\n')
        self.one("operators/triggers/absence.cc:2", "daemon/clock.h",
                 operators__triggers__absence_dot_cc='// A wait.\n#include "daemon/clock.h"\n')

    def test_a_library_where_it_has_no_business(self):
        self.core("rocksdb/db.h", "#include <rocksdb/db.h>")
        self.core("librdkafka/rdkafka.h", "#include <librdkafka/rdkafka.h>")
        self.core("grpcpp/grpcpp.h", "#include <grpcpp/grpcpp.h>")
        self.one("daemon/clock.cc:2", "rocksdb", daemon__clock_dot_cc="// A clock.\n#include <rocksdb/db.h>\n")

    def test_a_clock_read_elsewhere(self):
        self.core("steady_clock::now"[-10:], "auto t = std::chrono::steady_clock::now();")
        self.core("time(", "auto t = time(nullptr);")
        self.core("gettimeofday", "gettimeofday(&t, nullptr);")
        self.core("clock_gettime", "clock_gettime(CLOCK_REALTIME, &t);")

    def test_what_differs_on_replay(self):
        self.core("rand(", "int r = rand();")
        self.core("getenv", 'const char* e = std::getenv("HOME");')
        self.core("std::locale", "std::locale l;")
        self.core("setlocale", 'setlocale(LC_ALL, "");')
        self.core("includes thread", "#include <thread>")
        self.core("includes iostream", "#include <iostream>")
        self.core("includes random", "#include <random>")
        self.core("unordered_map", "std::unordered_map<int, int> m;")

    def test_libm_outside_the_models(self):
        for name in ("exp", "std::log", "std::pow", "sin", "std::lgamma"):
            self.core(name, f"double d = {name}(2.0);")
        self.assertEqual(found(operators__triggers__absence_dot_cc="// A wait.\ndouble d = std::sqrt(std::fabs(2.0));\n"), [])

    def test_a_loop_in_hash_order(self):
        head = "// Customers.\nstruct S { absl::flat_hash_map<int, int> all; };\n"
        loop = "void f(S& s) { for (auto& a : s.all) use(a); }"
        self.one("state/customer.cc:3", "iterates over `all`", state__customer_dot_cc=f"{head}{loop}\n")
        self.one("state/customer.cc:3", "iterates over `all`",
                 state__customer_dot_cc=f"{head}auto first(S& s) {{ return s.all.begin(); }}\n")
        self.assertEqual(found(state__customer_dot_cc=f"{head}{loop}  // order does not matter: a sum\n"), [])
        self.one("state/customer.cc:3", "iterates", state__customer_dot_cc=f"{head}{loop}  // order does not matter:\n")

    def test_the_shape_of_a_file(self):
        self.one("state/customer.h:1", "#pragma once", state__customer_dot_h="// A customer.\n")
        self.one("state/customer.cc:1", "no comment", state__customer_dot_cc="#include <vector>\n")
        self.one("state/customer.cc:2", "121 characters", state__customer_dot_cc="// A customer.\n" + "x" * 121 + "\n")
        self.one("state/customer.cc:1", "space at the end", state__customer_dot_cc="// A customer. \n")

    def test_text_that_should_not_stay(self):
        # Put together here, so that a search of the tree does not find the plants.
        for text in ("TO" + "DO", "FIX" + "ME", "X" * 3, "/home" + "/me", " /root" + "/x", '"/work' + '/x'):
            self.one("README.md:1", text.strip(' "')[:5], README_dot_md=f"{text}\n")

    def test_a_source_that_is_not_built(self):
        self.one("state/left.cc:1", "is in no CMakeLists.txt", state__left_dot_cc="// Left over.\n")
        self.assertEqual(found(operators__triggers__novelty_dot_cc="// The first time.\n"), [])


if __name__ == "__main__":
    unittest.main()
