"""Write a Valetkey connector in Python.

A connector is a folder with a ``connector.toml`` and a ``connector.py``. Tools that the manifest declares with a
``request`` need no code. A tool that is odd is one function, under its name:

.. code-block:: python

    from valetkey_guest import Call, segment, tool
    from inputs import AcmeThingRename


    @tool("acme_thing_rename")
    def rename(call: Call, input: AcmeThingRename) -> object:
        path = f"/things/{segment('thing_id', input['thing_id'])}"
        return call.patch("api", path, json={"name": input["name"]}).json()

``valetkey connector build`` makes a component of it, and writes the types of all inputs beside it (``inputs.py``).
There is no way to a token, an environment variable, a file or a socket: the host adds the credential to each
request. The time is ``call.now_ms()``.
"""

from ._call import Answers, Call, Host, Output, Page, page, run, tool
from ._fault import Fault
from ._http import File, Part, Request, Response, Wanted
from ._template import segment

__all__ = [
    "Answers",
    "Call",
    "Fault",
    "File",
    "Host",
    "Output",
    "Page",
    "Part",
    "Request",
    "Response",
    "Wanted",
    "page",
    "run",
    "segment",
    "tool",
]
