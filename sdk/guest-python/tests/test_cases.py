"""The cases that every language's engine runs (``sdk/guest-cases``)."""

from __future__ import annotations

import json
import unittest
from pathlib import Path
from typing import Any

from valetkey_guest import Call, Fault, Output, Page, Request, Response, page, run, tool

CASES = json.loads((Path(__file__).parents[2] / "guest-cases/declared.json").read_text())


class Canned:
    """A host that keeps the request and gives one response."""

    def __init__(self, response: Response, config: dict[str, str]) -> None:
        self.response = response
        self.config = config
        self.sent: list[Request] = []

    def send(self, request: Request) -> Response:
        self.sent.append(request)
        return self.response

    def account_config(self, name: str) -> str | None:
        return self.config.get(name)


class Cases(unittest.TestCase):
    def run_case(self, case: dict[str, Any], response: Response) -> tuple[Output, Request] | Fault:
        host: Any = Canned(response, case.get("config", {}))
        declaration = json.dumps(case["declaration"], ensure_ascii=False, separators=(",", ":"))
        try:
            call = Call(host, declaration, Page(**case.get("page", {})))
            output = run(call, "a_declared_tool", case.get("input", "{}"))
        except Fault as fault:
            return fault
        return output, host.sent[0]

    def assert_fault(self, made: object, wanted: dict[str, Any]) -> None:
        assert isinstance(made, Fault), made
        shown = {**vars(made), "problems": [list(problem) for problem in made.problems]}
        self.assertEqual({name: shown[name] for name in wanted}, wanted)

    def test_requests(self) -> None:
        for case in CASES["requests"]:
            with self.subTest(case["name"]):
                made = self.run_case(case, Response(204, [], b""))
                if "fault" in case:
                    self.assert_fault(made, case["fault"])
                    continue
                assert not isinstance(made, Fault), made
                request = vars(made[1])
                shown = {name: value for name, value in request.items() if value is not None}
                shown["query"] = [list(pair) for pair in shown["query"]]
                shown["headers"] = [list(pair) for pair in shown["headers"]]
                if "body" in shown:
                    shown["body"] = shown["body"].decode()
                self.assertEqual(shown, case["request"])

    def test_answers(self) -> None:
        for case in CASES["answers"]:
            with self.subTest(case["name"]):
                given = case["response"]
                body = bytes(given["bytes"]) if "bytes" in given else given.get("body", "").encode()
                headers = [(name, value) for name, value in given.get("headers", [])]
                made = self.run_case(case, Response(given["status"], headers, body))
                if "fault" in case:
                    self.assert_fault(made, case["fault"])
                    continue
                assert not isinstance(made, Fault), made
                output, _ = made
                shown = {"data": output.data, "next": output.next_page_token}
                self.assertEqual({name: value for name, value in shown.items() if value is not None}, case["output"])

    def test_what_a_function_answers_is_shortened_as_well(self) -> None:
        asked: list[str] = []

        @tool("a_coded_tool")
        def coded(_: Call, given: dict[str, Any]) -> Output:
            asked.append(given["response_format"])
            return page({"login": "x", "avatar": "a"}, "t2")

        host: Any = Canned(Response(204, [], b""), {})
        call = Call(host, '{"response":{"concise":["avatar"]}}', Page())
        short = run(call, "a_coded_tool", '{"response_format":"concise"}')
        self.assertEqual((short.data, short.next_page_token), ('{"login":"x"}', "t2"))
        whole = run(call, "a_coded_tool", '{"response_format":"detailed"}')
        self.assertEqual(whole.data, '{"login":"x","avatar":"a"}')
        self.assertEqual(asked, ["concise", "detailed"])


if __name__ == "__main__":
    unittest.main()
