"""The examples for integrators run, answer what they say, and are typed."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from fastapi.testclient import TestClient
from nbclient import NotebookClient

from casefhir import exactjson, load_case, validate, write_record
from casefhir.published import folder
from casefhir.tables import convert_tables

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
CASE = load_case(EXAMPLES / "example_azathioprine_dermatomyositis.py").case


def errors(resource: dict[str, Any]) -> list[str]:
    report = validate(exactjson.write(resource), profiles=[folder("profiles")])
    return [f"{each.location}: {each.message}" for each in report.findings if each.severity in ("fatal", "error")]


@pytest.fixture(scope="module")
def notebook() -> Any:
    read = nbformat.read(EXAMPLES / "tour.ipynb", as_version=4)
    assert not [cell for cell in read.cells if cell.get("outputs")], "it is committed without what it prints"
    NotebookClient(read, timeout=300, startup_timeout=300, kernel_name="python3").execute()
    return read


def said(notebook: Any, word: str) -> str:
    """What the cell that holds `word` printed or drew."""
    cell = next(each for each in notebook.cells if each.cell_type == "code" and word in each.source)
    return "".join(each.get("text", "") + "".join(each.get("data", {}).values()) for each in cell.outputs)


@pytest.mark.thorough
def test_the_notebook_converts_and_validates(notebook: Any) -> None:
    assert said(notebook, "convert(mapping)").count("'Observation'") == 6
    assert said(notebook, "validate_conversion").count("'fatal': 0, 'error': 0") == 6
    assert said(notebook, "line_of").count("scig_antisynthetase_jo1.py:") == 5


@pytest.mark.thorough
def test_the_notebook_plots_and_queries(notebook: Any) -> None:
    assert "<svg" in said(notebook, "plot(")
    assert said(notebook, "query(").count("'value': ") == 5


@pytest.fixture(scope="module")
def service() -> TestClient:
    namespace: dict[str, Any] = {"__name__": "endpoint"}
    path = EXAMPLES / "endpoint.py"
    exec(compile(path.read_text("utf-8"), str(path), "exec"), namespace)
    return TestClient(namespace["app"])


@pytest.mark.parametrize("form", ["transaction", "collection", "document"])
def test_a_record_is_answered_with_a_bundle(service: TestClient, form: str) -> None:
    reply = service.post("/cases", content=write_record(CASE, "json"), params={"form": form})
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/fhir+json"
    bundle = exactjson.read(reply.content)
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", form)
    assert not errors(bundle)
    assert b'"value":2.0' in reply.content, "decimals keep their digits"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"sex": "female"', '"sex": "F"', "none of 'female'"),
        ("3260 UI/l", "3,260 UI/l", "without thousands separators"),
        ('"key"', '"key" "key"', "Not JSON"),
    ],
)
def test_a_mistake_is_answered_with_an_outcome(service: TestClient, old: str, new: str, told: str) -> None:
    body = write_record(CASE, "json").decode()
    assert old in body
    reply = service.post("/cases", content=body.replace(old, new, 1))
    assert reply.status_code == 400
    outcome = reply.json()
    assert not errors(outcome)
    assert any(told in issue["diagnostics"] and "line " in issue["diagnostics"] for issue in outcome["issue"])


def test_what_does_not_conform_is_answered_with_an_outcome(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from casefhir import library

    real = library.convert

    def wrong(*arguments: Any, **options: Any) -> Any:
        conversion = real(*arguments, **options)
        conversion.bundle["entry"][1]["resource"]["gender"] = "bananas"
        return conversion

    namespace = service.app.routes[-1].endpoint.__globals__  # type: ignore[attr-defined]
    monkeypatch.setitem(namespace, "convert", wrong)
    reply = service.post("/cases", content=write_record(CASE, "json"))
    assert reply.status_code == 422
    assert not errors(reply.json())
    assert "bananas" in reply.text


def test_the_service_describes_itself(service: TestClient) -> None:
    assert service.get("/openapi.json").json()["paths"]["/cases"]
    assert "Measurement" in service.get("/record.schema.json").json()["$defs"]


def test_the_endpoint_is_about_forty_lines() -> None:
    code = [line for line in (EXAMPLES / "endpoint.py").read_text("utf-8").splitlines() if line.strip()]
    assert len(code) <= 45


def test_the_workbook_to_fill_tells_what_the_tables_tell(tmp_path: Path) -> None:
    for name in ("registry", "registry.xlsx"):
        assert convert_tables([EXAMPLES / name], "registry", tmp_path / name).total_rejected == 0
    for path in sorted((tmp_path / "registry").glob("*.ndjson")):
        if path.name != "Provenance.ndjson":  # names the files
            assert path.read_bytes() == (tmp_path / "registry.xlsx" / path.name).read_bytes(), path.name


@pytest.mark.java
def test_the_spark_job_converts_the_registry(tmp_path: Path) -> None:
    local = tmp_path / "local"
    convert_tables([EXAMPLES / "registry"], "registry", local)
    out = tmp_path / "spark"
    environment = {
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_SUBMIT_OPTS": "-Dspark.master=local[2] -XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }
    job = [sys.executable, EXAMPLES / "spark_job.py", EXAMPLES / "registry", out]
    run = subprocess.run(job, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    kinds = {each.name for each in local.glob("*.ndjson")}
    assert {each.name for each in out.iterdir() if each.name.endswith(".ndjson")} == {
        *(f"name={kind}" for kind in kinds),
        "name=index%2Fresources.ndjson",
    }
    for kind in kinds:
        made = [line for part in out.glob(f"name={kind}/part-*") for line in part.read_bytes().splitlines()]
        theirs = (local / kind).read_bytes().splitlines()
        assert len(made) == len(theirs)
        if kind != "Provenance.ndjson":  # which names the file, where there is one
            assert sorted(made) == sorted(theirs)
