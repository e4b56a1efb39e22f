"""Bytes to a tree of XML, within limits: no document type, no entities, nothing from elsewhere.

What a telegram says stands in elements and attributes of no namespace, or of TCRP's. Comments, processing
instructions and what XML Schema itself has to say of an instance (`xsi:`) are passed over.
"""

from __future__ import annotations

import io
from typing import Any
from xml.sax import SAXException, SAXParseException
from xml.sax.handler import ContentHandler, feature_namespaces
from xml.sax.xmlreader import InputSource, Locator

from defusedxml.common import DefusedXmlException
from defusedxml.sax import make_parser

from contracts.problems import FieldError, InvalidMessage, Malformed

MAX_BYTES, MAX_DEPTH = 65_536, 8  # the deepest that the schema has is 5
NAMESPACES = (None, "http://www.tcrp.gov/schema")
XML = "http://www.w3.org/XML/1998/namespace"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
BOMS = (b"\xef\xbb\xbf", b"\xfe\xff", b"\xff\xfe")
MAX_SHOWN = 64
CUT_SHORT = "Maybe it was cut short, or a sign such as & or < stands bare in a text."
HINTS = {  # by expat's words
    "junk after": "Maybe two telegrams were joined: a body holds one.",
    "encoding specified": "Maybe the declaration names UTF-16, and it was sent as UTF-8: name that.",
    "unknown encoding": "Maybe send it as UTF-8.",
}
Name = tuple[str | None, str]


class Node:
    """An element: where it stands, its attributes, its text, and what it holds."""

    def __init__(self, name: str, attributes: dict[str, str], line: int, column: int, above: str) -> None:
        self.name, self.attributes, self.line, self.column = name, attributes, line, column
        self.path = f"{above}/{name}"
        self.children: list[Node] = []
        self.parts: list[str] = []
        self.is_nil = False

    @property
    def text(self) -> str:
        """All of its own."""
        return "".join(self.parts)

    @property
    def content(self) -> list[Any]:
        """All that it says, whatever the order of attributes, and the white space around texts."""
        return [
            self.name,
            sorted(self.attributes.items()),
            self.text.strip(),
            [each.content for each in self.children],
        ]

    def wrong(self, detail: str, attribute: str = "") -> InvalidMessage:
        """What is wrong here, with its place; `detail` has value and limit, and on a second line a remedy."""
        path = f"{self.path}/@{attribute}" if attribute else self.path
        place = f"{path.removeprefix('/')} (line {self.line}, column {self.column})"
        return InvalidMessage(
            f"{place}: {detail}",
            errors=[FieldError(path, detail)],
            line=self.line,
            column=self.column,
            element=self.name,
        )


def parse(raw: bytes, charset: str = "") -> Node:
    """The root. `charset`: the Content-Type's; a byte order mark goes before it (RFC 7303 3.3).

    Raises Malformed for what is no XML, or declares a document type; InvalidMessage for what no telegram has.
    """
    source, builder = InputSource(), _Builder()
    source.setByteStream(io.BytesIO(raw))
    if charset and not raw.startswith(BOMS):
        source.setEncoding(charset)
    parser = make_parser()
    parser.forbid_dtd = True
    parser.setFeature(feature_namespaces, True)
    parser.setContentHandler(builder)
    try:
        parser.parse(source)
    except DefusedXmlException:
        raise Malformed(
            "the body declares a document type or an entity, which is not read here\n"
            "Maybe leave out <!DOCTYPE …>: a telegram needs none."
        ) from None
    except SAXParseException as error:
        raise _no_xml(error) from None
    except (
        SAXException,
        LookupError,
        ValueError,
    ) as error:  # an encoding that is not known, or has several bytes
        raise Malformed(
            f"the body cannot be read in the encoding that it names ({type(error).__name__})\n"
            "Maybe send it as UTF-8."
        ) from None
    return builder.root


def _no_xml(error: SAXParseException) -> Malformed:
    line, column = error.getLineNumber(), error.getColumnNumber()
    reason = error.getMessage()  # expat's own words: nothing of the body
    hint = next((hint for words, hint in HINTS.items() if words in reason), CUT_SHORT)
    at = f"line {line}, column {(column or 0) + 1}"
    problem = Malformed(f"the body is no XML: {reason} ({at})\n{hint}")
    problem.facts |= {"line": line, "column": (column or 0) + 1}
    return problem


class _Builder(ContentHandler):
    """Hears the parser; refuses what is too deep as soon as it comes."""

    root: Node
    _locator: Locator  # the parser's

    def __init__(self) -> None:
        super().__init__()
        self._open: list[Node] = []

    def startElementNS(self, name: Name, qname: str | None, attrs: Any) -> None:
        """An element begins."""
        space, local = name
        line, column = self._locator.getLineNumber() or 0, self._locator.getColumnNumber() or 0
        node = Node(local[:MAX_SHOWN], {}, line, column + 1, self._open[-1].path if self._open else "")
        if len(self._open) >= MAX_DEPTH:
            raise node.wrong(f"it stands {len(self._open) + 1} levels deep, the limit is {MAX_DEPTH}")
        if space not in NAMESPACES:
            raise node.wrong(
                f"its namespace {(space or '')[:MAX_SHOWN]!r} is not TCRP's\n"
                f"Maybe leave it out: telegrams have none, or {NAMESPACES[1]}."
            )
        for (of, attribute), value in attrs.items():
            if of in NAMESPACES and attribute[:MAX_SHOWN] in node.attributes:
                raise node.wrong("it stands there already", attribute[:MAX_SHOWN])
            if of in NAMESPACES:
                node.attributes[attribute[:MAX_SHOWN]] = value
            elif of not in (INSTANCE, XML):
                raise node.wrong(f"its namespace {of[:MAX_SHOWN]!r} is not TCRP's", attribute[:MAX_SHOWN])
            elif attribute == "nil":
                node.is_nil = value.strip() in ("true", "1")
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    def characters(self, content: str) -> None:
        """Text, or a part of it."""
        self._open[-1].parts.append(content)

    def endElementNS(self, name: Name, qname: str | None) -> None:
        """An element ends."""
        self._open.pop()
