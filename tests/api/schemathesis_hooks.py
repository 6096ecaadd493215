"""What schemathesis does not know by itself: a component is sent as it is."""

import schemathesis

schemathesis.serializer.alias("application/wasm", "application/octet-stream")
