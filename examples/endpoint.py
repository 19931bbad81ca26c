"""A web service: a case as a JSON record comes in, a FHIR bundle or an OperationOutcome goes out.

To run it: pip install casefhir fastapi uvicorn, then uvicorn --app-dir examples endpoint:app
"""

from typing import Any, Literal

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from casefhir import CasefhirError, RecordFileError, convert, exactjson, read_record, record_schema, validate_conversion
from casefhir.conformance.output import to_operation_outcome

app = FastAPI(title="Cases to FHIR R4")
BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"$ref": "record.schema.json"}}}}}


@app.get("/record.schema.json")
def schema() -> dict[str, Any]:
    """What a record may hold."""
    return record_schema()


@app.post("/cases", openapi_extra=BODY, response_class=Response)
async def case(request: Request, form: Literal["transaction", "collection", "document"] = "transaction") -> Response:
    """The bundle of the record in the body; what is wrong with it comes back as an OperationOutcome."""
    return await run_in_threadpool(answer, await request.body(), form)


def answer(body: bytes, form: Literal["transaction", "collection", "document"]) -> Response:
    """200 with a bundle that conforms, 400 for a record with mistakes, 422 where what it becomes does not conform."""
    try:
        conversion = convert(read_record(body, "record.json"), form=form)
    except RecordFileError as error:
        said = [f"line {each.place.line}, column {each.place.column}: {each.message}" for each in error.mistakes]
        return fhir(400, {"resourceType": "OperationOutcome", "issue": [issue(each) for each in said]})
    except CasefhirError as error:
        return fhir(400, {"resourceType": "OperationOutcome", "issue": [issue(str(error))]})
    report = validate_conversion(conversion)
    return fhir(200, conversion.bundle) if report.ok else fhir(422, to_operation_outcome(report))


def issue(text: str) -> dict[str, Any]:
    """One mistake of a record as an OperationOutcome tells it."""
    return {"severity": "error", "code": "invalid", "diagnostics": text}


def fhir(status: int, resource: dict[str, Any]) -> Response:
    """A resource as FHIR JSON, its decimals with their digits."""
    return Response(exactjson.write(resource), status, media_type="application/fhir+json")
