//! A tool in the shape that a model's API or an agent framework takes, made from its declaration
//! by pure functions; and whether a connector's tools fit all of those shapes.
//!
//! Called by the edges that list tools and by `valetkey connector check`. It expects a manifest
//! that [`super::check`] accepts: names of at most 48 characters and schemas in the portable
//! subset satisfy most of what the vendors of models ask for. It never leaves out silently what a
//! shape cannot say: a constraint becomes a sentence of the description, and what cannot be said
//! at all is a misfit.

mod fold;
mod gemini;
mod strict;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use valetkey_manifest::{Manifest, Tool};

use super::{schema, step};
use crate::error::Problem;

/// Characters of a function's description at OpenAI
/// (<https://platform.openai.com/docs/api-reference/chat/create>).
const OPENAI_DESCRIPTION: usize = 1_024;
/// Characters of a property's name at Anthropic and Gemini.
const PROPERTY_NAME: usize = 64;

/// A shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ToolFormat)]
pub enum Format {
    /// A function tool of OpenAI's Chat Completions, which many other vendors take too.
    Openai,
    /// The same under OpenAI's structured outputs: every property is required, and null stands for
    /// one that is not given.
    OpenaiStrict,
    /// A tool of Anthropic's Messages.
    Anthropic,
    /// A function declaration of Gemini, in its subset of OpenAPI 3.0.
    Gemini,
    /// A tool of the Model Context Protocol.
    Mcp,
    /// The arguments of a LangChain `StructuredTool`.
    Langchain,
}

impl Format {
    /// Every shape.
    pub const ALL: [Self; 6] = [
        Self::Openai,
        Self::OpenaiStrict,
        Self::Anthropic,
        Self::Gemini,
        Self::Mcp,
        Self::Langchain,
    ];

    /// The name by which it is asked for.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::OpenaiStrict => "openai-strict",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Mcp => "mcp",
            Self::Langchain => "langchain",
        }
    }
}

/// A tool in one of the shapes.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = ToolForModel)]
pub enum Shaped<'a> {
    /// `openai` and `openai-strict`.
    OpenAi(OpenAi<'a>),
    /// `anthropic`.
    Anthropic(Anthropic<'a>),
    /// `gemini`.
    Gemini(Gemini<'a>),
    /// `mcp`.
    Mcp(Mcp<'a>),
    /// `langchain`.
    LangChain(LangChain<'a>),
}

/// A function tool of OpenAI's Chat Completions. Its Responses API takes the members of `function`
/// beside `type`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OpenAiTool)]
pub struct OpenAi<'a> {
    /// `function`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The function.
    function: OpenAiFunction<'a>,
}

/// The function of an OpenAI tool.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenAiFunction<'a> {
    /// `tool_name` of a call.
    name: &'a str,
    /// What it does, when to use it, what comes back.
    description: &'a str,
    /// JSON Schema of `params`.
    #[schema(value_type = Object)]
    parameters: Cow<'a, Value>,
    /// Whether the model is held to the schema.
    strict: bool,
}

/// A tool of Anthropic's Messages.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AnthropicTool)]
pub struct Anthropic<'a> {
    /// `tool_name` of a call.
    name: &'a str,
    /// What it does, when to use it, what comes back.
    description: &'a str,
    /// JSON Schema of `params`.
    #[schema(value_type = Object)]
    input_schema: &'a Value,
}

/// A function declaration of Gemini.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GeminiFunctionDeclaration)]
pub struct Gemini<'a> {
    /// `tool_name` of a call.
    name: &'a str,
    /// What it does, when to use it, what comes back.
    description: &'a str,
    /// Schema of `params`; absent for a tool without parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    parameters: Option<Value>,
}

/// A tool of the Model Context Protocol.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = McpTool)]
pub struct Mcp<'a> {
    /// `tool_name` of a call.
    pub name: &'a str,
    /// A few words.
    pub title: &'a str,
    /// What it does, when to use it, what comes back.
    pub description: &'a str,
    /// JSON Schema of `params`.
    #[schema(value_type = Object)]
    pub input_schema: &'a Value,
    /// JSON Schema of `data`, where the tool promises one; the host checks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub output_schema: Option<&'a Value>,
    /// What a call does to the vendor's data.
    pub annotations: Annotations,
}

/// What a call does to the vendor's data, in MCP's words. All are said, because their defaults are
/// the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = McpToolAnnotations)]
pub struct Annotations {
    /// Changes nothing.
    pub read_only_hint: bool,
    /// May remove or overwrite something, or cannot be taken back.
    pub destructive_hint: bool,
    /// Calling again with the same input changes nothing more.
    pub idempotent_hint: bool,
    /// Whether it meets what others wrote: always, at a vendor.
    pub open_world_hint: bool,
}

/// The arguments of a LangChain `StructuredTool`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LangChainTool)]
pub struct LangChain<'a> {
    /// `tool_name` of a call.
    name: &'a str,
    /// What it does, when to use it, what comes back.
    description: &'a str,
    /// JSON Schema of `params`.
    #[schema(value_type = Object)]
    args_schema: &'a Value,
    /// Words to filter by.
    tags: &'a [String],
    /// What traces show beside a call.
    metadata: Metadata<'a>,
}

/// What traces of LangChain show beside a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LangChainToolMetadata)]
struct Metadata<'a> {
    /// A few words.
    title: &'a str,
    /// Changes nothing.
    read_only: bool,
    /// May remove or overwrite something, or cannot be taken back.
    destructive: bool,
    /// Calling again with the same input changes nothing more.
    idempotent: bool,
}

/// A tool in the shape of `format`; `input` is its schema as callers see it
/// ([`super::shown_input`]).
///
/// # Errors
/// Every reason for which the shape cannot hold the tool, with its place below the tool.
pub fn shape<'a>(format: Format, tool: &'a Tool, input: &'a Value) -> Result<Shaped<'a>, Vec<Problem>> {
    let mut misfits = Misfits::default();
    let shaped = match format {
        Format::Openai | Format::OpenaiStrict => {
            misfits.expect_description(&tool.description);
            let strict = format == Format::OpenaiStrict;
            let parameters = if strict {
                Cow::Owned(strict::schema(input, &mut misfits))
            } else {
                Cow::Borrowed(input)
            };
            Shaped::OpenAi(OpenAi {
                kind: "function",
                function: OpenAiFunction {
                    name: &tool.name,
                    description: &tool.description,
                    parameters,
                    strict,
                },
            })
        }
        Format::Anthropic => {
            misfits.expect_property_names(input, "/input");
            Shaped::Anthropic(Anthropic {
                name: &tool.name,
                description: &tool.description,
                input_schema: input,
            })
        }
        Format::Gemini => {
            misfits.expect_property_names(input, "/input");
            Shaped::Gemini(Gemini {
                name: &tool.name,
                description: &tool.description,
                parameters: gemini::schema(input, &mut misfits),
            })
        }
        Format::Mcp => Shaped::Mcp(mcp(tool, input)),
        Format::Langchain => Shaped::LangChain(LangChain {
            name: &tool.name,
            description: &tool.description,
            args_schema: input,
            tags: &tool.tags,
            metadata: Metadata {
                title: &tool.title,
                read_only: tool.hints.read_only,
                destructive: tool.hints.destructive,
                idempotent: tool.hints.idempotent,
            },
        }),
    };
    if misfits.0.is_empty() {
        Ok(shaped)
    } else {
        Err(misfits.0)
    }
}

/// A tool of the Model Context Protocol: its schemas as they are, so that nothing can be lost.
#[must_use]
pub fn mcp<'a>(tool: &'a Tool, input: &'a Value) -> Mcp<'a> {
    Mcp {
        name: &tool.name,
        title: &tool.title,
        description: &tool.description,
        input_schema: input,
        output_schema: tool.output.as_ref(),
        annotations: Annotations {
            read_only_hint: tool.hints.read_only,
            destructive_hint: tool.hints.destructive,
            idempotent_hint: tool.hints.idempotent,
            open_world_hint: true,
        },
    }
}

/// Every reason for which a tool of this manifest does not fit a shape, with its place and what to
/// do; an empty list means that all tools fit all shapes.
#[must_use]
pub fn misfits(manifest: &Manifest) -> Vec<Problem> {
    let mut found = Vec::new();
    for (index, tool) in manifest.tools.iter().enumerate() {
        let input = schema::shown_input(tool);
        for format in Format::ALL {
            let problems = shape(format, tool, &input).err().unwrap_or_default();
            found.extend(problems.into_iter().map(|problem| Problem {
                path: format!("/tools/{index}{}", problem.path),
                problem: format!(
                    "does not fit the format `{}`: {}",
                    format.as_str(),
                    problem.problem
                ),
            }));
        }
    }
    found
}

/// What does not fit.
#[derive(Default)]
struct Misfits(Vec<Problem>);

impl Misfits {
    fn add(&mut self, path: &str, problem: impl Into<String>) {
        self.0.push(Problem {
            path: path.to_owned(),
            problem: problem.into(),
        });
    }

    fn expect_description(&mut self, description: &str) {
        let length = description.chars().count();
        if length > OPENAI_DESCRIPTION {
            self.add(
                "/description",
                format!("it has {length} characters and OpenAI takes {OPENAI_DESCRIPTION}; shorten it"),
            );
        }
    }

    /// One property with another name, at any depth, makes these vendors refuse the whole request.
    fn expect_property_names(&mut self, schema: &Value, path: &str) {
        let Some(schema) = schema.as_object() else { return };
        for (name, property) in properties(schema) {
            let path = format!("{path}/properties/{}", step(name));
            let fine = (1..=PROPERTY_NAME).contains(&name.len())
                && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
            if !fine {
                self.add(
                    &path,
                    format!("{name:?} cannot name a property there: at most {PROPERTY_NAME} letters, digits, `_`, `.` and `-`, a letter or `_` first"),
                );
            }
            self.expect_property_names(property, &path);
        }
        for (keyword, place) in [
            ("items", "/items"),
            ("additionalProperties", "/additionalProperties"),
        ] {
            if let Some(inner) = schema.get(keyword) {
                self.expect_property_names(inner, &format!("{path}{place}"));
            }
        }
        for (index, branch) in branches(schema).enumerate() {
            self.expect_property_names(branch, &format!("{path}/anyOf/{index}"));
        }
    }
}

fn properties(schema: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

fn branches(schema: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    schema
        .get("anyOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn is_required(schema: &Map<String, Value>, name: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required
        .into_iter()
        .flatten()
        .any(|required| required.as_str() == Some(name))
}

/// The types that a schema names, `null` aside.
fn kinds(schema: &Map<String, Value>) -> Vec<&str> {
    let named = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind.as_str()],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    named.into_iter().filter(|kind| *kind != "null").collect()
}

/// Whether an object may have members that its schema does not name.
fn is_open(schema: &Map<String, Value>) -> bool {
    schema.get("additionalProperties") != Some(&Value::Bool(false))
}
