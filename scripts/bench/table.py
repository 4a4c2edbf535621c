"""One table for every benchmark: work, ours, theirs, ratio, goal; and the same lines as JSON."""
import json
import os
import statistics


class Table:
    """Rows of medians. A ratio is how many times ours fits into theirs."""

    def __init__(self, name):
        self.name, self.rows = name, []

    def add(self, work, unit, ours, peer, theirs, goal, floor=None):
        """ours, theirs and floor are lists of figures, all of one run, lower being better; goal is a ratio.
        The floor is what the least work that could be done takes."""
        a, b = statistics.median(ours), statistics.median(theirs)
        self.rows.append({"work": work, "unit": unit, "ours": a, "peer": peer, "theirs": b, "ratio": b / a, "goal": goal})
        if floor:
            self.rows[-1]["floor"] = statistics.median(floor)
        print(f"{work}: ours {min(ours):.4g}…{max(ours):.4g}, {peer} {min(theirs):.4g}…{max(theirs):.4g} {unit}", flush=True)

    def finish(self):
        head = ["work", "unit", "ours", "theirs", "ratio", "goal"]
        lines = [head] + [[r["work"], r["unit"], f"{r['ours']:.4g}", f"{r['theirs']:.4g} ({r['peer']})",
                           f"{r['ratio']:.0f}×" if r["ratio"] >= 10 else f"{r['ratio']:.1f}×", f"≥ {r['goal']}×"] for r in self.rows]
        if any("floor" in r for r in self.rows):
            for line, floor in zip(lines, ["floor"] + [f"{r['floor']:.4g}" if "floor" in r else "" for r in self.rows]):
                line.insert(4, floor)
        widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
        print()
        for line in lines:
            print("  ".join(cell.ljust(w) for cell, w in zip(line, widths)).rstrip())
        os.makedirs("build/bench", exist_ok=True)
        with open(f"build/bench/{self.name}.jsonl", "w") as f:
            for row in self.rows:
                f.write(json.dumps(row, ensure_ascii=False) + "\n")
        print(f"\nbuild/bench/{self.name}.jsonl")
