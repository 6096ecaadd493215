//! Requests of declared tools: methods, paths, and templates whose names the input declares.

use serde_json::Value;
use valetkey_manifest::template::{self, Part};
use valetkey_manifest::tool::{BodyFormat, FILE_FORMAT, Paginator, Request};
use valetkey_manifest::{GuestRuntime, Manifest, Tool};

use super::connection::{expect_endpoint, is_found};
use super::{Complaints, step};
use crate::egress;
use crate::manifest::file_parameters;

pub(super) fn check(
    manifest: &Manifest,
    tool: &Tool,
    request: &Request,
    path: &str,
    complaints: &mut Complaints,
) {
    expect_endpoint(
        manifest,
        &request.endpoint,
        &format!("{path}/endpoint"),
        complaints,
    );
    let rule = format!("{} {}:{}", request.method, request.endpoint, request.path);
    if let Err(problem) = egress::allowed(&rule) {
        complaints.add(format!("{path}/path"), problem);
    }
    let bodiless = matches!(request.method.as_str(), "GET" | "HEAD");
    complaints.expect(
        !(bodiless && request.body.is_some()),
        format!("{path}/body"),
        format!("{} carries no body; use `query`", request.method),
    );
    if let Err(problem) = egress::endpoint("https://vendor.example", false, false, &request.headers) {
        complaints.add(format!("{path}/headers"), problem);
    }

    let mut names = Names {
        manifest,
        tool,
        complaints,
        token: false,
    };
    names.text(&request.path, &format!("{path}/path"), true);
    for (name, template) in &request.headers {
        names.text(template, &format!("{path}/headers/{}", step(name)), false);
    }
    for (name, template) in &request.query {
        names.flat(template, &format!("{path}/query/{}", step(name)));
    }
    if let Some(body) = &request.body {
        let path = format!("{path}/body");
        match (request.body_format, body) {
            (BodyFormat::Json, body) => names.value(body, &path, false),
            (BodyFormat::Form, Value::Object(fields)) => {
                for (name, template) in fields {
                    names.flat(template, &format!("{path}/{}", step(name)));
                }
            }
            (BodyFormat::Form, _) => names.complaints.add(path, "is an object of form fields"),
            (BodyFormat::File, body) => names.file(body, &path),
        }
    }
    if let Some(kept) = tool.response.as_ref().and_then(|response| response.file.as_ref()) {
        let path = path.replace("/request", "/response/file");
        if let Some(name) = &kept.name {
            names.text(name, &format!("{path}/name"), false);
        }
        names.complaints.expect(
            request.body_format != BodyFormat::File,
            path.as_str(),
            "goes with a request that sends no file; take one of the two out",
        );
        names
            .complaints
            .expect(tool.paging.is_none(), path, "has no pages; take `paging` out");
    }
    let keeps = tool
        .response
        .as_ref()
        .is_some_and(|response| response.file.is_some());
    names.complaints.expect(
        manifest.connector.runtime == GuestRuntime::Rust
            || !(keeps || request.body_format == BodyFormat::File),
        path,
        "sends or keeps a file, which only connectors without code and those in Rust declare",
    );
    let uses_token = names.token;
    if let Some(paging) = &tool.paging {
        let paginator = paging
            .paginator
            .as_ref()
            .and_then(|name| manifest.paginators.get(name));
        let by_url = matches!(paginator, Some(Paginator::LinkHeader | Paginator::NextUrl { .. }));
        complaints.expect(
            uses_token || by_url || paginator.is_none(),
            path,
            "never uses `{page.token}`, so that every page would be the first",
        );
    }
}

struct Names<'a> {
    manifest: &'a Manifest,
    tool: &'a Tool,
    complaints: &'a mut Complaints,
    token: bool,
}

impl Names<'_> {
    /// The body that is a file: one parameter, always given, of the format of files.
    fn file(&mut self, template: &Value, path: &str) {
        let Some(Part::Name(name)) = template.as_str().and_then(template::whole) else {
            self.complaints.add(
                path,
                "is one placeholder, such as `{attachment}`, for the parameter that is the file",
            );
            return;
        };
        self.name(name, path, true);
        let is_file = file_parameters(&self.tool.input).any(|parameter| parameter == name);
        self.complaints.expect(
            is_file,
            path,
            format!("`{{{name}}}` is no file; give the parameter `format = \"{FILE_FORMAT}\""),
        );
    }

    /// A query parameter or form field: a text, a scalar, or an array of them.
    fn flat(&mut self, template: &Value, path: &str) {
        match template {
            Value::String(text) => self.text(text, path, false),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.complaints.expect(
                        !item.is_array()
                            && !item.is_object()
                            && !item.as_str().is_some_and(|text| text.contains('{')),
                        format!("{path}/{index}"),
                        "is a constant; a placeholder stands for a whole parameter",
                    );
                }
            }
            Value::Object(_) => self
                .complaints
                .add(path, "is a text, a number, a boolean or an array of these"),
            _ => {}
        }
    }

    fn value(&mut self, template: &Value, path: &str, in_array: bool) {
        match template {
            Value::String(text) => {
                if matches!(template::whole(text), Some(Part::Spread(_))) && !in_array {
                    self.complaints.add(
                        path,
                        "`{name...}` stands for elements of an array, inside an array only",
                    );
                }
                self.text(text, path, false);
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(item, &format!("{path}/{index}"), true);
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    self.value(member, &format!("{path}/{}", step(name)), false);
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, template: &str, path: &str, always: bool) {
        for part in template::parts(template) {
            match part {
                Part::Text(_) => {}
                Part::Name(name) => self.name(name, path, always),
                Part::Spread(name) => {
                    // In a path, which always has a value, the rule says where it may stand.
                    let is_whole = always || template::whole(template).is_some();
                    self.complaints
                        .expect(is_whole, path, format!("`{{{name}...}}` stands alone"));
                    self.name(name, path, always);
                }
            }
        }
    }

    fn name(&mut self, name: &str, path: &str, always: bool) {
        match name.split_once('.') {
            Some(("page", "token" | "size")) => {
                self.token |= name == "page.token";
                self.complaints.expect(
                    self.tool.paging.is_some(),
                    path,
                    format!("`{{{name}}}` needs `paging` on the tool"),
                );
            }
            Some(("page", _)) => {
                self.complaints.add(
                    path,
                    format!("`{{{name}}}` is unknown; there are `page.token` and `page.size`"),
                );
            }
            Some(("config", input)) => match self.manifest.account_config.get(input) {
                None => self
                    .complaints
                    .add(path, format!("`{{{name}}}` is not declared in [account_config]")),
                Some(found) => self.complaints.expect(
                    !always || found.required || is_found(self.manifest, input),
                    path,
                    format!("`{{{name}}}` may have no value; declare it `required = true`"),
                ),
            },
            _ => self.input(name, path, always),
        }
    }

    /// A name of the input: declared member by member, and present always where it has to be.
    fn input(&mut self, name: &str, path: &str, always: bool) {
        let mut schema = &self.tool.input;
        for member in name.split('.') {
            let Some(property) = schema
                .get("properties")
                .and_then(|properties| properties.get(member))
            else {
                self.complaints.add(
                    path,
                    format!("`{{{name}}}` refers to no parameter of the tool; declare `{member}` under `input.properties`"),
                );
                return;
            };
            let required = schema
                .get("required")
                .and_then(Value::as_array)
                .is_some_and(|names| names.iter().any(|name| name == member));
            if always && !required && property.get("default").is_none() {
                self.complaints.add(
                    path,
                    format!("`{{{name}}}` may have no value, and one is needed here; add `{member}` to `required` or give it a `default`"),
                );
            }
            schema = property;
        }
    }
}
