"""JSON alone: first whether it reads what Python's `json` reads, then how long it takes."""

import json
import random
import subprocess

from processes import Failure
from report import figure

TEXTS = ["", "plain", "Österreich", "two\nlines", 'a "quote"', "back\\slash", "\u0000", "😀", "\u2028", "longer than one word"]


def refuse(text):
    raise ValueError(text)


def reading(text):
    """What Python makes of a document; None for what RFC 8259 does not allow."""
    try:
        return [json.loads(text, parse_constant=refuse)]
    except (ValueError, RecursionError):
        return None


def document(source, depth):
    kind = source.randrange(10 if depth else 7)
    if kind < 2:
        return source.choice([None, True, False, 0, -1, 1.5, 1e-7])
    if kind == 2:
        return source.randint(-(2 ** source.randrange(1, 64)), 2 ** source.randrange(1, 63) - 1)
    if kind == 3:
        return source.uniform(-1, 1) * 10.0 ** source.randint(-300, 300)
    if kind < 7:
        return source.choice(TEXTS)
    if kind == 7:
        return [document(source, depth - 1) for _ in range(source.randrange(6))]
    size = 70 if source.random() < 0.03 else source.randrange(7)
    return {source.choice(TEXTS) + str(number % 5): document(source, depth - 1) for number in range(size)}


def corpus(source, count):
    """Documents as Python writes them, every third one damaged."""
    for number in range(count):
        text = json.dumps(document(source, 4), ensure_ascii=source.random() < 0.5, separators=source.choice([(",", ":"), (", ", ": ")]))
        if number % 3 == 0:
            place = source.randrange(len(text))
            text = text[:place] + source.choice('{}[]:,"0123456789eE+-.\\utfn ') + text[place + source.randrange(2):]
        yield text


def alike(mine, theirs):
    """Equal, and numbers of one kind count as those of the other: 1.0 is written as 1 by a type that takes it for whole."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        return mine.keys() == theirs.keys() and all(alike(mine[name], theirs[name]) for name in mine)
    if isinstance(mine, list) and isinstance(theirs, list):
        return len(mine) == len(theirs) and all(map(alike, mine, theirs))
    if isinstance(mine, bool) or isinstance(theirs, bool):
        return mine is theirs
    return mine == theirs or isinstance(mine, float) and isinstance(theirs, int) and mine == float(theirs)


def compare(build, count):
    """How many documents agree with Python's reading, as trees and as types."""
    documents = list(corpus(random.Random(8259), count))
    output = subprocess.run(
        [build / "fixtures", "--repeat-json"], input="\n".join(documents) + "\n", capture_output=True, text=True, timeout=120
    ).stdout.split("\n")
    for number, text in enumerate(documents):
        expected = reading(text)
        for way, answer in zip(("tree", "type"), output[2 * number:2 * number + 2]):
            mine = [json.loads(answer)] if answer else None
            # Python reads numbers beyond a double as infinite and halves of surrogate pairs as they are.
            if mine is None and expected is not None and ("inf" in repr(expected) or "\\ud" in ascii(expected).lower()):
                continue
            if not (mine == expected or mine and expected and alike(mine[0], expected[0])):
                raise Failure(f"the JSON {way} of {text!r} is {answer!r}, and Python's {expected!r}")
    return len(documents)


def measure(home, options):
    compared = compare(options.build, 30_000)
    result = subprocess.run([options.build / "fixtures", "--measure-json"], capture_output=True, text=True, check=True, timeout=120)
    figures = json.loads(result.stdout)
    found = [figure("JSON documents read as Python reads them, a third of them damaged", compared)]
    for size, unit, scale, aim in (("small", "µs", 1, 15), ("large", "ms", 1000, 4)):
        each = figures[size]
        for way in ("decode", "encode"):
            found.append(figure(f"typed JSON, {way} {each['bytes']:,} bytes", each[f"{way}_us"] / scale, unit, aim))
    return found
