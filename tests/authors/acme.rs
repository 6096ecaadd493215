//! A small connector that is all data, and cases of it.

use std::fs;
use std::path::Path;

use valetkey::author::run::{self, Options, Report};
use valetkey::author::suite::Suite;
use valetkey::manifest::build;

/// The manifest.
pub const MANIFEST: &str = r#"
[connector]
id = "acme"
title = "Acme"
version = "1.0.0"
contract = "0.1"
description = "Things of Acme, for tests of the author's kit."
categories = ["things"]
docs_url = "https://docs.acme.example"

[endpoints.api]
url = "https://{config.site}.acme.example/v1"
headers = { "Acme-Version" = "2026-01-01" }

[account_config.site]
title = "Site"
description = "The first part of the site's address."
pattern = "[a-z0-9-]+"
example = "demo"
required = true

[[auth]]
id = "oauth2"
kind = "oauth2"
title = "Acme account"

[auth.oauth2]
authorize_url = "https://login.acme.example/authorize"
token_url = "https://login.acme.example/token"
scopes = ["things"]
scope_titles = { "things" = "See and change things" }

[[auth]]
id = "key"
kind = "api_key"
title = "Acme key"
placement = { in = "query", name = "acme_key" }

[verify]
endpoint = "api"
path = "/me"
subject = "/account/id"

[[budgets]]
scope = "account"
requests = 100
per_seconds = 1.0

[errors]
code = ["/error/code"]
message = ["/error/text"]

[paginators.url]
kind = "next_url"
next = "/next"

[[tools]]
name = "acme_things_list"
title = "List things"
description = "Lists things, the newest first: `things` with `id` and `name`. Example: {\"kind\":\"lamp\"}"
tags = ["things"]
hints = { read_only = true, destructive = false, idempotent = true }
scopes = ["things"]
paging = { items = "/things", max_page_size = 2, default_limit = 10, paginator = "url" }

[tools.input]
type = "object"
additionalProperties = false
properties = { kind = { type = "string", description = "Only things of this kind." } }

[tools.request]
endpoint = "api"
method = "GET"
path = "/things"
query = { kind = "{kind}", size = "{page.size}" }

[tools.response]
drop = ["next"]

[[tools]]
name = "acme_thing_get"
title = "Get a thing"
description = "Reads one thing by its id: `id`, `name` and `made`. Use acme_things_list to find the id."
tags = ["things"]
hints = { read_only = true, destructive = false, idempotent = true }
scopes = ["things"]

[tools.input]
type = "object"
additionalProperties = false
required = ["thing_id"]
properties = { thing_id = { type = "string", description = "Id of the thing." }, fields = { type = "array", items = { type = "string" }, description = "What to read of it." } }

[tools.output]
type = "object"
required = ["id"]
properties = { id = { type = "string" } }

[tools.request]
endpoint = "api"
method = "GET"
path = "/things/{thing_id}"
query = { fields = "{fields}" }
query_join = ","

[[tools]]
name = "acme_thing_create"
title = "Create a thing"
description = "Creates a thing and answers it with its new `id`; a second thing of the same name is allowed."
tags = ["things"]
hints = { read_only = false, destructive = false, idempotent = false }
scopes = ["things"]

[tools.input]
type = "object"
additionalProperties = false
required = ["name"]
properties = { name = { type = "string", description = "Name of the thing." }, kind = { type = "string", description = "Its kind." } }

[tools.request]
endpoint = "api"
method = "POST"
path = "/things"
body = { name = "{name}", kind = "{kind}" }
"#;

/// Writes the connector with these cases, each a file's name and its text.
pub fn write(dir: &Path, manifest: &str, cases: &[(&str, &str)]) {
    let tests = dir.join("tests");
    fs::create_dir_all(&tests).expect("a folder");
    fs::write(dir.join("connector.toml"), manifest).expect("a manifest");
    fs::write(dir.join("README.md"), "# Acme\n").expect("a file");
    for (name, text) in cases {
        fs::write(tests.join(format!("{name}.http")), text).expect("a case");
    }
}

/// Packs the connector in `dir` and runs its cases.
pub async fn run(dir: &Path, options: Options) -> Report {
    let built = build::pack(dir, &dir.join("out"), &mut |_| ()).expect("it packs");
    let component = fs::read(built.path).expect("a component");
    let suite = Suite::read(dir).expect("a suite");
    run::run(component, &suite, &options).await.expect("a host")
}

/// Right cases: pages by the vendor's own URLs, a refusal, another credential, a write.
pub const RIGHT: [(&str, &str); 5] = [
    (
        "list",
        r#"# Two pages, the second by the URL that the vendor gives.

### case
tool: acme_things_list
params: {"kind": "lamp", "limit": 3}
answer: {"things": [{"id": "1"}, {"id": "2"}, {"id": "3", "url": "https://demo.acme.example/v1/things/3"}]}
more: false

### request
GET https://{config.site}.acme.example/v1/things
    ?kind=lamp
    &size=2
Acme-Version: 2026-01-01

### response 200

{"things": [{"id": "1"}, {"id": "2"}], "next": "https://demo.acme.example/v1/things?kind=lamp&size=2&page=2"}

### request
GET https://demo.acme.example/v1/things?page=2&size=2&kind=lamp

### response 200

{"things": [{"id": "3", "url": "https:\/\/demo.acme.example\/v1\/things\/3"}]}
"#,
    ),
    (
        "get",
        r#"### case
tool: acme_thing_get
params: {"thing_id": "a 7", "fields": ["id", "made"]}
answer: {"id": "a 7", "made": "{{any}}"}

### request
GET https://demo.acme.example/v1/things/a%207?fields=id,made

### response 200

{"id": "a 7", "made": "2026-03-01"}
"#,
    ),
    (
        "get_by_key",
        r#"# The key goes into the query and is no part of the case.

### case
tool: acme_thing_get
params: {"thing_id": "7"}
answer: {"id": "7"}
auth: key
config: {"site": "other"}

### request
GET https://other.acme.example/v1/things/7

### response 200

{"id": "7"}
"#,
    ),
    (
        "get_missing",
        r#"### case
tool: acme_thing_get
params: {"thing_id": "8"}
fault: {"kind": "vendor_not_found", "vendor": {"status": 404, "code": "NO_THING"}}

### request
GET https://demo.acme.example/v1/things/8

### response 404

{"error": {"code": "NO_THING", "text": "There is no such thing."}}
"#,
    ),
    (
        "create",
        r#"### case
tool: acme_thing_create
params: {"name": "Lamp"}
answer: {"id": "9", "name": "Lamp"}

### request
POST https://demo.acme.example/v1/things
Content-Type: application/json

{"name": "Lamp"}

### response 201

{"id": "9", "name": "Lamp"}
"#,
    ),
];
