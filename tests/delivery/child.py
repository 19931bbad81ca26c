"""An uploader in a process of its own, to be killed: child.py BASE STRATEGY OUTBOX FOLDER [resume]."""

import sys
from pathlib import Path

from casefhir.delivery import Progress, upload


def told(progress: Progress) -> None:
    print(progress.kind, progress.case, flush=True)


if __name__ == "__main__":
    base, strategy, outbox, folder, *more = sys.argv[1:]
    receipt = upload(
        Path(folder), base, strategy=strategy, outbox=Path(outbox), resume=more == ["resume"], jobs=2, verify=True,
        on_progress=told,
    )  # fmt: skip
    print("end", receipt.by_state, flush=True)
    sys.exit(receipt.exit_code)
