"""Client of a Valetkey host: every SaaS tool of every user's connected accounts, for agents.

```python
from valetkey import Valetkey

with Valetkey("http://127.0.0.1:8470", client_id="…", client_secret="…") as client:
    found = client.execute_tool("hubspot_contacts_search", identifier="user-42", params={"query": "acme"})
```

`Valetkey` and `AsyncValetkey` are the same client. `valetkey.langchain` has the adapter for LangChain;
`valetkey.operations` every operation of the REST interface, for `client.send`; `valetkey.models` their values.
"""

from valetkey._async.client import AsyncValetkey
from valetkey._async.pages import AsyncPages
from valetkey._async.toolset import AsyncToolset
from valetkey._context import agent_run, current_agent_run
from valetkey._errors import (
    ApiError,
    ConnectionFailedError,
    DeadlineExceededError,
    InvalidAnswerError,
    ValetkeyError,
)
from valetkey._generated import models, operations
from valetkey._generated.errors import (
    AccountAmbiguousError,
    AccountNotActiveError,
    AccountNotFoundError,
    AmbiguousOutcomeError,
    ConflictError,
    ConnectorLimitError,
    ConnectorOutputInvalidError,
    ConnectorTrappedError,
    EgressDeniedError,
    FlowInvalidError,
    IdempotencyConflictError,
    InternalError,
    InvalidInputError,
    NotFoundError,
    OverloadedError,
    PolicyDeniedError,
    RateLimitedError,
    ScopeMissingError,
    StoreUnavailableError,
    UnauthenticatedError,
    UnknownToolError,
    VendorConflictError,
    VendorForbiddenError,
    VendorNotFoundError,
    VendorRejectedError,
    VendorTimeoutError,
    VendorUnavailableError,
)
from valetkey._generated.models import ConnectedAccount, Connection, Executed, Execution, Link, Tool
from valetkey._operation import Operation, RawAnswer
from valetkey._render import ToolResult
from valetkey._sync.client import Valetkey
from valetkey._sync.pages import Pages
from valetkey._sync.toolset import Toolset
from valetkey._version import __version__

__all__ = [
    "AccountAmbiguousError",
    "AccountNotActiveError",
    "AccountNotFoundError",
    "AmbiguousOutcomeError",
    "ApiError",
    "AsyncPages",
    "AsyncToolset",
    "AsyncValetkey",
    "ConflictError",
    "ConnectedAccount",
    "Connection",
    "ConnectionFailedError",
    "ConnectorLimitError",
    "ConnectorOutputInvalidError",
    "ConnectorTrappedError",
    "DeadlineExceededError",
    "EgressDeniedError",
    "Executed",
    "Execution",
    "FlowInvalidError",
    "IdempotencyConflictError",
    "InternalError",
    "InvalidAnswerError",
    "InvalidInputError",
    "Link",
    "NotFoundError",
    "Operation",
    "OverloadedError",
    "Pages",
    "PolicyDeniedError",
    "RateLimitedError",
    "RawAnswer",
    "ScopeMissingError",
    "StoreUnavailableError",
    "Tool",
    "ToolResult",
    "Toolset",
    "UnauthenticatedError",
    "UnknownToolError",
    "Valetkey",
    "ValetkeyError",
    "VendorConflictError",
    "VendorForbiddenError",
    "VendorNotFoundError",
    "VendorRejectedError",
    "VendorTimeoutError",
    "VendorUnavailableError",
    "__version__",
    "agent_run",
    "current_agent_run",
    "models",
    "operations",
]
