"""What README.md and docs/ claim is tried: their catalogs are valid, the README's example decides what it says, the
limits they name exist, and links lead somewhere.

    python3 docs_test.py SOURCE_DIR SPUR
"""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT, SPUR = pathlib.Path(sys.argv[1]), sys.argv[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md")])


def blocks(page, language):
    """The fenced blocks of that language, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.S | re.M)


def spur(*arguments):
    done = subprocess.run([SPUR, *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stdout + done.stderr


class Docs(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.catalog = pathlib.Path(self.folder.name, "catalog")
        self.catalog.mkdir()

    def write_catalog(self, text):
        (self.catalog / "catalog.yaml").write_text(text, encoding="utf-8")

    def test_catalogs_on_the_pages_are_valid(self):
        found = 0
        for page in PAGES:
            for block in blocks(page, "yaml"):
                if not block.startswith("apiVersion:"):
                    continue
                found += 1
                self.write_catalog(block)
                code, _, said = spur("validate", str(self.catalog))
                self.assertEqual(code, 0, f"{page}: {said}")
        self.assertGreaterEqual(found, 8)

    def test_catalogs_of_the_guides_are_in_the_layout_of_the_tool(self):
        for page in (ROOT / "docs/guide.md", ROOT / "docs/coming-from.md"):
            for block in blocks(page, "yaml"):
                self.write_catalog(block)
                if block.startswith("apiVersion:"):
                    code, _, said = spur("fmt", "--check", str(self.catalog))
                    self.assertEqual(code, 0, f"{page}: {said}{block}")

    def test_trigger_tests_on_the_pages_pass_with_the_catalog_before_them(self):
        found = 0
        for page in PAGES:
            catalog = None
            for block in blocks(page, "yaml"):
                if block.startswith("apiVersion:"):
                    catalog = block
                elif block.startswith("catalog:"):
                    found += 1
                    self.write_catalog(catalog)
                    (self.catalog / "page_test.yaml").write_text(block, encoding="utf-8")
                    code, _, said = spur("test", str(self.catalog))
                    self.assertEqual(code, 0, f"{page}: {said}")
                    self.assertNotIn("0 passed", said)
                    (self.catalog / "page_test.yaml").unlink()
        self.assertGreaterEqual(found, 1)

    def test_the_example_of_the_readme_decides_what_it_says(self):
        self.write_catalog(blocks("README.md", "yaml")[0])
        events, decisions = blocks("README.md", "json")
        file = pathlib.Path(self.folder.name, "events.jsonl")
        file.write_text(events, encoding="utf-8")
        code, out, said = spur("backtest", "--catalog", str(self.catalog), "--events", str(file),
                               "--until", "2026-03-01T12:00:00Z", "--decisions", "-")
        self.assertEqual(code, 0, said)
        self.assertEqual(out, decisions)

    def test_limits_on_the_page_exist(self):
        code = "\n".join(p.read_text(encoding="utf-8") for folder in ("state", "operators", "daemon")
                         for p in sorted(ROOT.glob(f"{folder}/**/*")) if p.suffix in (".h", ".cc"))
        page = (ROOT / "docs/limits.md").read_text(encoding="utf-8")
        named = set(re.findall(r"`(k[A-Z]\w+|\w+_max)`", page))
        self.assertGreater(len(named), 40)
        for name in sorted(named):
            self.assertTrue(re.search(rf"\b{name}\b", code), f"docs/limits.md: there is no {name}")

    def test_links_lead_to_files(self):
        for page in PAGES:
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
                self.assertTrue((page.parent / target).exists(), f"{page}: {target}")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
