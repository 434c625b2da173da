#!/usr/bin/env python3
"""Compares `swiftlet calendar sessions` with exchange_calendars and pandas_market_calendars, minute by minute.

    in_venv.py Calendars/requirements.txt Calendars/conformance.py SWIFTLET [CALENDAR...]

Every session's existence, open, close and pause is compared over all years that we and both references know. What is not
the same three times must stand in exceptions.tsv with whom we go with, the reason and a source; an entry there that
excuses nothing is a fault too.
"""

import json
import pathlib
import subprocess
import sys
import warnings

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parents[2]
FIELDS = ("open", "break_start", "break_end", "close")
CALENDARS = {
    "XNYS": "NYSE", "XNAS": "NASDAQ", "XLON": "LSE", "XETR": "XETR", "XPAR": "XPAR", "XTKS": "JPX", "XHKG": "HKEX",
    "XASX": "ASX", "XTSE": "TSX", "CMES": "CMES", "24/7": "24/7",
}


def ours(swiftlet, name):
    """All sessions of a calendar, and the years it knows."""
    command = [swiftlet, "calendar", "sessions", name, "--json"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        sys.exit(f"{name}: {done.stderr.strip()}")
    rows, flags = {}, {}
    for line in done.stdout.splitlines():
        row = json.loads(line)
        rows[row["session"]] = tuple(minute(row[field]) for field in FIELDS)
        flags[row["session"]] = (row["early_close"], row["late_open"])
    return rows, flags


def minute(text):
    """An instant's text to the minute; one with seconds stays as it is, and so equals nothing."""
    return None if text is None else text[:16] if text.endswith(":00Z") else text


def text(time):
    import pandas

    return None if pandas.isna(time) else time.strftime("%Y-%m-%dT%H:%M")


def first_reference(name, first, last):
    import exchange_calendars

    factories = exchange_calendars.calendar_utils._default_calendar_factories
    factory = factories[exchange_calendars.resolve_alias(name)]
    bound = factory.bound_min()
    calendar = factory(start=max(first, str(bound.date())) if bound is not None else first, end=last)
    table = calendar.schedule
    rows = {
        str(day.date()): tuple(map(text, (row.open, row.break_start, row.break_end, row.close)))
        for day, row in zip(table.index, table.itertuples())
    }
    early, late = ({str(day.date()) for day in days} for days in (calendar.early_closes, calendar.late_opens))
    return rows, {day: (day in early, day in late) for day in rows}


def second_reference(name, first, last):
    import pandas_market_calendars

    table = pandas_market_calendars.get_calendar(CALENDARS[name]).schedule(first, last)
    pauses = "break_start" in table.columns
    return {
        str(day.date()): (
            text(row.market_open), text(row.break_start) if pauses else None,
            text(row.break_end) if pauses else None, text(row.market_close),
        )
        for day, row in zip(table.index, table.itertuples())
    }


class Excepted:
    """One line of exceptions.tsv: fields of a range of days, and whom we go with there."""

    def __init__(self, number, line):
        self.number = number
        self.calendar, self.first, self.last, fields, self.side, self.reason, self.source = line.split("\t")
        self.fields = set(fields.split(","))
        self.uses = 0
        assert self.fields <= {"session", *FIELDS}, f"line {number}: unknown field"
        assert self.side in ("first", "second"), f"line {number}: {self.side}: against both there is no exception"
        assert self.reason and self.source, f"line {number}: a reason and a source are needed"

    def excuses(self, day, field, values):
        own, first, second = values
        side = "first" if own == first else "second" if own == second else None
        if not (self.first <= day <= self.last and field in self.fields and side == self.side):
            return False
        self.uses += 1
        return True


def differences(day, rows):
    """The fields of a day that are not the same three times, with the three values."""
    if any(day not in table for table in rows):
        yield "session", tuple(day in table for table in rows)
        return
    for index, field in enumerate(FIELDS):
        values = tuple(table[day][index] for table in rows)
        if len(set(values)) > 1:
            yield field, values


def compare(swiftlet, name, exceptions):
    """The faults of one calendar."""
    own, flags = ours(swiftlet, name)
    first, last = min(own)[:4] + "-01-01", max(own)[:4] + "-12-31"
    reference, reference_flags = first_reference(name, first, last)
    second = second_reference(name, first, last)
    begin = max(min(reference), min(second), first)[:4] + "-01-01"
    days = sorted(day for day in {*own, *reference, *second} if begin <= day <= last)
    faults, excused, same = [], 0, 0
    for day in days:
        found = list(differences(day, (own, reference, second)))
        unexcused = [
            (field, values) for field, values in found
            if not any([exception.excuses(day, field, values) for exception in exceptions])
        ]
        faults += [f"{name} {day} {field}: ours {v[0]}, first {v[1]}, second {v[2]}" for field, v in unexcused]
        excused += bool(found and not unexcused)
        same += not found
        if not found and flags[day] != reference_flags[day]:
            faults.append(f"{name} {day} early_close, late_open: ours {flags[day]}, first {reference_flags[day]}")
    print(f"{name:5} {begin} to {last}: {len(days)} days, {same} the same three times, {excused} excepted", flush=True)
    return faults


def main():
    warnings.filterwarnings("ignore")
    swiftlet, names = str(pathlib.Path(sys.argv[1]).resolve()), sys.argv[2:] or list(CALENDARS)
    lines = (HERE / "exceptions.tsv").read_text().splitlines()
    exceptions = [
        Excepted(number, line) for number, line in enumerate(lines, 1) if line and not line.startswith("#")
    ]
    faults = []
    for name in names:
        mine = [exception for exception in exceptions if exception.calendar == name]
        faults += compare(swiftlet, name, mine)
        faults += [f"exceptions.tsv:{one.number} excuses nothing: remove it" for one in mine if not one.uses]
    for fault in faults[:100]:
        print(fault)
    sys.exit(f"{len(faults)} faults" if faults else 0)


if __name__ == "__main__":
    main()
