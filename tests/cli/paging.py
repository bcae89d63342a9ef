"""The commands of the documentation's pages."""

import re
import shlex
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def commands(page, launches=False):
    """Return the words of each `./tactus` line in the bash blocks of a page; launches: what follows `./tactus launch`, else all others."""
    blocks = re.findall(r"```bash\n(.*?)```", (DOCS / f"{page}.md").read_text(), re.S)
    lines = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
    told = [words for words in lines if (words[:2] == ["./tactus", "launch"]) == launches]
    return [words[2:] for words in told] if launches else told
