"""An invented woman with dermatomyositis, on whom every kind of fact can be tried without the published articles."""

from casefhir.record import (
    AdverseEvent,
    Article,
    Case,
    Course,
    Dosage,
    Intolerance,
    LeftOut,
    Measurement,
    On,
    Person,
    Problem,
    Procedure,
    Relative,
    Report,
    Section,
    Suspect,
    Told,
    Visit,
    at,
)

ARTICLE = Article(
    title="An invented case, written for the examples",
    sha256="2be037322b3c75c56dd3044bcdc0f3faf65ae5a710fa921a5d76617f425e2358",
    sha1="60a4cd68959be0815276507bb47fe7a134da8a19",
    size=1176,
    characters=1176,
)

YEAR_2011 = On("2011", at(102, 17, "diagnosed in 2011"))
AT_ONSET = Relative("concurrent-with-start", "dermatomyositis", at(196, 8, "at onset"), words="at onset")
MARCH_2012 = On("2012-03", at(248, 10, "March 2012"))
TWO_WEEKS_LATER = Relative(
    "after-start", "azathioprine-1", at(260, 15, "Two weeks later"), offset="2 weeks", words="Two weeks later"
)
FROM_MAY_2012 = On("2012-05", at(434, 13, "from May 2012"))
JUNE_2012 = On("2012-06", at(562, 9, "June 2012"))
JULY_2012 = On("2012-07", at(576, 9, "July 2012"))
THREE_MONTHS = Relative(
    "after-start",
    "ivig-1",
    at(697, 47, "Three months after the start of immunoglobulins"),
    offset="3 months",
    words="Three months after the start of immunoglobulins",
)
AFTER_START = Relative(
    "after-start",
    "ivig-1",
    at(880, 34, "after the start of immunoglobulins"),
    words="after the start of immunoglobulins",
)
MAY_2012 = On("2012-05", at(932, 8, "May 2012"))
DAY_4_MAY_2012 = On("2012-05-04", at(960, 10, "4 May 2012"))
YEAR_2012 = On("2012", at(1018, 7, "In 2012"))
IN_2012 = On("2012", at(1134, 7, "in 2012"))

CASE = Case(
    key="example-azathioprine-dermatomyositis",
    title="An invented case: azathioprine and dermatomyositis",
    article=ARTICLE,
    recorded="2026-11-22T00:00:00Z",
    person=Person(
        sex="female",
        source=at(46, 34, "47-year-old woman of Andean origin"),
        origin=Told("Andean origin", at(67, 13, "Andean origin")),
    ),
    facts=(
        # Who she is, her disease and its onset
        Measurement("age", "age", "47 years", at(46, 11, "47-year-old"), category="social-history"),
        Problem(
            "dermatomyositis",
            "dermatomyositis",
            at(86, 33, "dermatomyositis diagnosed in 2011"),
            asserted=YEAR_2011,
            evidence=("jo1",),
        ),
        Measurement(
            "ck-onset",
            "ck",
            "3260 UI/l",
            at(126, 26, "CK of 3,260 UI/l (N < 195)"),
            when=AT_ONSET,
            range="< 195",
            range_text="N < 195",
        ),
        Measurement(
            "ck-uln",
            None,
            "10 times the upper limit of normal",
            at(154, 41, "about ten times the upper limit of normal"),
            text="CK, multiple of the upper limit of normal",
            named=("CK",),
            when=AT_ONSET,
            category="laboratory",
        ),
        # Azathioprine and what it did
        Course(
            "azathioprine-1",
            "azathioprine",
            (
                at(206, 52, "Azathioprine 2.0 mg/kg/day was started in March 2012"),
                at(317, 47, "azathioprine, which was stopped for intolerance"),
            ),
            status="stopped",
            reasons=(Told("reason-treatment-not-tolerated", at(341, 23, "stopped for intolerance")),),
            start=MARCH_2012,
            dosage=Dosage("2.0 mg/kg/day", dose="2.0 mg/kg", times=1, every="1 day"),
            indication=("dermatomyositis",),
        ),
        Problem("headache", "headache", at(284, 8, "headache"), onset=TWO_WEEKS_LATER, due_to=("azathioprine-1",)),
        AdverseEvent(
            "azathioprine-headache",
            "headache",
            at(284, 45, "headache, suspected to be due to azathioprine"),
            suspects=(Suspect("azathioprine-1", "suspected to be due to", "possible"),),
            when=TWO_WEEKS_LATER,
            resulting=("headache",),
        ),
        Intolerance(
            "azathioprine",
            "azathioprine",
            at(317, 47, "azathioprine, which was stopped for intolerance"),
            reactions=("headache",),
        ),
        # Immunoglobulins; what was refused and declined
        Course(
            "ivig-1",
            "ivig",
            at(366, 81, "Intravenous immunoglobulins 1 g/kg over 2 days, monthly … from May 2012"),
            text="intravenous immunoglobulins",
            start=FROM_MAY_2012,
            dosage=Dosage(
                "1 g/kg over 2 days, monthly",
                dose="1 g/kg",
                times=1,
                every="1 month",
                over="2 days",
                route="intravenous",
            ),
            indication=("dermatomyositis",),
        ),
        Course(
            "methotrexate-refused",
            "methotrexate",
            at(449, 49, "Methotrexate was not given because she refused it"),
            status="not-taken",
            reasons=(Told("reason-patient-refused", at(484, 14, "she refused it")),),
            indication=("dermatomyositis",),
        ),
        Procedure(
            "biopsy-declined",
            "muscle-biopsy",
            at(500, 28, "A muscle biopsy was declined"),
            status="not-done",
            why_not=Told("declined", at(516, 12, "was declined")),
        ),
        # Hydroxychloroquine and the fever
        Course(
            "hydroxychloroquine-1",
            "hydroxychloroquine",
            at(530, 41, "Hydroxychloroquine was added in June 2012"),
            start=JUNE_2012,
            indication=("dermatomyositis",),
        ),
        Visit(
            "admission-2012-07",
            at(573, 49, "In July 2012 she was admitted with moderate fever"),
            when=JULY_2012,
            setting="inpatient",
            setting_text=Told("admitted", at(594, 8, "admitted")),
            reasons=("fever",),
        ),
        Problem(
            "fever",
            "fever",
            (at(608, 14, "moderate fever"), at(684, 11, "it resolved")),
            severity="moderate",
            severity_text=Told("moderate", at(608, 14, "moderate fever")),
            onset=JULY_2012,
            status="resolved",
            visit="admission-2012-07",
        ),
        AdverseEvent(
            "fever-2012-07",
            "fever",
            (
                at(573, 49, "In July 2012 she was admitted with moderate fever"),
                at(624, 58, "hydroxychloroquine and … both suspected"),
            ),
            suspects=(
                Suspect("hydroxychloroquine-1", Told("both suspected", at(668, 14, "both suspected")), "possible"),
                Suspect("ivig-1", Told("both suspected", at(668, 14, "both suspected")), "possible"),
            ),
            when=JULY_2012,
            severity="moderate",
            severity_text="moderate",
            seriousness="hospitalization",
            seriousness_text="admitted",
            outcome="resolved",
            outcome_text=Told("resolved", at(684, 11, "it resolved")),
            resulting=("fever",),
            visit="admission-2012-07",
        ),
        # Three months after the start of immunoglobulins
        Measurement("ck-words", "ck", "normal", at(745, 13, "CK was normal"), when=THREE_MONTHS),
        Measurement(
            "aldolase-absent",
            "aldolase",
            None,
            at(760, 48, "aldolase was not available for technical reasons"),
            when=THREE_MONTHS,
            absent=Told("not available for technical reasons", at(773, 35, "not available for technical reasons")),
        ),
        Measurement(
            "igg1",
            "igg1",
            "2.91 g/l",
            at(810, 24, "IgG1 2.91 g/l (N > 4.05)"),
            when=THREE_MONTHS,
            range="> 4.05 g/l",
            range_text="N > 4.05",
        ),
        Measurement(
            "igg-subclasses",
            None,
            None,
            at(810, 4, "IgG1"),
            text="IgG subclasses",
            when=THREE_MONTHS,
            category="laboratory",
            members=("igg1",),
        ),
        Report(
            "immunology",
            None,
            at(810, 13, "IgG1 2.91 g/l"),
            text="IgG subclasses",
            kind="laboratory",
            when=THREE_MONTHS,
            results=("igg-subclasses", "igg1"),
        ),
        Measurement(
            "muscle-score",
            None,
            "41",
            (at(836, 18, "Muscle score 41/60"), at(849, 5, "41/60")),
            text="muscle score",
            when=THREE_MONTHS,
            category="score",
            scale="0-60",
        ),
        Problem("rash-denied", None, at(856, 7, "No rash"), text="rash", certainty="refuted"),
        # Later, and on dated visits
        Measurement(
            "undated-offset-unknown",
            "crp",
            "normal",
            at(865, 49, "CRP was normal after the start of immunoglobulins"),
            when=AFTER_START,
        ),
        Visit("visit-2012-05", at(916, 24, "She was seen in May 2012"), when=MAY_2012),
        Measurement(
            "converted",
            "crp",
            "2.4 mg/dl",
            at(942, 13, "CRP 2.4 mg/dl"),
            when=MAY_2012,
            visit="visit-2012-05",
        ),
        Measurement("weight-day", "body-weight", "58.0 kg", at(971, 18, "weight was 58.0 kg"), when=DAY_4_MAY_2012),
        Measurement(
            "spo2-day",
            "oxygen-saturation",
            "98 %",
            at(994, 22, "oxygen saturation 98 %"),
            when=DAY_4_MAY_2012,
        ),
        Measurement(
            "nonsense-unit",
            "ck",
            "2815 U/l/ml",
            at(1026, 35, "CK was once printed as 2,815 U/l/ml"),
            when=YEAR_2012,
        ),
        Measurement(
            "range-value",
            "ck",
            "3000-5000 U/L",
            at(1067, 48, "lay between 3000 and 5000 U/L on other occasions"),
            when=YEAR_2012,
        ),
        Measurement("weight", "body-weight", "58 kg", at(1117, 24, "Weight was 58 kg in 2012"), when=IN_2012),
        Measurement(
            "jo1",
            "anti-jo-1",
            "positive",
            at(1143, 31, "Anti-Jo-1 was positive at 1/640"),
            interpretation="positive",
            titre="1/640",
        ),
    ),
    sections=(Section("The case", 0, 1176),),
    left_out=(LeftOut(0, 43, "An invented case, written for the examples.", "no clinical content"),),
)
