"""`spur eval --lines` answers every case of CEL's conformance suite as the suite says.

    eval_lines.py SPUR [--additions]

Written on its own, in another language than the tool: it reads the cases of SPUR_DATA/cel, gives them to the program and
compares its answers. The core, the extensions, and what of optionals and type_deductions needs no protobuf message.
Exit code 77: there is no data.
"""
import gzip
import json
import math
import os
import pathlib
import subprocess
import sys

FILES = set("""basic comparisons conversions fields fp_math integer_math lists logic macros namespace parse plumbing string
timestamps string_ext math_ext macros2 bindings_ext encoders_ext optionals type_deductions""".split())
SENT = ("expr", "typeEnv", "bindings", "container", "disableCheck")


def number(value):
    return {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}.get(value, value) if isinstance(value, str) else value


def plain(value):
    """A cel.expr.Value in a form that == compares: the kind counts, a map's order does not, NaN is NaN."""
    (kind, inner), = value.items()
    if kind == "doubleValue":
        inner = float(number(inner))
        return kind, "NaN" if math.isnan(inner) else inner
    if kind in ("int64Value", "uint64Value"):
        return kind, int(inner)
    if kind == "listValue":
        return kind, [plain(v) for v in inner.get("values", [])]
    if kind == "mapValue":
        return kind, sorted(([plain(e["key"]), plain(e["value"])] for e in inner.get("entries", [])), key=repr)
    return kind, json.dumps(inner, sort_keys=True)


def wrong(case, answer):
    """Why the answer is not the case's; empty if it is."""
    if case.get("checkOnly"):
        # Nothing is said of the value, and a declared function has none.
        return "" if answer.get("error") != "check" else "does not check"
    if "evalError" in case:
        return "" if answer.get("error") == "eval" else "should be an error"
    wanted = case.get("typedResult", case).get("result" if "typedResult" in case else "value", {"boolValue": True})
    if "value" not in answer:
        return "should be a value"
    return "" if plain(answer["value"]) == plain(wanted) else f"should be {json.dumps(wanted)}"


def main():
    data = os.environ.get("SPUR_DATA", str(pathlib.Path(__file__).parents[2] / "../shared/data"))
    path = pathlib.Path(data) / "cel/conformance.jsonl.gz"
    if not path.exists():
        print(f"no {path}: set SPUR_DATA")
        return 1 if os.environ.get("CI") == "true" else 77
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        cases = [json.loads(line) for line in lines]
    cases = [c for c in cases if c["file"] in FILES and not c.get("proto_message")]
    sent = "".join(json.dumps({k: c[k] for k in SENT if k in c}) + "\n" for c in cases)
    command = [sys.argv[1], "eval", "--lines"] + ([] if "--additions" in sys.argv else ["--strict"])
    done = subprocess.run(command, input=sent, capture_output=True, text=True, check=False)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    failed = [] if (done.returncode, len(answers)) == (0, len(cases)) else [f"{len(answers)} answers: {done.stderr}"]
    for case, answer in zip(cases, answers):
        problem = wrong(case, answer)
        if problem:
            failed.append(f"{case['file']}/{case['section']}/{case['name']}: {case['expr']}: {problem}: {answer}")
    for line in failed:
        print(line)
    print(f"{len(cases) - len(failed)} of {len(cases)} cases of {len(FILES)} files")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
