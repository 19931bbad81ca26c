"""What a command and all processes that it starts use together, read from Linux's /proc."""

import os
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

_TICK, _PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
_EVERY = 0.1


@dataclass
class Use:
    """`processor`: seconds by process; `peak`: bytes resident in all at once, shared pages counted in each."""

    processor: dict[str, float] = field(default_factory=dict)
    peak: int = 0

    def look(self, group: int) -> None:
        """See what the processes of `group` have used until now."""
        resident = 0
        for each in Path("/proc").iterdir():
            if not each.name.isdigit():
                continue
            try:
                stat = (each / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(stat[2]) == group:
                self.processor[each.name] = (int(stat[11]) + int(stat[12])) / _TICK
                resident += int(stat[21]) * _PAGE
        self.peak = max(self.peak, resident)


def watched(command: Sequence[str]) -> tuple[str, Use]:
    """Run `command` in a process group of its own; its output, and what it used (to a tenth of a second)."""
    use, ended = Use(), threading.Event()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )

    def watch() -> None:
        while not ended.wait(_EVERY):
            use.look(process.pid)

    thread = threading.Thread(target=watch)
    thread.start()
    output, complaint = process.communicate()
    ended.set()
    thread.join()
    if process.returncode:
        raise SystemExit(complaint)
    return output, use
