"""The code of notebooks as Python files, for the type checker: notebooks_as_python.py FOLDER OUT."""

import json
import sys
from pathlib import Path


def main(folder: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for notebook in folder.glob("*.ipynb"):
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        code = "\n".join("".join(each["source"]) for each in cells if each["cell_type"] == "code")
        (out / f"{notebook.stem}.py").write_text(code + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
