//! What the pages show, made of what the core answered. Every text of others passes
//! [`Shown`] here and the templates' escaping there.

use askama::Template;

use crate::accounts::{
    ChoicePage, ConnectedPage, FormField, FormPage, Permission, UNNAMED_APPLICATION, WaitingPage,
};
use crate::runtime::Runtime;
use crate::text::Shown;

/// Where the reader is: at the foot of every page.
pub(super) struct Site<'a> {
    pub operator: Option<Shown<'a>>,
    pub host: Shown<'a>,
}

impl<'a> Site<'a> {
    pub fn of(host: &'a Runtime) -> Self {
        let (_, name) = host.public_url.split_once("://").unwrap_or_default();
        Self {
            operator: host.config.pages.operator_name.as_deref().map(Shown),
            host: Shown(name),
        }
    }

    /// An application's name; one without a name is its operator's.
    fn application(&self, name: &'a str) -> Shown<'a> {
        match self.operator {
            Some(operator) if name == UNNAMED_APPLICATION => operator,
            _ => Shown(name),
        }
    }
}

/// The two sides of a connection, as the pair of tiles above a title shows them.
pub(super) struct Pair<'a> {
    pub application: Shown<'a>,
    pub vendor: Shown<'a>,
}

impl Pair<'_> {
    fn initial(name: &Shown<'_>) -> String {
        name.0
            .chars()
            .find(|character| character.is_alphanumeric())
            .map(|character| character.to_uppercase().to_string())
            .unwrap_or_default()
    }

    pub fn application_initial(&self) -> String {
        Self::initial(&self.application)
    }

    pub fn vendor_initial(&self) -> String {
        Self::initial(&self.vendor)
    }
}

/// Who asks for what; the form.
#[derive(Template)]
#[template(path = "connect.html")]
pub(super) struct ConnectView<'a> {
    site: Site<'a>,
    pair: Pair<'a>,
    ticket: &'a str,
    consent: Option<ConsentView<'a>>,
    fields: Vec<FieldView<'a>>,
    problem: Option<Shown<'a>>,
    /// Whether the last try went wrong.
    pub failed: bool,
}

struct ConsentView<'a> {
    host: Option<Shown<'a>>,
    permissions: Vec<PermissionView<'a>>,
}

struct PermissionView<'a> {
    title: Option<Shown<'a>>,
    scope: Shown<'a>,
}

struct FieldView<'a> {
    name: Shown<'a>,
    title: Shown<'a>,
    description: Option<Shown<'a>>,
    example: Option<Shown<'a>>,
    value: Option<Shown<'a>>,
    problem: Option<Shown<'a>>,
    secret: bool,
    multiline: bool,
    required: bool,
    /// Where the cursor begins: at the first field with a problem.
    focus: bool,
    autocomplete: &'static str,
    inputmode: &'static str,
    described_by: String,
}

impl<'a> ConnectView<'a> {
    pub fn of(site: Site<'a>, page: &'a FormPage) -> Self {
        let first = page.fields.iter().position(|field| field.problem.is_some());
        let fields = (0..).zip(&page.fields);
        Self {
            pair: Pair {
                application: site.application(&page.application),
                vendor: Shown(&page.vendor),
            },
            site,
            ticket: &page.ticket,
            consent: page.consent.as_ref().map(|consent| ConsentView {
                host: consent.host.as_deref().map(Shown),
                permissions: permissions(&consent.permissions),
            }),
            fields: fields
                .map(|(at, field)| FieldView::of(field, at, Some(at) == first))
                .collect(),
            problem: page.problem.as_deref().map(Shown),
            failed: first.is_some() || page.problem.is_some(),
        }
    }
}

impl<'a> FieldView<'a> {
    fn of(field: &'a FormField, at: usize, focus: bool) -> Self {
        let (has_note, has_problem) = (
            field.description.is_some() || field.example.is_some(),
            field.problem.is_some(),
        );
        let described_by = [("about", has_note), ("problem", has_problem)]
            .iter()
            .filter(|(_, there)| *there)
            .map(|(name, _)| format!("{name}-{}", at + 1))
            .collect::<Vec<_>>()
            .join(" ");
        let example = field.example.as_deref().unwrap_or_default();
        Self {
            name: Shown(&field.name),
            title: Shown(&field.title),
            description: field.description.as_deref().map(Shown),
            example: field.example.as_deref().map(Shown),
            value: field.value.as_deref().filter(|_| !field.secret).map(Shown),
            problem: field.problem.as_deref().map(Shown),
            secret: field.secret,
            multiline: field.multiline,
            required: field.required,
            focus,
            // A key is not a password of this site: browsers must not offer to keep it for here.
            autocomplete: match field.name.as_str() {
                "username" => "username",
                "password" => "current-password",
                _ => "off",
            },
            inputmode: match example {
                url if url.starts_with("https://") => "url",
                address if address.contains('@') => "email",
                digits if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => "numeric",
                _ => "text",
            },
            described_by,
        }
    }
}

fn permissions(all: &[Permission]) -> Vec<PermissionView<'_>> {
    all.iter()
        .map(|permission| PermissionView {
            title: permission.title.as_deref().map(Shown),
            scope: Shown(&permission.scope),
        })
        .collect()
}

/// Which of several sites.
#[derive(Template)]
#[template(path = "choice.html")]
pub(super) struct ChoiceView<'a> {
    site: Site<'a>,
    pair: Pair<'a>,
    ticket: &'a str,
    options: Vec<OptionView<'a>>,
    /// What was wrong with the last try.
    pub problem: Option<Shown<'a>>,
}

struct OptionView<'a> {
    value: &'a str,
    label: Shown<'a>,
    note: Option<Shown<'a>>,
}

impl<'a> ChoiceView<'a> {
    pub fn of(site: Site<'a>, page: &'a ChoicePage) -> Self {
        let options = page.sites.iter().map(|option| OptionView {
            value: &option.value,
            label: Shown(&option.label),
            note: option.note.as_deref().map(Shown),
        });
        Self {
            pair: Pair {
                application: site.application(&page.application),
                vendor: Shown(&page.vendor),
            },
            site,
            ticket: &page.ticket,
            options: options.collect(),
            problem: page.problem.as_deref().map(Shown),
        }
    }
}

/// On the way to somewhere else.
#[derive(Template)]
#[template(path = "continue.html")]
pub(super) struct ContinueView<'a> {
    site: Site<'a>,
    url: &'a str,
    to: Shown<'a>,
}

impl<'a> ContinueView<'a> {
    pub fn of(site: Site<'a>, url: &'a str) -> Self {
        let (_, rest) = url.split_once("://").unwrap_or_default();
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        Self {
            site,
            url,
            to: Shown(&rest[..end]),
        }
    }
}

/// Consent is there, the application's word is not.
#[derive(Template)]
#[template(path = "waiting.html")]
pub(super) struct WaitingView<'a> {
    site: Site<'a>,
    pair: Pair<'a>,
    url: &'a str,
}

impl<'a> WaitingView<'a> {
    pub fn of(site: Site<'a>, page: &'a WaitingPage) -> Self {
        Self {
            pair: Pair {
                application: site.application(&page.application),
                vendor: Shown(&page.vendor),
            },
            site,
            url: &page.url,
        }
    }
}

/// Done.
#[derive(Template)]
#[template(path = "connected.html")]
pub(super) struct ConnectedView<'a> {
    site: Site<'a>,
    pair: Pair<'a>,
    label: Option<Shown<'a>>,
    granted: Vec<PermissionView<'a>>,
    withheld: Vec<PermissionView<'a>>,
}

impl<'a> ConnectedView<'a> {
    pub fn of(site: Site<'a>, page: &'a ConnectedPage) -> Self {
        Self {
            pair: Pair {
                application: site.application(&page.application),
                vendor: Shown(&page.vendor),
            },
            site,
            label: page.label.as_deref().map(Shown),
            granted: permissions(&page.granted),
            withheld: permissions(&page.withheld),
        }
    }
}

/// What went wrong, and what to do.
#[derive(Template)]
#[template(path = "problem.html")]
pub(super) struct ProblemView<'a> {
    pub site: Site<'a>,
    pub title: &'static str,
    pub text: Shown<'a>,
    pub hint: Option<&'static str>,
    /// Whether somebody decided so, which is nobody's mistake.
    pub calm: bool,
    pub reference: Option<&'a str>,
}
