"""Keeps the source tree to the rules that a compiler cannot see. Each rule says why it is one.

    python3 tests/tidy/tidy.py ROOT      prints FILE:LINE: what is wrong: why; exit code 1 if there is anything

Lengths of functions and files are for the eye; only a line has a hard limit. Strings and comments are looked into only
where a rule is about text; a rule about code sees code with both blanked out.
"""
import pathlib
import posixpath
import re
import subprocess
import sys

LINE_CHARACTERS_MAX = 120
CODE = ("proto", "state", "operators", "daemon", "tests", "bench")
CORE = ("state/", "operators/")

# Who may include whose headers. Tests and benchmarks stand above all; generated headers (spur/v1/…) belong to proto.
ARROWS = {
    "state": {"state"},
    "operators": {"state", "operators"},
    "daemon": {"state", "operators", "daemon"},
}

# (pattern over an #include line's target, files it is banned in, files it is allowed in, why)
INCLUDES = [
    (r"rocksdb/", "", r"state/rocks_store\.cc|daemon/log/embedded_\w+\.cc|tests/(daemon|audit)/.*",
     "RocksDB stays behind the store and the embedded log, so that each can be exchanged and the fold tested without it"),
    (r"librdkafka/", "", r"daemon/log/kafka/.*|tests/kafka/.*|bench/peers/.*", "Kafka stays behind the log"),
    (r"(grpcpp/|spur/v1/\w+\.grpc\.pb\.h)", "", r"daemon/(grpc|cli)/.*|tests/.*|bench/.*",
     "gRPC stays in the services and the tool, so that all else runs under the thread sanitizer"),
    (r"thread$", CORE, "", "the fold is single-threaded; workers own shards"),
    (r"iostream$", CORE, "", "the fold does no I/O, and iostream brings static constructors and a locale"),
    (r"random$", CORE, "", "a random number would differ on replay"),
    (r"(locale|clocale)$", CORE, "", "what a locale changes would differ on another machine"),
    (r"unordered_(map|set)$", CORE, "", "hash order differs between builds; use an ordered container"),
]

# (pattern over code, files it is banned in, files it is allowed in, why)
CALLS = [
    (r"_clock::now|(?<![\w.>:])(std::)?time\s*\(\s*(nullptr|NULL|0|&)|\bgettimeofday\b|\bclock_gettime\b|\babsl::Now\b", "",
     r"daemon/clock\.cc|daemon/logging\.cc|bench/.*|tests/.*",
     "time comes in: one file reads clocks (and log lines are stamped), so that all else runs on a virtual one"),
    (r"\bstd::unordered_\w+|\bnode_hash_(map|set)\b", CORE, "",
     "hash order differs between builds; use an ordered container"),
    (r"(?<![\w.>:])s?rand(om)?\s*\(|\brandom_device\b|\bmt19937\w*\b", CORE, "", "a random number would differ on replay"),
    (r"\bgetenv\b|\bsecure_getenv\b", CORE, "", "the fold depends on journaled inputs only, never on its surroundings"),
    (r"\bstd::locale\b|\bsetlocale\b|\buselocale\b", CORE, "", "what a locale changes would differ on another machine"),
    (r"(?<![\w.>])(?:std::)?(?:exp|exp2|expm1|log|log2|log10|log1p|pow|cbrt|hypot|sin|cos|tan|asin|acos|atan|atan2|sinh|cosh"
     r"|tanh|asinh|acosh|atanh|erf|erfc|lgamma|tgamma)[fl]?\s*\((?!\s*\))", CORE, r"operators/models/.*",
     "libm picks another variant on another CPU, an ulp apart; a model's scores are rounded and journaled"),
]

# (pattern over the whole text, files it is banned in, files it is allowed in, why)
TEXTS = [
    (r"\b(TODO|FIXME|XXX)\b", "", "", "what is not done belongs in an issue, where somebody sees it"),
    (r"(?<![\w.])/(work|root|home)/", "", "", "a path of one machine means nothing on another"),
]

HASHED = re.compile(r"\babsl::flat_hash_(?:map|set)\s*<.*>\s+(\w+)\s*(?:;|=|\{|\()")
MARK = re.compile(r"//.*\border does not matter: \S")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def blanked(text):
    """`text` with comments and the insides of strings made spaces; lines stay where they are."""
    pattern = r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\''
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.findings = []

    def files(self):
        """What git knows or would add; everything where there is no git."""
        listed = subprocess.run(["git", "-C", str(self.root), "ls-files", "-co", "--exclude-standard"],
                                capture_output=True, text=True, check=False)
        if listed.returncode == 0 and (self.root / ".git").exists():
            names = listed.stdout.split("\n")
        else:
            folders = [p for p in self.root.iterdir() if p.name not in ("build", ".git")]
            names = [str(f.relative_to(self.root)) for p in folders for f in ([p] if p.is_file() else p.rglob("*"))]
        return sorted(n for n in names if n and (self.root / n).is_file())

    def find(self, name, line, what, why):
        self.findings.append(f"{name}:{line}: {what}: {why}")

    def check(self):
        files = self.files()
        for name in files:
            # Data of others and fuzzers' bytes are not ours to shape.
            if re.match(r"tests/(data|golden|fuzz/corpus)/|proto/google/", name):
                continue
            try:
                text = (self.root / name).read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            self.check_text(name, text)
            if name.split("/")[0] in CODE and name.endswith((".cc", ".h")):
                self.check_source(name, text)
        self.check_built([n for n in files if n.split("/")[0] in CODE])
        return self.findings

    # --- rules over any text ---

    def check_text(self, name, text):
        if name.startswith("tests/tidy/"):
            return  # its patterns and plants would be found
        for pattern, _, _, why in TEXTS:
            for match in re.finditer(pattern, text):
                self.find(name, line_of(text, match.start()), f"`{match.group()}`", why)
        if not name.endswith((".cc", ".h", ".proto", ".py", ".cmake", "CMakeLists.txt")):
            return
        for number, line in enumerate(text.split("\n"), 1):
            # Tests and benchmarks hold scripts, catalogs and expected lines, which do not read better broken.
            if len(line) > LINE_CHARACTERS_MAX and not name.startswith(("tests/", "bench/", "examples/")):
                self.find(name, number, f"{len(line)} characters", f"a line has at most {LINE_CHARACTERS_MAX}")
            if line.rstrip() != line:
                self.find(name, number, "space at the end of the line", "it shows up in every later diff")

    # --- rules over C++ ---

    def check_source(self, name, text):
        code = blanked(text)
        if name.endswith(".h") and not re.search(r"^#pragma once$", text, re.M):
            self.find(name, 1, "no `#pragma once`", "a header may be included twice")
        self.check_head(name, text)
        for match in INCLUDE.finditer(text):
            self.check_include(name, line_of(text, match.start(1)), match.group(1))
        for pattern, where, allowed, why in CALLS:
            if self.applies(name, where, allowed):
                for match in re.finditer(pattern, code):
                    self.find(name, line_of(code, match.start()), f"`{match.group().strip()}`", why)
        if name.startswith(CORE):
            self.check_hash_order(name, text, code)

    @staticmethod
    def applies(name, where, allowed):
        return (not where or name.startswith(where)) and not (allowed and re.fullmatch(allowed, name))

    def check_head(self, name, text):
        """A file says at its head what it is. A .cc may leave that to its own header, and a test to the header that it
        tests, if it includes that first."""
        if text.startswith("//"):
            return
        first = INCLUDE.search(text)
        if first is not None and text.lstrip().startswith("#include") and name.endswith(".cc"):
            own = pathlib.PurePosixPath(first.group(1)).stem
            stem = pathlib.PurePosixPath(name).stem
            if stem == own or stem.startswith(own + "_") or (name.startswith("tests/") and "/" in first.group(1)):
                return
        self.find(name, 1, "no comment at the head of the file", "a reader asks first what this is")

    def check_include(self, name, line, target):
        folder, to = name.split("/")[0], target.split("/")[0]
        if folder in ARROWS and to in CODE and "/" in target and to not in ARROWS[folder]:
            self.find(name, line, f"includes {target}", "arrows run one way: proto <- state <- operators <- daemon")
        for pattern, where, allowed, why in INCLUDES:
            if re.match(pattern, target) and self.applies(name, where, allowed):
                self.find(name, line, f"includes {target}", why)

    def check_hash_order(self, name, text, code):
        """A loop over a hashed container needs a word why its order does not matter, on its line."""
        lines = text.split("\n")
        for hashed in HASHED.findall(code):
            loops = (rf"for\s*\([^;)]*:\s*[^)]*\b{hashed}\s*\)|\b{hashed}\s*\.\s*c?begin\s*\("
                     rf"|\b(?:erase_if|for_each)\s*\([^,;]*\b{hashed}\b")
            for match in re.finditer(loops, code):
                line = line_of(code, match.start())
                if not MARK.search(lines[line - 1]):
                    self.find(name, line, f"iterates over `{hashed}`",
                              "hash order differs between builds; sort, or say why with `// order does not matter: …`")

    # --- rules over the build ---

    def check_built(self, files):
        """Every .cc is named, or covered by a glob, in some CMakeLists.txt."""
        patterns = [p for n in files if n.endswith((".cmake", "CMakeLists.txt")) for p in self.patterns_of(n)]
        for name in files:
            path = pathlib.PurePosixPath("/" + name)
            if name.endswith(".cc") and not any(path.match(pattern) for pattern in patterns):
                self.find(name, 1, "is in no CMakeLists.txt", "what is not built rots unseen")

    def patterns_of(self, listing):
        """The sources a CMake file names, as patterns from the root."""
        text = re.sub(r"#[^\n]*", "", (self.root / listing).read_text(encoding="utf-8"))
        for word in re.findall(r"[^\s()\"]+\.cc\b", text):
            word = word.replace("${CMAKE_SOURCE_DIR}", "")
            word = re.sub(r"^\$\{CMAKE_CURRENT_(SOURCE|LIST)_DIR\}/", "", word)
            yield posixpath.normpath(posixpath.join("/" + posixpath.dirname(listing), word))


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    findings = Tree(sys.argv[1]).check()
    for finding in findings:
        print(finding)
    print(f"tidy: {len(findings)} findings" if findings else "tidy: fine")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
