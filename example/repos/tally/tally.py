#!/usr/bin/env python3
"""Prints the most frequent words of files, or of standard input."""

import fileinput
import os
import re
from collections import Counter


def tally(lines):
    """Counts the words in lines, whatever their case."""
    return Counter(
        word for line in lines for word in re.findall(r"[^\W\d_]+", line.lower())
    )


def main():
    top = int(os.environ.get("TALLY_TOP", "10"))
    counts = tally(fileinput.input())
    for word, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:top]:
        print(f"{count:6}  {word}")


if __name__ == "__main__":
    main()
