"""Telegrams made from the schema, and bytes that are none: each is taken, or refused in words."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from random import Random

import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from xmlschema.validators import XsdType

from contracts.codes import OfferState
from contracts.problems import InvalidMessage, Problem
from dispatcher.domain.refusals import WrongState
from dispatcher.interop.tds.meaning import TAKEN
from dispatcher.interop.tds.reading import telegram
from dispatcher.interop.tds.receipts import answer
from dispatcher.interop.tds.shapes import OURS, TELEGRAM_TYPES, TELEGRAMS, Codes, Field, Kind, Shape
from dispatcher.interop.tds.tree import parse
from tests.examples import examples
from tests.interop.tds.conftest import Centre, offered
from tests.interop.tds.test_orders import NEW_YORK, OFFER

TEXTS: dict[Kind, tuple[str, ...]] = {
    Kind.TEXT: ("", " ", "x", "van 7", "ü & <b>", "America/New_York"),
    Kind.WORDS: ("", "cash", "cash card", " other "),
    Kind.FLAG: ("true", "false", "1", "0", " true "),
    Kind.WHOLE: ("0", "007", "+1", "-0", "-5", "-300", "-500"),
    Kind.POSITIVE: ("1", "002", "+3"),
    Kind.NUMBER: ("0", "45", "-1", "1e1", "007.50", ".5", "40.78", "-73.97"),
    Kind.INSTANT: ("2026-03-03T10:00:00-05:00", "2026-03-03T15:00:00Z", "2026-03-03T10:20:00.9999999"),
}
ODD: dict[Kind, tuple[str, ...]] = TEXTS | {
    Kind.TEXT: ("\u202e", "long " * 300),
    Kind.WHOLE: ("-600", "1400", "2000"),
    Kind.NUMBER: ("91", "INF", "-INF", "NaN"),
    Kind.INSTANT: (
        *("2026-11-01T01:30:00", "2026-03-08T02:30:00", "2026-03-03T24:00:00"),
        *("1999-12-31T23:59:59", "0001-01-01T00:00:00Z"),
    ),
}


def element(chance: Random, name: str, shape: Shape, kind: XsdType) -> ET.Element:
    """One that the schema takes: its own in its order, each as our table has it."""
    made = ET.Element(name)
    for key, field in shape.attributes.items():
        if field.needed or chance.random() < 0.2:
            made.set(key, a_text(chance, key, field))
    for each in kind.content.iter_elements() if shape.elements else ():
        key, field = each.name, shape.elements[each.name]
        for _ in range(1 if field.needed else chance.choice((0, 0, 1, 2 if field.many else 0))):
            if isinstance(field.kind, Shape):
                made.append(element(chance, key, field.kind, each.type))
            else:
                ET.SubElement(made, key).text = a_text(chance, key, field)
    return made


def a_text(chance: Random, key: str, field: Field) -> str:
    """A text of its type."""
    if key in ("licensePlate", "tripRequestId"):
        return {"licensePlate": "meter", "tripRequestId": "r1.1"}[key]  # the former is a slip of the schema's
    if key in ("transportServices", "specialAttributes"):
        return chance.choice(("W O", "A", ""))
    assert not isinstance(field.kind, Shape)
    if isinstance(field.kind, Codes):
        return chance.choice(field.kind.words)
    return chance.choice((TEXTS if chance.random() < 0.97 else ODD)[field.kind])


def a_telegram(chance: Random, schema: xmlschema.XMLSchema) -> bytes:
    """A whole one; mostly with the type of its name."""
    name = chance.choice(sorted(TELEGRAMS))
    made = element(chance, name, TELEGRAMS[name], schema.elements[name].type)
    said = next(each for each in made if each.tag == "telegramType")
    if chance.random() < 0.9:
        known = {each.lower(): each for each in TELEGRAM_TYPES.words}
        said.text = known.get(name.lower(), "TripTaskStatus")
    return ET.tostring(made, encoding="utf-8", xml_declaration=True)


@given(st.integers(0, 2**63), st.sampled_from(OfferState), st.integers(0, 1))
@settings(max_examples=examples(120))
def test_what_the_schema_takes_is_taken_or_refused_with_its_place(
    schema: xmlschema.XMLSchema, seed: int, state: OfferState, amendment: int
) -> None:
    raw = a_telegram(Random(seed), schema)
    schema.validate(raw.decode())
    offer = replace(OFFER, state=state, amendment=amendment)
    try:
        said = telegram(parse(raw))
        steps = TAKEN[said.name].meaning(said, offer, NEW_YORK)
    except InvalidMessage as problem:
        assert problem.facts["line"] > 0
        assert problem.facts["errors"][0].pointer.startswith("/")
        return
    except WrongState:
        return
    assert len(steps) <= 4
    schema.validate(answer(said, offer).decode())


@given(
    st.binary(max_size=80)
    | st.text(max_size=80).map(lambda text: f"<a>{text}</a>".encode("utf-8", "replace"))
)
@settings(max_examples=examples(100))
def test_bytes_that_are_no_telegram_are_refused(raw: bytes) -> None:
    with pytest.raises(Problem):
        telegram(parse(raw))


def test_the_table_of_shapes_is_the_schemas(schema: xmlschema.XMLSchema) -> None:
    for name, shape in TELEGRAMS.items():
        _same(name, schema.elements[name].type, shape)
    assert set(schema.elements) == {*TELEGRAMS, *OURS, "telegram"}
    assert set(TAKEN) == set(TELEGRAMS)


def _same(path: str, kind: XsdType, shape: Shape) -> None:
    content = list(kind.content.iter_elements()) if hasattr(kind.content, "iter_elements") else []
    assert set(kind.attributes) == set(shape.attributes), path
    assert {each.name for each in content} == set(shape.elements), path
    for name, attribute in kind.attributes.items():
        field = shape.attributes[name]
        assert field.needed is (attribute.use == "required"), f"{path}/@{name}"
        _same_text(f"{path}/@{name}", attribute.type, field)
    for each in content:
        field = shape.elements[each.name]
        assert (field.needed, field.many) == (each.min_occurs > 0, each.max_occurs is None), each.name
        if isinstance(field.kind, Shape):
            _same(f"{path}/{each.name}", each.type, field.kind)
        else:
            _same_text(f"{path}/{each.name}", each.type, field)


def _same_text(path: str, kind: XsdType, field: Field) -> None:
    if path.endswith("/@licensePlate"):
        return
    if isinstance(field.kind, Codes):
        assert tuple(kind.enumeration) == tuple(map(str, field.kind.words)), path
        return
    found = "list" if kind.is_list() else kind.local_name or kind.base_type.local_name
    assert {"anySimpleType": "string", "int": "integer"}.get(found, found) == field.kind, path


HEAD = (
    "<tripRequestId>r1.1</tripRequestId><telegramType>TripRequestResponse</telegramType>"
    "<timestamp time='2026-03-02T10:00:00'/>"
)
YES = f"<tripRequestResponse>{HEAD}<tripAvailable>true</tripAvailable></tripRequestResponse>"
WRITTEN = {  # the same answer, as others write it
    "prefixed": "<?xml version='1.0'?>"
    + YES.replace("<", "<t:")
    .replace("<t:/", "</t:")
    .replace("<t:tripRequestResponse>", "<t:tripRequestResponse xmlns:t='http://www.tcrp.gov/schema'>"),
    "in its namespace": YES.replace(
        "<tripRequestResponse>", "<tripRequestResponse xmlns='http://www.tcrp.gov/schema'>"
    ),
    "with hints and comments": YES.replace(
        "<tripRequestResponse>",
        "<!-- a --><tripRequestResponse xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' "
        "xsi:noNamespaceSchemaLocation='tcrp210.xsd'><!-- b --><?c d?>",
    ),
    "called telegram": YES.replace("tripRequestResponse>", "telegram>"),
    "with a mark": "\ufeff" + YES,
    "spread out": YES.replace("><", ">\r\n\t<").replace("true", " <![CDATA[true]]> "),
    "nothing said": YES.replace(
        "<tripAvailable>",
        "<scheduledPickupTime xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:nil='true'/>"
        "<tripAvailable>",
    ),
}
ENCODED = {
    "utf-16": f"<?xml version='1.0' encoding='utf-16'?>{YES}".encode("utf-16"),
    "latin": f"<?xml version='1.0' encoding='iso-8859-1'?><!-- é -->{YES}".encode("latin-1"),
    **{name: text.encode() for name, text in WRITTEN.items()},
}


async def test_the_same_answer_however_it_is_written(centre: Centre) -> None:
    await offered(centre)
    for name, raw in ENCODED.items():
        status, told = await centre.send(raw, Content_Type="text/xml")
        assert status == 200, (name, told)
    status, _ = await centre.send(
        f"<!-- é -->{YES}".encode("latin-1"), Content_Type="text/xml; charset=latin1"
    )
    assert status == 200
    assert (await centre.state())[0] == "accepted"


BODIES: list[tuple[bytes, int, str]] = [
    (b"", 400, "empty"),
    (b"<a", 400, "no XML"),
    (YES.encode() * 2, 400, "two telegrams were joined"),
    (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", 400, "document type"),
    (b"<!DOCTYPE a SYSTEM 'http://127.0.0.1:1/x.dtd'><a/>", 400, "document type"),
    (b"<?xml version='1.0' encoding='x-no'?><a/>", 400, "encoding"),
    (b"<?xml version='1.0' encoding='utf-16'?>" + YES.encode(), 400, "sent as UTF-8: name that"),
    (
        YES.replace("<timestamp", "<timestamp xmlns:t='http://www.tcrp.gov/schema' t:time=''").encode(),
        422,
        "there",
    ),
    (b"<a>" * 9, 422, "levels deep"),
    (b"<a>" * 20_000, 422, "levels deep"),
    (b"<telegrams>" + YES.encode() * 2 + b"</telegrams>", 422, "no telegram"),
    (b"<tripRequest/>", 422, "by the ordering client"),
    (b"<tripRequestRespons/>", 422, "Maybe tripRequestResponse."),
    (YES.replace("r1.1", "Mrs Smith").encode(), 422, "none of ours"),
    (YES.replace("TripRequestResponse<", "TripTask<").encode(), 422, "stands in a tripRequestResponse"),
    (YES.replace("<timestamp", "<!--").replace("00'/>", "-->").encode(), 422, "timestamp is missing"),
    (b"<a>" + b" " * 70_000 + b"</a>", 413, "one telegram a call"),
]


async def test_what_is_no_telegram_is_refused_in_words_and_without_effect(centre: Centre) -> None:
    await offered(centre)
    for raw, status, says in BODIES:
        told = await centre.send(raw)
        assert told[0] == status, (raw[:60], told)
        assert says in told[1]["detail"], told
        assert "Smith" not in str(told[1])
    assert (await centre.send(YES, Content_Type="application/json"))[0] == 415
    assert (await centre.state())[0] == "offered"
