"""Article -> DocumentReference: where the facts stand, never the text itself."""

import base64

from casefhir.fhir.constants import URI
from casefhir.fhir.context import ARTICLE, Context, Json, sha256_uri
from casefhir.fhir.narrative import div


def document_reference(context: Context) -> Json:
    """The DocumentReference of the article: identifiers and hashes, title, authors, publication date as shown."""
    article = context.case.document
    found = context.head(*ARTICLE, div(f"Source article: {article.title} (its text is not included)."))
    uris = [
        f"https://doi.org/{article.doi}" if article.doi else None,
        f"https://www.ncbi.nlm.nih.gov/pmc/articles/{article.pmcid}" if article.pmcid else None,
        f"https://pubmed.ncbi.nlm.nih.gov/{article.pmid}" if article.pmid else None,
        sha256_uri(article.sha256),
    ]
    found["identifier"] = [
        context.identifier(*ARTICLE),
        *({"system": URI, "value": uri} for uri in uris if uri),
    ]
    found["status"] = "current"
    found["type"] = {"text": "Published case report"}
    found["subject"] = context.to_subject()
    if article.authors:
        found["author"] = [{"display": name} for name in article.authors]
    attachment: Json = {
        "contentType": article.content_type,
        "language": "en",
        "size": article.size,
        "hash": base64.b64encode(bytes.fromhex(article.sha1)).decode("ascii"),
        "title": article.title,
    }
    if article.published:
        attachment["creation"] = article.published
    found["content"] = [{"attachment": attachment}]
    return found
