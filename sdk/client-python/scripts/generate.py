#!/usr/bin/env python3
"""Writes the generated part of the package, from the checked-in reference and the asynchronous client:

- `_generated/models.py` and `_generated/operations.py` from `docs/reference/openapi.json`,
- `_generated/errors.py` from that and the table of `docs/reference/errors.md`,
- `_sync/` from `_async/`, without the waiting.

`--check` writes nothing and fails when a file is not what it should be. Needs `ruff` (requirements-dev.txt).
"""

from __future__ import annotations

import argparse
import json
import keyword
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent
REFERENCE = PACKAGE.parent.parent / "docs" / "reference"
SOURCE = PACKAGE / "src" / "valetkey"
METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
# Raw requests are the vendor's own: the client writes them by hand.
BY_HAND = "/proxy/"
NOTE = "scripts/generate.py wrote this file; change what it was made from."

# What the asynchronous client's words are without the waiting, longest first.
WITHOUT_WAITING = {
    r"async with ": "with ",
    r"async for ": "for ",
    r"async def ": "def ",
    r"await ": "",
    r"\bAsyncIterator\b": "Iterator",
    r"\bAwaitable\[(\w+)\]": r"\1",
    r"\bAsync(?=[A-Z])": "",
    r"\b__aiter__\b": "__iter__",
    r"\b__aenter__\b": "__enter__",
    r"\b__aexit__\b": "__exit__",
    r"\baclose\b": "close",
    r"\baiter_bytes\b": "iter_bytes",
    r"\banyio\.Lock\b": "threading.Lock",
    r"\banyio\.sleep\b": "time.sleep",
    r"\bimport anyio\b": "import threading",
    r"\b_async\b": "_sync",
    r"\basynchronous\b": "synchronous",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is not up to date")
    check = parser.parse_args().check
    stale = [path for path, text in files() if not same_or_write(path, text, check)]
    for path in stale:
        print(f"{path.relative_to(PACKAGE)} is not up to date: run scripts/generate.py", file=sys.stderr)
    return 1 if stale else 0


def same_or_write(path: Path, text: str, check: bool) -> bool:
    """Whether the file is up to date, made so unless `check` is set."""
    if check:
        return path.exists() and path.read_text("utf-8") == text
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return True


def files() -> Iterator[tuple[Path, str]]:
    """Every generated file with what stands in it."""
    document = json.loads((REFERENCE / "openapi.json").read_text("utf-8"))
    generated = SOURCE / "_generated"
    yield generated / "__init__.py", formatted(f'"""Made from the reference. {NOTE}"""\n')
    yield generated / "models.py", formatted(models(document))
    yield generated / "operations.py", formatted(operations(document))
    yield generated / "errors.py", formatted(errors(document, (REFERENCE / "errors.md").read_text("utf-8")))
    for source in sorted((SOURCE / "_async").glob("*.py")):
        yield SOURCE / "_sync" / source.name, formatted(without_waiting(source.read_text("utf-8")))


def formatted(text: str) -> str:
    for command in (["check", "--fix-only", "--select", "I,F401", "--quiet"], ["format"]):
        # The name puts the text under the package's own settings.
        arguments = [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(SOURCE / "generated.py"), "-"]
        done = subprocess.run(arguments, input=text, text=True, capture_output=True, cwd=PACKAGE)
        if done.returncode:
            raise SystemExit(f"ruff: {done.stderr}\n{text}")
        text = done.stdout
    return text


def without_waiting(text: str) -> str:
    for pattern, plain in WITHOUT_WAITING.items():
        text = re.sub(pattern, plain, text)
    doc, rest = text.split('"""\n', 1)
    return f'{doc}\n\n{NOTE}\n"""\n{rest}'


# Models


def models(document: dict[str, Any]) -> str:
    schemas: dict[str, Any] = document["components"]["schemas"]
    parts = [
        f'"""Values of the REST interface. {NOTE}"""',
        "from __future__ import annotations\n\nimport dataclasses\nfrom typing import Any, Literal, TypeAlias",
        "from valetkey._model import Model",
    ]
    names = sorted(schemas)
    words = [name for name in names if "enum" in schemas[name]]
    parts += [enumeration(name, schemas[name]) for name in words]
    parts += [
        model(name, schemas[name]) for name in names if schemas[name].get("type") == "object" and name not in words
    ]
    others = {name: schemas[name] for name in names if name not in words and schemas[name].get("type") != "object"}
    aliases = in_order(others)
    parts += [f"{name}: TypeAlias = {annotation(schemas[name])}\n{doc(schemas[name])}" for name in aliases]
    return "\n\n".join(parts) + "\n"


def in_order(schemas: dict[str, Any]) -> list[str]:
    """The names so that each comes after those that it is made of."""
    done: list[str] = []

    def visit(name: str) -> None:
        if name in done or name not in schemas:
            return
        for other in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(schemas[name])):
            if other != name:
                visit(other)
        done.append(name)

    for name in schemas:
        visit(name)
    return done


def enumeration(name: str, schema: dict[str, Any]) -> str:
    return f"{name}: TypeAlias = {annotation(schema)}\n{doc(schema)}"


def model(name: str, schema: dict[str, Any]) -> str:
    required: list[str] = []
    optional: list[str] = []
    for wire, member in schema.get("properties", {}).items():
        own, kind = identifier(wire), annotation(member)
        must = wire in schema.get("required", [])
        kind = kind if must or kind == "Any" or kind.endswith("| None") else f"{kind} | None"
        named = f'metadata={{"wire": {wire!r}}}' if own != wire else ""
        if must:
            value = f" = dataclasses.field({named})" if named else ""
        else:
            value = f" = dataclasses.field(default=None, {named})" if named else " = None"
        (required if must else optional).append(f"{own}: {kind}{value}\n{doc(member)}")
    body = "\n".join([doc(schema, name), *required, *optional])
    return f"@dataclasses.dataclass(frozen=True, kw_only=True)\nclass {name}(Model):\n{textwrap.indent(body, '    ')}"


def annotation(schema: dict[str, Any]) -> str:
    """The type of a schema's values."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[1])
    for several in ("oneOf", "anyOf", "allOf"):
        if several in schema:
            kinds = list(dict.fromkeys(annotation(each) for each in schema[several]))
            if "Any" in kinds or (several == "allOf" and len(kinds) > 1):
                return "Any"
            return " | ".join(sorted(kinds, key=lambda kind: kind == "None"))
    kind = schema.get("type")
    if isinstance(kind, list):
        some = [each for each in kind if each != "null"]
        inner = annotation({**schema, "type": some[0]}) if len(some) == 1 else "Any"
        return f"{inner} | None" if "null" in kind and inner != "Any" else inner
    if "enum" in schema:
        # Open: a later host may say more.
        return f"Literal[{', '.join(repr(word) for word in schema['enum'])}] | str"
    if kind == "array":
        return f"list[{annotation(schema.get('items', {}))}]"
    if kind == "object":
        items = schema.get("additionalProperties")
        return f"dict[str, {annotation(items) if isinstance(items, dict) else 'Any'}]"
    if kind == "string" and schema.get("format") == "binary":
        return "bytes"
    return {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}.get(
        str(kind), "Any"
    )


def doc(schema: dict[str, Any], name: str = "") -> str:
    text = schema.get("description") or next(
        (each["description"] for each in schema.get("oneOf", []) if "description" in each), name
    )
    return docstring(plain(text)) if text else ""


def docstring(text: str) -> str:
    """A docstring, wrapped, for a place that is indented once."""
    paragraphs = [textwrap.fill(part, 112) for part in text.split("\n\n")]
    body = "\n\n".join(paragraphs).replace("\\", "\\\\").replace('"""', "'''")
    body = body.replace('"', "'") if body.endswith('"') else body
    return f'"""{body}"""' if "\n" not in body else f'"""{body}\n"""'


def plain(text: str) -> str:
    """Text of the host's source for readers of this package."""
    return re.sub(r"\[(`[^`]+`)\]", r"\1", text)


def identifier(wire: str) -> str:
    name = re.sub(r"\W+", "_", snake(wire)).strip("_")
    return f"{name}_" if keyword.iskeyword(name) else name


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


# Operations


def operations(document: dict[str, Any]) -> str:
    found = []
    for path, methods in document["paths"].items():
        shared = methods.get("parameters", [])
        for method, operation in methods.items():
            if method in METHODS and not path.startswith(BY_HAND):
                found.append(function(document, path, method, operation, shared))
    names = re.findall(r"\bmodels\.(\w+)", "".join(found))
    return (
        "\n\n\n".join(
            [
                f'"""Every operation of the REST interface as a function that makes its request. {NOTE}\n\n'
                f'`client.send(operations.get_tool(name="…"))` sends one.\n"""',
                "from __future__ import annotations\n\nfrom typing import Any, Literal\n\n"
                + ("from valetkey._generated import models\n" if names else "")
                + "from valetkey._operation import UNSET, Operation, Unset, present",
                *found,
            ]
        )
        + "\n"
    )


def function(document: dict[str, Any], path: str, method: str, operation: dict[str, Any], shared: list[Any]) -> str:
    wire_name = operation.get("operationId") or f"{method}{path}"
    name = identifier(wire_name)
    arguments: dict[str, tuple[str, bool, str]] = {}
    places: dict[str, list[tuple[str, str]]] = {"path": [], "query": [], "header": []}
    for parameter in [*shared, *operation.get("parameters", [])]:
        if "$ref" in parameter:
            parameter = resolve(document, parameter["$ref"])
        if parameter["in"] not in places:
            continue
        own = identifier(parameter["name"])
        places[parameter["in"]].append((own, parameter["name"]))
        kind = qualified(annotation(parameter["schema"])).removesuffix(" | None")
        text = parameter.get("description") or parameter["schema"].get("description", "")
        arguments[own] = (kind, bool(parameter.get("required")), text)

    body, media = request_body(document, method, operation, arguments)
    answer, runtime = answer_of(operation)
    lines = [f"name={wire_name!r}, method={method.upper()!r}, path={path!r}, answer={runtime}"]
    if places["path"]:
        lines.append(f"path_parameters={mapping(places['path'])}")
    if places["query"]:
        lines.append(f"query={mapping(places['query'])}")
    headers = mapping(places["header"]) if places["header"] else ""
    if media:
        headers = f'{{"content-type": {media!r}{", " + headers[1:-1] if headers else ""}}}'
    if headers:
        lines.append(f"headers={headers}")
    if body:
        lines.append(body)
    if operation.get("security", document.get("security")) in (None, []):
        lines.append("public=True")
    if method in ("get", "head", "options"):
        lines.append("changes_nothing=True")

    ordered = sorted(arguments.items(), key=lambda item: not item[1][1])
    signature = ", ".join(parameter_of(own, kind, must) for own, (kind, must, _) in ordered)
    text = f"{operation.get('summary', name)}.\n\n{operation.get('description', '')}".rstrip()
    told = [f"    {own}: {' '.join(plain(text).split())}" for own, (_, _, text) in ordered if text]
    full = docstring(plain(text)).removesuffix('"""').rstrip("\n")
    if told:
        listed = "\n".join(textwrap.fill(line, 116, subsequent_indent=" " * 8) for line in told)
        full += f"\n\nArgs:\n{listed}\n"
    star = "*, " if signature else ""
    return (
        f"def {name}({star}{signature}) -> Operation[{answer}]:\n"
        f"{textwrap.indent(full + chr(34) * 3, '    ')}\n"
        f"    return Operation({', '.join(lines)})"
    )


def parameter_of(own: str, kind: str, must: bool) -> str:
    """A parameter of the signature with its default."""
    if must:
        return f"{own}: {kind}"
    if kind.endswith("| Unset | None"):
        return f"{own}: {kind} = UNSET"
    return f"{own}: {kind if kind == 'Any' else kind + ' | None'} = None"


def request_body(
    document: dict[str, Any], method: str, operation: dict[str, Any], arguments: dict[str, tuple[str, bool, str]]
) -> tuple[str, str]:
    """The argument of `Operation` for the body, and its media type if that needs saying. The body's members join
    `arguments`."""
    request = operation.get("requestBody")
    if not request:
        return "", ""
    media, content = next(iter(request["content"].items()))
    schema = content.get("schema", {})
    schema = resolve(document, schema["$ref"]) if "$ref" in schema else schema
    structured = media in ("application/json", "application/x-www-form-urlencoded")
    if not structured:
        arguments["content"] = ("bytes", bool(request.get("required", True)), "The body.")
        return "content=content", media
    members = schema.get("properties", {})
    if schema.get("type") != "object" or not members or set(map(identifier, members)) & set(arguments):
        arguments["body"] = ("Any", bool(request.get("required")), "The body, as JSON.")
        return "json=body", ""
    pairs, nullable = [], []
    for wire, member in members.items():
        own, kind, must = identifier(wire), qualified(annotation(member)), wire in schema.get("required", [])
        if kind.endswith("| None") and (must or method == "patch"):
            # What a change leaves out stays as it is, and null is a value like another.
            nullable.append(wire)
            kind = kind if must else f"{kind.removesuffix(' | None')} | Unset | None"
        else:
            kind = kind.removesuffix(" | None")
        kind = f"{kind} | dict[str, Any]" if kind.startswith("models.") and resolved_object(document, member) else kind
        arguments[own] = (kind, must, member.get("description", ""))
        pairs.append((own, wire))
    if media != "application/json":
        return f"form={mapping(pairs)}", ""
    kept = f", nullable=frozenset({nullable!r})" if nullable else ""
    return f"json=present({mapping(pairs)}{kept})", ""


def answer_of(operation: dict[str, Any]) -> tuple[str, str]:
    """The type of a successful answer, for readers and as a value."""
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            content = response.get("content", {})
            if not content:
                return "None", "None"
            if "application/json" not in content:
                return "bytes", "bytes"
            kind = qualified(annotation(content["application/json"].get("schema", {})))
            return kind, "Any" if " | " in kind else kind
    return "bytes", "bytes"


def mapping(pairs: list[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{wire!r}: {own}" for own, wire in pairs) + "}"


def qualified(kind: str) -> str:
    """The type with the names of models told to be of `models`."""
    known = {"Any", "Literal", "None", "Unset"}
    pieces = re.split(r"('[^']*')", kind)
    return "".join(
        piece
        if piece.startswith("'")
        else re.sub(r"\b[A-Z]\w*", lambda found: found[0] if found[0] in known else f"models.{found[0]}", piece)
        for piece in pieces
    )


def resolve(document: dict[str, Any], reference: str) -> dict[str, Any]:
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def resolved_object(document: dict[str, Any], schema: dict[str, Any]) -> bool:
    if "oneOf" in schema:
        return any(resolved_object(document, each) for each in schema["oneOf"])
    return "$ref" in schema and resolve(document, schema["$ref"]).get("type") == "object"


# Errors


def errors(document: dict[str, Any], page: str) -> str:
    rows = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 8 and re.fullmatch(r"`[a-z_]+`", cells[1]):
            rows[cells[1].strip("`")] = (cells[5], cells[6])
    kinds = document["components"]["schemas"]["BodyError"]["properties"]["kind"]["enum"]
    classes = []
    for kind in kinds:
        meaning, advice = rows[kind]
        text = docstring(f"{meaning}\n\n{advice}")
        classes.append(
            f"class {class_of(kind)}(ApiError):\n{textwrap.indent(text, '    ')}\n\n"
            f"    default_kind = {kind!r}\n    next_step = {advice!r}"
        )
    table = ", ".join(f"{kind!r}: {class_of(kind)}" for kind in kinds)
    return (
        "\n\n\n".join(
            [
                f'"""One class for each kind of error of the reference. {NOTE}"""',
                "from __future__ import annotations\n\nfrom valetkey._errors import ApiError",
                *classes,
                f"BY_KIND: dict[str, type[ApiError]] = {{{table}}}",
            ]
        )
        + "\n"
    )


def class_of(kind: str) -> str:
    return "".join(part.capitalize() for part in kind.split("_")) + "Error"


if __name__ == "__main__":
    sys.exit(main())
