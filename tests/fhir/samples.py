"""A small case to shape facts in: one drug, one visit, and whatever facts a test adds."""

from casefhir.fhir import convert
from casefhir.fhir.context import Json, resource_type
from casefhir.record import Article, Case, Course, Fact, On, Person, Relative, Section, Source, at, check

HERE: Source = at(10, 4, "here")
MAY_2012 = On("2012-05", at(20, 8, "May 2012"))
LATER = Relative(
    "after-start", "ivig-1", at(30, 18, "Three months after"), offset="3 months", words="Three months after"
)
ARTICLE = Article(
    title="An invented case",
    sha256="ab" * 32,
    sha1="cd" * 20,
    size=1000,
    characters=1000,
    authors=("Example A", "Sample B"),
    doi="10.5555/example",
    published="2013-06",
)
IVIG = Course("ivig-1", "ivig", HERE, start=MAY_2012)


def case(*facts: Fact, article: Article = ARTICLE) -> Case:
    made = Case(
        key="sample",
        title="A sample case",
        article=article,
        recorded="2026-11-22T00:00:00Z",
        person=Person("female", HERE, origin="Andean origin"),
        facts=(IVIG, *facts),
        sections=(Section("Case", 0, 1000),),
    )
    assert check(made) == []
    return made


def shaped(fact: Fact, *others: Fact, **options: str) -> Json:
    """The resource that `fact` becomes in a case with `others`."""
    conversion = convert(case(fact, *others), **options)  # type: ignore[arg-type]
    wanted = f"sample/{resource_type(fact)}/{fact.key}"
    return next(each for each in conversion.resources if each["meta"]["tag"][2]["code"] == wanted)
