//! From a component's bytes to a version that can serve: inspected, its manifest checked, its
//! schemas compiled into validators, its code compiled and linked. Nothing is changed here.
//!
//! Called by the registry, off the call path.

use std::collections::HashMap;
use std::sync::Arc;

use valetkey_manifest::tool::{Declaration, Paginator, UnreadErrors};
use valetkey_manifest::{Manifest, Tool};

use super::{LoadedTool, Version};
use crate::egress::{self, Allowed};
use crate::error::{Fault, Kind, Problem};
use crate::id::ConnectorId;
use crate::manifest::{check, shown_input, validator};
use crate::sandbox::{Inspection, LoadError, Sandbox};

/// A component that passed every check that needs no compilation.
pub(super) struct Accepted {
    pub connector: ConnectorId,
    pub inspection: Inspection,
    pub tools: HashMap<String, Arc<LoadedTool>>,
}

/// Reads and checks untrusted bytes without compiling them; every complaint at once.
pub(super) async fn accept(sandbox: &Arc<Sandbox>, bytes: &Arc<[u8]>) -> Result<Accepted, Fault> {
    let (sandbox, bytes) = (Arc::clone(sandbox), Arc::clone(bytes));
    // Parsing megabytes takes milliseconds: not on a thread that serves calls.
    tokio::task::spawn_blocking(move || {
        let inspection = sandbox.inspect(&bytes).map_err(refused)?;
        let mut problems = check::manifest(&inspection.manifest);
        let connector = ConnectorId::new(&inspection.manifest.connector.id);
        if let Err(error) = &connector
            && problems.is_empty()
        {
            problems.push(Problem {
                path: "/connector/id".to_owned(),
                problem: error.to_string(),
            });
        }
        let tools = if problems.is_empty() {
            prepare_tools(&inspection.manifest).unwrap_or_else(|more| {
                problems = more;
                HashMap::new()
            })
        } else {
            HashMap::new()
        };
        match connector {
            Ok(connector) if problems.is_empty() => Ok(Accepted {
                connector,
                inspection,
                tools,
            }),
            _ => Err(Fault::invalid(
                format!(
                    "The manifest of connector `{}` is not acceptable. Mend every entry of `fields` and build it again.",
                    inspection.manifest.connector.id
                ),
                problems,
            )),
        }
    })
    .await
    .map_err(Fault::internal)?
}

/// Compiles an accepted component.
pub(super) async fn compile(
    sandbox: &Sandbox,
    bytes: Arc<[u8]>,
    accepted: Accepted,
    installed_at_ms: i64,
) -> Result<Version, Fault> {
    let component = sandbox
        .compile(bytes, &accepted.inspection)
        .await
        .map_err(refused)?;
    Ok(Version {
        manifest: Arc::new(accepted.inspection.manifest),
        digest: accepted.inspection.digest,
        installed_at_ms,
        component: Arc::new(component),
        tools: accepted.tools,
    })
}

/// A component that is not loaded, as a fault with its reason.
fn refused(error: LoadError) -> Fault {
    match error {
        LoadError::Io(_) => Fault::new(
            Kind::Internal,
            "The host could not run its compiler. Nothing was changed; `valetkey doctor` on the host looks for the cause.",
        )
        .because(error),
        LoadError::NotAComponent(_)
        | LoadError::TooLarge { .. }
        | LoadError::TooComplex(_)
        | LoadError::ForbiddenImport(_)
        | LoadError::MissingExport(_)
        | LoadError::Manifest(_)
        | LoadError::Compile(_) => {
            let problem = Problem {
                path: String::new(),
                problem: error.to_string(),
            };
            Fault::invalid(
                format!("This component cannot be loaded: {error}. Nothing was changed."),
                vec![problem],
            )
        }
    }
}

fn prepare_tools(manifest: &Manifest) -> Result<HashMap<String, Arc<LoadedTool>>, Vec<Problem>> {
    let mut tools = HashMap::new();
    let mut problems = Vec::new();
    for (index, declared) in manifest.tools.iter().enumerate() {
        match prepare(manifest, declared) {
            Ok(tool) => {
                tools.insert(declared.name.clone(), Arc::new(tool));
            }
            Err(found) => problems.extend(found.into_iter().map(|(path, problem)| Problem {
                path: format!("/tools/{index}{path}"),
                problem: format!("`{}`: {problem}", declared.name),
            })),
        }
    }
    if problems.is_empty() {
        Ok(tools)
    } else {
        Err(problems)
    }
}

fn prepare(manifest: &Manifest, declared: &Tool) -> Result<LoadedTool, Vec<(String, String)>> {
    let mut problems = Vec::new();
    let input_schema = shown_input(declared).into_owned();
    let input = validator(&input_schema).map_err(|problem| problems.push(("/input".to_owned(), problem)));
    let output = declared.output.as_ref().map(validator).transpose();
    let output = output.map_err(|problem| problems.push(("/output".to_owned(), problem)));
    let allowed = allowed(declared).map_err(|found| problems.extend(found));

    match (input, output, allowed) {
        (Ok(input), Ok(output), Ok(allowed)) => Ok(LoadedTool {
            declared: declared.clone(),
            input_schema,
            input,
            output,
            declaration: declaration(manifest, declared),
            numbered_pages: has_numbered_pages(manifest, declared),
            allowed,
        }),
        _ => Err(problems),
    }
}

fn has_numbered_pages(manifest: &Manifest, declared: &Tool) -> bool {
    let paginator = declared.paging.as_ref().and_then(|paging| paging.paginator.as_ref());
    let paginator = paginator.and_then(|name| manifest.paginators.get(name));
    matches!(paginator, Some(Paginator::Page { .. }))
}

fn allowed(declared: &Tool) -> Result<Arc<[Allowed]>, Vec<(String, String)>> {
    let own = declared.request.iter().map(|request| {
        let rule = format!("{} {}:{}", request.method, request.endpoint, request.path);
        ("/request".to_owned(), rule)
    });
    let listed = declared.allow.iter().enumerate();
    let listed = listed.map(|(index, rule)| (format!("/allow/{index}"), rule.clone()));

    let (mut allowed, mut problems) = (Vec::new(), Vec::new());
    for (path, rule) in own.chain(listed) {
        match egress::allowed(&rule) {
            Ok(rule) => allowed.push(rule),
            Err(problem) => problems.push((path, problem)),
        }
    }
    if problems.is_empty() {
        Ok(allowed.into())
    } else {
        Err(problems)
    }
}

/// What the guest gets: the request and what goes with it; for a tool in code, how to read the
/// vendor's errors.
fn declaration(manifest: &Manifest, declared: &Tool) -> Option<Arc<str>> {
    let paging = declared.paging.as_ref();
    let paginator = paging.and_then(|paging| manifest.paginators.get(paging.paginator.as_ref()?));
    let declaration = Declaration {
        request: declared.request.clone(),
        response: declared.response.clone(),
        paginator: paginator.cloned(),
        items: paging.map(|paging| paging.items.clone()),
        errors: manifest.errors.as_ref().map(UnreadErrors::from),
    };
    if declaration == Declaration::default() {
        return None;
    }
    let json = serde_json::to_string(&declaration).expect("a declaration is plain data");
    Some(json.into())
}
