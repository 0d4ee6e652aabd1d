"""The tables of docs/compatibility.md that tests write: between marks, and what a test sees must be what is there."""
import difflib
import pathlib

DOCUMENT = pathlib.Path(__file__).resolve().parents[3] / "docs" / "compatibility.md"
COLUMNS = ["it writes, we read", "we write, it reads", "it updates ours", "we update its", "it deletes ours",
           "we delete its", "after its collector"]


class Cell:
    """How many values were equal, and why others were not."""

    def __init__(self):
        self.good, self.reasons = 0, {}

    def equal(self):
        self.good += 1

    def refused(self, error):
        text = f"{type(error).__name__}: {error}".split("\n")[0].strip()
        self.reasons[text] = self.reasons.get(text, 0) + 1


def table(comparisons):
    notes, lines = {}, ["| attribute | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for comparison in comparisons:
        cells = []
        for column in COLUMNS:
            cell = comparison.cells[column]
            refusals = [f"{n} refused ({notes.setdefault(text, len(notes) + 1)})" for text, n in cell.reasons.items()]
            cells.append(", ".join(([str(cell.good)] if cell.good else []) + refusals) or "–")
        lines.append(f"| {comparison.case.label} | " + " | ".join(cells) + " |")
    return "\n".join(lines + [""] + [f"({number}) `{text}`  " for text, number in notes.items()])


def compare(name, seen, rewrite):
    """What differs between the document and what was seen, or nothing once it is rewritten."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    text = DOCUMENT.read_text()
    before, rest = text.split(begin)
    written, after = rest.split(end)
    if rewrite:
        DOCUMENT.write_text(before + begin + seen + "\n" + end + after)
        return []
    return list(difflib.unified_diff(written.splitlines(), seen.splitlines(), str(DOCUMENT), "seen", lineterm="", n=0))
