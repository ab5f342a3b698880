"""What all benchmarks share: rounds, results, the comparison at the end, and
an eye on what else the machine was doing.

A benchmark is a module with one function run(bench).  It measures its
contestants in turn, round after round, so that a busy neighbour hits all of
them alike, and then says what is to be compared:

    for _ in bench.rounds():
        for network in networks:
            bench.add(network.label, "TCP", measure(network), "Gbit/s")
    bench.compare("TCP by tap", ("weft tap", "TCP"), [("bridge", "TCP")],
                  at_least=1.0)

A ratio is how many times as good Weft is: the median, over the rounds, of
what it reached beside what the peer reached in the same round."""

import os
import re
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, "build")
TICKS = os.sysconf("SC_CLK_TCK")
BUSY = 0.30             # Of one CPU, used by others: a round worth a note.
SLACK = 0.97            # 1.0x is met by a median this close to it.


def program(name):
    """Where a program of ours was built, or None."""
    for path in (os.path.join(BUILD, "cmd", name),
                 os.path.join(BUILD, "tests", "bench", name)):
        if os.path.isfile(path):
            return path
    return None


def output(*argv, timeout=60, **kwargs):
    """What a command prints; its complaints, when it fails, are ours."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=timeout, **kwargs)
    if done.returncode:
        raise RuntimeError("%s: status %d\n%s%s" % (
            " ".join(map(str, argv)), done.returncode, done.stdout[-2000:],
            done.stderr[-2000:]))
    return done.stdout


class Others:
    """CPU time of processes that are not ours, seen through the /proc of
    those who started us: we live in a PID namespace of our own."""

    def __init__(self, proc_fd, our_root):
        self.proc_fd = proc_fd
        self.our_root = our_root

    def _stat(self, pid):
        try:
            fd = os.open(pid + "/stat", os.O_RDONLY, dir_fd=self.proc_fd)
        except OSError:
            return None
        try:
            text = os.read(fd, 4096).decode(errors="replace")
        except OSError:
            return None
        finally:
            os.close(fd)
        fields = text[text.rindex(")") + 2:].split()
        # Its own time and that of children it has waited for.
        return int(fields[1]), sum(map(int, fields[11:15]))

    def seconds(self):
        if self.proc_fd is None:
            return 0.0
        table = {}
        for name in os.listdir(self.proc_fd):
            if name.isdigit():
                row = self._stat(name)
                if row:
                    table[int(name)] = row
        total = 0
        for pid, (parent, ticks) in table.items():
            if parent == 2 or pid == 2:
                continue                # The kernel's threads work for all.
            while pid in table and pid != self.our_root:
                pid = table[pid][0]
            if pid != self.our_root:
                total += ticks
        return total / TICKS


class Bench:
    def __init__(self, n_rounds, seconds, with_wires, only, others):
        self.n_rounds = n_rounds
        self.seconds = seconds          # Of one measurement.
        self.with_wires = with_wires    # The data path without tables, too.
        self.only = only                # Contestants: a regular expression.
        self.others = others
        self.values = {}                # {(contestant, what): [value]}
        self.units = {}
        self.rows = []                  # Of the table at the end.
        self.notes = []
        self.name = ""
        self._busy = []

    # --- Measuring --------------------------------------------------------

    def rounds(self, n=None):
        """Yields the number of each round; watches what others did in it."""
        n = n or self.n_rounds
        for i in range(n):
            cpu, clock = self.others.seconds(), time.monotonic()
            yield i
            took = time.monotonic() - clock
            share = max(0.0, self.others.seconds() - cpu) / max(took, 1e-3)
            self._busy.append(share)
            self.progress("round %d of %d took %.0f s%s" % (
                i + 1, n, took, ", others used %.0f %% of a CPU"
                % (100 * share) if share > BUSY else ""))

    def progress(self, text):
        print("  %s: %s" % (self.name, text), file=sys.stderr, flush=True)

    def note(self, text):
        """Something the reader of the figures must know."""
        line = "%s: %s" % (self.name, text)
        if line not in self.notes:
            self.notes.append(line)
            print("  " + line, file=sys.stderr, flush=True)

    def add(self, contestant, what, value, unit):
        self.values.setdefault((contestant, what), []).append(value)
        self.units[what] = unit

    def median(self, key):
        return statistics.median(self.values[key])

    # --- Saying -----------------------------------------------------------

    def end(self):
        """Prints the RESULT lines of a benchmark that ended."""
        for (contestant, what), v in self.values.items():
            if (contestant, what) in getattr(self, "_said", set()):
                continue
            print("RESULT %s, %s: min %s / median %s / max %s %s (n=%d)" % (
                contestant, what, short(min(v)), short(statistics.median(v)),
                short(max(v)), self.units[what], len(v)))
        self._said = set(self.values)
        busy = [share for share in self._busy if share > BUSY]
        if busy:
            self.note("in %d of %d rounds other processes used more than %.0f"
                      " %% of a CPU (at most %.0f %%)" % (
                          len(busy), len(self._busy), 100 * BUSY,
                          100 * max(busy)))
        self._busy = []
        sys.stdout.flush()

    def ratio(self, ours, theirs, less_is_better):
        pairs = zip(self.values[ours], self.values[theirs])
        if less_is_better:
            return statistics.median(p / w for w, p in pairs if w)
        return statistics.median(w / p for w, p in pairs if p)

    def compare(self, what, ours, peers, at_least, less_is_better=False,
                factor=1.0):
        """Weft beside the best of some peers.  'factor': a newer version of
        the peer is that many times as good as the one measured."""
        peers = [key for key in peers if self.values.get(key)]
        if not self.values.get(ours) or not peers:
            missing = "nothing to compare with" if self.values.get(ours) \
                else "not measured"
            self.rows.append([what, self.say(ours), missing, "", "", "-"])
            return
        pick = min if less_is_better else max
        best = pick(peers, key=self.median)
        ratio = self.ratio(ours, best, less_is_better) / factor
        label = "%s %s" % (self.say(best), best[0])
        if factor != 1.0:
            label += " x%.2f" % factor
        self.rows.append([what, self.say(ours), label, "%.2f" % ratio,
                          ">= %s" % short(at_least),
                          "yes" if ratio >= at_least * SLACK else "NO"])

    def limit(self, what, ours, at_most=None, at_least=None):
        """Weft beside a figure that no peer has to reach."""
        if not self.values.get(ours):
            self.rows.append([what, "", "not measured", "", "", "-"])
            return
        value = self.median(ours)
        met = value <= at_most if at_most is not None else value >= at_least
        budget = "<= %s" % short(at_most) if at_most is not None \
            else ">= %s" % short(at_least)
        self.rows.append([what, self.say(ours), "", "", budget,
                          "yes" if met else "NO"])

    def say(self, key):
        if not self.values.get(key):
            return ""
        return "%s %s" % (short(self.median(key)), self.units[key[1]])

    def table(self):
        """The end: everything compared, and what to keep in mind."""
        rows = [["", "Weft", "peer", "ratio", "budget", "met"]] + self.rows
        widths = [max(len(row[i]) for row in rows) for i in range(6)]
        print()
        for row in rows:
            print("  ".join(text.ljust(width) for text, width
                            in zip(row, widths)).rstrip())
        for text in self.notes:
            print("note: " + text)

    # --- Programs of ours -------------------------------------------------

    def results_in(self, said):
        """[(label, {unit or name: value})] of the RESULT lines of weft-bench:
        "RESULT row label: median 5 us" or "RESULT row label median_us=5"."""
        results = []
        for line in said.splitlines():
            named = re.findall(r" ([A-Za-z_0-9]+)=([0-9.]+)", line)
            found = re.match(r"RESULT \w+ (.+?): (?:median )?(.*)", line)
            if found:
                results.append((found[1], dict(
                    (unit, float(value)) for value, unit in re.findall(
                        r"([0-9.]+) ([A-Za-z/]+)", found[2]))))
            elif named:
                results.append((line.split()[2], dict(
                    (name, float(value)) for name, value in named)))
        return results


def short(value):
    """Four digits of meaning."""
    if value and abs(value) < 0.1:
        return "%.3f" % value
    if abs(value) < 100:
        return ("%.2f" % value).rstrip("0").rstrip(".")
    return "%.0f" % value
