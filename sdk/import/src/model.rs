//! An API as any of the formats describes it: what the reading modules make and all others use. Schemas
//! stay as the format writes them, references included, until [`crate::schemas`] makes them portable.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::definitions::Definitions;

/// One vendor's API.
#[derive(Debug, Default)]
pub(crate) struct Api {
    /// Its name as people write it.
    pub(crate) title: String,
    /// A sentence or a page about it.
    pub(crate) description: String,
    /// An id that the format itself gives (`name` of a discovery document).
    pub(crate) id: Option<String>,
    /// Its documentation.
    pub(crate) docs_url: Option<String>,
    /// Where it is served; operations refer to these by index.
    pub(crate) servers: Vec<Server>,
    /// How accounts authenticate, by the name that operations refer to.
    pub(crate) schemes: BTreeMap<String, Scheme>,
    /// Everything that can be called, in the order of the document.
    pub(crate) operations: Vec<Operation>,
    /// Operations that could not be read, and why.
    pub(crate) unreadable: Vec<(String, String)>,
    /// What `$ref` refers to.
    pub(crate) definitions: Definitions,
    /// What the reader of the document wants said in the report.
    pub(crate) notes: Vec<String>,
}

/// A base below which operations are served.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Server {
    /// The URL, with `{name}` where an account decides.
    pub(crate) url: String,
    /// What its placeholders may be.
    pub(crate) variables: BTreeMap<String, Variable>,
}

/// A placeholder in a server's URL.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Variable {
    pub(crate) default: Option<String>,
    pub(crate) choices: Vec<String>,
    pub(crate) description: Option<String>,
}

/// How a request carries the account's credential.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scheme {
    /// A secret in a header.
    Header(String),
    /// A secret in a query parameter.
    Query(String),
    /// HTTP basic.
    Basic,
    /// A bearer token.
    Bearer,
    /// OAuth 2 authorization code.
    OAuth2(OAuth2),
    /// What a connector cannot do, in words.
    Unsupported(String),
}

/// The endpoints of an OAuth 2 authorization-code grant.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct OAuth2 {
    pub(crate) authorize_url: String,
    pub(crate) token_url: String,
    /// Scopes with the vendor's words for them.
    pub(crate) scopes: BTreeMap<String, String>,
    /// Constant parameters of the authorization request.
    pub(crate) authorize_params: BTreeMap<String, String>,
}

/// One operation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Operation {
    /// The vendor's own id of it.
    pub(crate) id: Option<String>,
    /// In capitals.
    pub(crate) method: String,
    /// With `{name}` placeholders, below the server.
    pub(crate) path: String,
    /// Index of its server.
    pub(crate) server: usize,
    pub(crate) tags: Vec<String>,
    pub(crate) summary: String,
    pub(crate) description: String,
    pub(crate) deprecated: bool,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Body,
    pub(crate) answer: Answer,
    /// Any one of these will do; each names all the schemes, with scopes, that it takes.
    pub(crate) security: Vec<BTreeMap<String, Vec<String>>>,
}

impl Operation {
    /// The operation as a person finds it in the document.
    pub(crate) fn place(&self) -> String {
        match (&self.body, &self.id) {
            (Body::GraphQl { .. }, Some(id)) => id.clone(),
            _ => format!("{} {}", self.method, self.path),
        }
    }
}

/// A parameter beside the body.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) location: Location,
    pub(crate) required: bool,
    pub(crate) schema: Value,
    pub(crate) description: String,
    pub(crate) list: ListStyle,
}

/// Where a parameter goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Location {
    Path,
    /// A path parameter whose value has slashes.
    PathRest,
    Query,
    Header,
    Cookie,
    /// A variable of a GraphQL document.
    Variable,
}

/// How a list or an object is written in a query or a form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum ListStyle {
    /// The parameter repeats.
    #[default]
    Repeated,
    /// Values have this between them.
    Joined(&'static str),
    /// `name[member]=value`.
    Brackets,
}

/// What an operation sends beside its parameters.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Body {
    /// Nothing.
    #[default]
    None,
    /// JSON, of this media type.
    Json {
        media_type: String,
        schema: Value,
        required: bool,
    },
    /// A form.
    Form {
        schema: Value,
        required: bool,
        brackets: bool,
    },
    /// Something that a declared request cannot carry.
    Other { media_type: String, required: bool },
    /// A GraphQL document; its variables are parameters.
    GraphQl { document: String },
}

/// What an operation answers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Answer {
    /// The schema of a JSON answer.
    pub(crate) schema: Option<Value>,
    /// The media type when it is not JSON.
    pub(crate) other: Option<String>,
    /// Whether it names the next page in a `Link` header.
    pub(crate) links: bool,
    /// JSON pointer to the part that is the result.
    pub(crate) pointer: Option<String>,
    /// JSON pointer whose presence means that the call failed although the status says otherwise.
    pub(crate) failure: Option<String>,
    /// Whether the result is a page of a GraphQL connection.
    pub(crate) connection: bool,
}
