#!/usr/bin/python3
"""Every line and every branch of the wire format and of the agent's core is run by the tests of both; prints the table.

    coverage_test.py BUILD_FOLDER

Compiled twice, without optimisation, so that branches are the source's: as where size is asked for, and as where speed is. The
port to NetX Duo is in the table too, on the double of its tests; no figure is demanded of it. Ends with 77 without gcov."""
import collections
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COMPLETE = ["wire", "agent/src"]
SHOWN = COMPLETE + ["agent/port/netxduo/src"]
# Their own tests; those that fork a process for each seed, or need a sanitizer, add nothing. Nothing is inlined: what is
# would be counted once for each place, with branches that cannot be taken there.
CORE = re.compile(r"^(wire|agent)_(?!linux_|netxduo_)(?!.*(races|freestanding|needs_only))")
PORT = re.compile(r"^agent_netxduo_(?!.*(races|interleaving))")
BUILDS = {"size": ("", [CORE, PORT]), "speed": ("-D__OPTIMIZE__ -Dalways_inline=__unused__", [CORE])}
COVERAGE = "--coverage -fprofile-update=atomic"


def run(command):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)}: {result.returncode}\n{result.stdout}")
    return result.stdout


def build(folder, flags, patterns):
    """Builds the tests in a folder of their own, and runs them."""
    jobs = f"-j{os.cpu_count()}"
    run(["cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_C_FLAGS_DEBUG=-O0 -g",
         f"-DCMAKE_C_FLAGS={COVERAGE} {flags}"])
    names = re.findall(r"^ *Test +#\d+: (\S+)", run(["ctest", "--test-dir", folder, "-N"]), re.M)
    names = [name for name in names if any(pattern.match(name) for pattern in patterns)]
    run(["ninja", "-C", folder, "-t", "cleandead"])
    run(["cmake", "--build", folder, jobs, "--target"] + [re.sub("_corpus$", "", name) for name in names])
    for counts in glob.glob(f"{folder}/**/*.gcda", recursive=True):
        os.remove(counts)
    run(["ctest", "--test-dir", folder, jobs, "--output-on-failure", "-R", f"^({'|'.join(names)})$"])


class Lines:
    """How often the lines and branches of the files in some folders were run, over all programs and builds."""

    def __init__(self, root, folders):
        self.root = root
        self.folders = folders
        self.runs = collections.defaultdict(collections.Counter)
        self.branches = collections.defaultdict(dict)

    def read(self, build_folder):
        for note in glob.glob(f"{build_folder}/**/*.gcno", recursive=True):
            # What is left of a file that is no more has no object beside it.
            for file in self._files(note) if os.path.exists(re.sub("gcno$", "o", note)) else []:
                path = os.path.relpath(os.path.join(build_folder, file["file"]), self.root)
                if os.path.dirname(path) in self.folders:
                    self._add(path, file["lines"])

    @staticmethod
    def _files(note):
        """What was never run has no counts, which is said on stderr, and counts as not run."""
        command = ["gcov", "--json-format", "--stdout", "--branch-probabilities", note]
        return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["files"]

    def _add(self, path, lines):
        for line in lines:
            number = line["line_number"]
            self.runs[path][number] += line["count"]
            counts = [branch["count"] for branch in line["branches"]]
            # A condition with a part that is constant in one build has fewer branches there: they are among the others.
            sums = self.branches[path].setdefault(number, [])
            if len(counts) > len(sums):
                sums[:] = [0] * len(counts)
            if len(counts) == len(sums):
                sums[:] = map(sum, zip(sums, counts))

    def table(self):
        """Path, lines run, lines, branches taken, branches, numbers of lines that lack something."""
        for path, lines in sorted(self.runs.items()):
            branches = self.branches[path]
            missed = [number for number, count in lines.items() if count == 0 or 0 in branches[number]]
            yield (path, sum(count > 0 for count in lines.values()), len(lines),
                   sum(count > 0 for counts in branches.values() for count in counts), sum(map(len, branches.values())),
                   sorted(missed))


def make_sure_that_it_sees():
    """A branch that is not taken, and a line that is not run."""
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/a.c", "w", encoding="utf-8") as source:
            source.write("int main(int argc, char **argv)\n{\n    (void)argv;\n    if (argc > 1)\n        return 1;\n    return 0;\n}\n")
        run(["sh", "-c", f"cd {folder} && gcc {COVERAGE} -O0 -c a.c && gcc {COVERAGE} -o a a.o && ./a"])
        lines = Lines(folder, [""])
        lines.read(folder)
        if [row[5] for row in lines.table()] != [[4, 5]]:
            sys.exit(f"gcov does not tell what was not run: {list(lines.table())}")


def share(part, whole):
    return f"{part:5} / {whole:<5} {100 * part / whole if whole else 100:6.1f} %"


def show(rows):
    print(f"{'file':44} {'lines':>16} {'branches':>24}")
    for part in SHOWN:
        of_part = [row for row in rows if os.path.dirname(row[0]) == part]
        if not of_part:
            sys.exit(f"no line of {part} was counted: this test sees nothing")
        for row in of_part + [(f"{part}/ in all", *[sum(row[i] for row in of_part) for i in range(1, 5)])]:
            print(f"{row[0]:44} {share(row[1], row[2])}  {share(row[3], row[4])}")


def main(folder):
    if shutil.which("gcov") is None or shutil.which("gcc") is None:
        print("skipped: gcc or gcov is not installed")
        return 77
    make_sure_that_it_sees()
    lines = Lines(ROOT, SHOWN)
    for name, (flags, patterns) in BUILDS.items():
        build(f"{folder}/{name}", flags, patterns)
        lines.read(f"{folder}/{name}")
    rows = list(lines.table())
    show(rows)
    for row in rows:
        if row[5]:
            print(f"{row[0]}: not run, or not both ways: {', '.join(map(str, row[5]))}")
    return 1 if any(row[5] for row in rows if os.path.dirname(row[0]) in COMPLETE) else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(os.path.abspath(sys.argv[1])))
