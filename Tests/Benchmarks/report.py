"""Figures as text for a terminal, or as Markdown for the README."""

import statistics

SPEED = [
    ("connections", "connections", "{:.0f}"), ("rate", "requests/s", "{:,.0f}"), ("p50", "p50 µs", "{:,.0f}"),
    ("p99", "p99 µs", "{:,.0f}"), ("p999", "p99.9 µs", "{:,.0f}"), ("cpu", "CPU µs/req", "{:.1f}"),
    ("ratio", "× nginx CPU", "{:.1f}"), ("rss", "RSS MiB", "{:.0f}"), ("pss", "PSS MiB", "{:.0f}"),
]


def table(head, rows, markdown):
    """Rows of texts under a head; the first column is words, the others are figures."""
    if markdown:
        lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
        return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"
    widths = [max(len(row[place]) for row in [head, *rows]) for place in range(len(head))]
    aligned = [
        "  ".join(text.ljust(width) if place == 0 else text.rjust(width) for place, (text, width) in enumerate(zip(row, widths)))
        for row in [head, *rows]
    ]
    return "\n".join(line.rstrip() for line in aligned) + "\n"


def speed_table(rows, markdown):
    head = [""] + [title for _, title, _ in SPEED]
    return table(head, [
        [row["server"]] + [form.format(row[key]) if row.get(key) is not None else "" for key, _, form in SPEED]
        for row in rows
    ], markdown)


def figure(what, value, unit="", aim=None, below=True, note=""):
    """One figure; with an aim it is reached at it or below (or above) it."""
    reached = None if aim is None or value is None else value <= aim if below else value >= aim
    return {"what": what, "value": value, "unit": unit, "aim": aim, "below": below, "reached": reached, "note": note}


def number(value):
    if value is None:
        return "–"
    if isinstance(value, int) or value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def figure_table(figures, markdown):
    rows = []
    for entry in figures:
        aim, unit = entry.get("aim"), entry.get("unit") or ""
        reached = {True: "yes", False: "no", None: ""}[entry.get("reached")]
        sign = "≤" if entry.get("below", True) else "≥"
        rows.append([
            entry["what"], f"{number(entry['value'])} {unit}".strip(),
            "" if aim is None else f"{sign} {number(aim)} {unit}".strip(), reached, entry.get("note") or "",
        ])
    return table(["", "measured", "aim", "reached", ""], rows, markdown)


def median(rounds, key):
    return statistics.median(row[key] for row in rounds)
