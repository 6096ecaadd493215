//! What untrusted bytes are, found out without compiling or running them: form, size, parts,
//! imports, exports, manifest. Everything that the compiler would choke on is refused here.

use wasmparser::{
    ComponentExternalKind, ComponentTypeRef, Encoding, FunctionBody, Parser, Payload, ValidPayload, Validator,
};

use valetkey_manifest::Manifest;

use crate::capability::sanitise;
use crate::manifest;

use super::engine::{Profile, Size, allowed_features};
use super::{LoadError, wasi};

/// Interfaces of the contract that a component may import, at any 0.1.x.
const CONTRACT: [&str; 5] = [
    "valetkey:connector/files",
    "valetkey:connector/http",
    "valetkey:connector/runtime",
    "valetkey:connector/token-endpoint",
    "valetkey:connector/types",
];
/// What a component must export, at any 0.1.x.
const EXPORT: &str = "valetkey:connector/tools";
const EXPORT_SHOWN: &str = "valetkey:connector/tools@0.1.0";
/// What it exports when its manifest says that it speaks to the token endpoint, and only then.
const AUTH: &str = "valetkey:connector/auth";
const AUTH_SHOWN: &str = "valetkey:connector/auth@0.1.2";

/// Modules and components inside one another, and side by side.
const NESTING: usize = 8;
const NESTED: u32 = 256;
/// Bytes of one function: a compiler's time grows faster than its input.
const FUNCTION_BYTES: usize = 1024 * 1024;
/// Definitions of other sorts in all modules and nested components together.
const DEFINITIONS: u32 = 200_000;

/// Checks a component of at most `limit` bytes; answers its manifest.
pub(super) fn inspect(bytes: &[u8], limit: usize) -> Result<Manifest, LoadError> {
    if bytes.len() > limit {
        return Err(LoadError::TooLarge {
            bytes: bytes.len(),
            limit,
        });
    }
    check_header(bytes)?;
    let parts = Parts::count(bytes)?;
    parts.check(Profile::LargeRuntime.size())?;
    if let Some(import) = parts.imports.iter().find(|import| !import.is_allowed()) {
        return Err(LoadError::ForbiddenImport(sanitise(&import.name, 256)));
    }
    if !parts.exports_tools {
        return Err(LoadError::MissingExport(EXPORT_SHOWN.to_owned()));
    }
    let manifest =
        manifest::extract(bytes).map_err(|problem| LoadError::Manifest(sanitise(&problem, 1024)))?;
    match (is_coded(&manifest), parts.exports_auth) {
        (true, false) => return Err(LoadError::MissingExport(AUTH_SHOWN.to_owned())),
        (false, true) => return Err(LoadError::UndeclaredExport(AUTH_SHOWN.to_owned())),
        _ => {}
    }
    parts.check(Profile::of(manifest.connector.runtime).size())?;
    validate(bytes)?;
    Ok(manifest)
}

/// Whether some account of the connector is connected by its own code.
pub(super) fn is_coded(manifest: &Manifest) -> bool {
    manifest.auth.iter().any(|auth| auth.coded().is_some())
}

fn check_header(bytes: &[u8]) -> Result<(), LoadError> {
    const MAGIC: &[u8] = b"\0asm";
    const MODULE: [u8; 4] = [1, 0, 0, 0];
    let refuse = |what: &str| Err(LoadError::NotAComponent(what.to_owned()));
    if bytes.starts_with(b"\x7fELF") {
        return refuse("it is precompiled machine code, which is never accepted; give the .wasm file");
    }
    if !bytes.starts_with(MAGIC) {
        return refuse("it does not begin like a WebAssembly file");
    }
    match bytes.get(4..8) {
        None => refuse("the file ends within its header"),
        Some(version) if version == MODULE => {
            refuse("it is a core module; connectors are components (build for wasm32-wasip2)")
        }
        Some(_) => Ok(()),
    }
}

/// What a component says it is made of, and what it imports and exports.
#[derive(Default)]
struct Parts {
    imports: Vec<Import>,
    exports_tools: bool,
    exports_auth: bool,
    nested: u32,
    functions: u32,
    types: u32,
    definitions: u32,
    memories: u32,
    tables: u32,
}

struct Import {
    name: String,
    is_instance: bool,
}

impl Import {
    fn is_allowed(&self) -> bool {
        let Some((interface, version)) = self.name.split_once('@') else {
            return false;
        };
        self.is_instance
            && ((CONTRACT.contains(&interface) && is_contract_version(version))
                || wasi::is_allowed(interface, version))
    }
}

/// Whether a version is one that this host's `0.1` contract satisfies.
fn is_contract_version(version: &str) -> bool {
    version
        .strip_prefix("0.1.")
        .is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit()))
}

impl Parts {
    /// Walks the sections by the counts that they declare; looks into no function.
    fn count(bytes: &[u8]) -> Result<Self, LoadError> {
        let mut parts = Self::default();
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload.map_err(malformed)?;
            match &payload {
                Payload::Version { encoding, .. } => {
                    depth += 1;
                    parts.nested += 1;
                    if depth == 1 && *encoding != Encoding::Component {
                        return Err(LoadError::NotAComponent("it is not a component".to_owned()));
                    }
                    if depth > NESTING || parts.nested > NESTED {
                        return Err(too_much("modules and components inside one another"));
                    }
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 1 => {
                    for import in section.clone() {
                        let import = import.map_err(malformed)?;
                        parts.imports.push(Import {
                            name: import.name.name.to_owned(),
                            is_instance: matches!(import.ty, ComponentTypeRef::Instance(_)),
                        });
                        if parts.imports.len() > 100 {
                            return Err(too_much("imports"));
                        }
                    }
                }
                Payload::ComponentExportSection(section) if depth == 1 => {
                    for export in section.clone() {
                        let export = export.map_err(malformed)?;
                        let versioned = export.name.name.split_once('@');
                        let ours = versioned.filter(|(_, version)| {
                            export.kind == ComponentExternalKind::Instance && is_contract_version(version)
                        });
                        parts.exports_tools |= ours.is_some_and(|(name, _)| name == EXPORT);
                        parts.exports_auth |= ours.is_some_and(|(name, _)| name == AUTH);
                    }
                }
                _ => {}
            }
            parts.add(&payload)?;
        }
        Ok(parts)
    }

    fn add(&mut self, payload: &Payload<'_>) -> Result<(), LoadError> {
        let (sum, count) = match payload {
            Payload::TypeSection(section) => (&mut self.types, section.count()),
            Payload::ComponentTypeSection(section) => (&mut self.types, section.count()),
            Payload::CoreTypeSection(section) => (&mut self.types, section.count()),
            Payload::FunctionSection(section) => (&mut self.functions, section.count()),
            Payload::MemorySection(section) => (&mut self.memories, section.count()),
            Payload::TableSection(section) => (&mut self.tables, section.count()),
            Payload::ImportSection(section) => (&mut self.definitions, section.count()),
            Payload::ExportSection(section) => (&mut self.definitions, section.count()),
            Payload::GlobalSection(section) => (&mut self.definitions, section.count()),
            Payload::ElementSection(section) => (&mut self.definitions, section.count()),
            Payload::DataSection(section) => (&mut self.definitions, section.count()),
            Payload::InstanceSection(section) => (&mut self.definitions, section.count()),
            Payload::ComponentInstanceSection(section) => (&mut self.definitions, section.count()),
            Payload::ComponentAliasSection(section) => (&mut self.definitions, section.count()),
            Payload::ComponentCanonicalSection(section) => (&mut self.definitions, section.count()),
            Payload::ComponentImportSection(section) => (&mut self.definitions, section.count()),
            Payload::ComponentExportSection(section) => (&mut self.definitions, section.count()),
            Payload::CodeSectionEntry(body) => return check_function(body),
            Payload::ComponentStartSection { .. } => {
                return Err(LoadError::NotAComponent(
                    "it has a component start function, which connectors do not get".to_owned(),
                ));
            }
            _ => return Ok(()),
        };
        *sum = sum.saturating_add(count);
        if self.definitions > DEFINITIONS {
            return Err(too_much("definitions"));
        }
        Ok(())
    }

    fn check(&self, size: Size) -> Result<(), LoadError> {
        for (what, count, limit) in [
            ("functions", self.functions, size.functions),
            ("types", self.types, size.types),
            ("memories", self.memories, size.memories),
            ("tables", self.tables, size.tables),
        ] {
            if count > limit {
                return Err(LoadError::TooComplex(format!(
                    "{count} {what}; the limit is {limit}"
                )));
            }
        }
        Ok(())
    }
}

fn check_function(body: &FunctionBody<'_>) -> Result<(), LoadError> {
    let bytes = body.range().len();
    if bytes > FUNCTION_BYTES {
        return Err(LoadError::TooComplex(format!(
            "one function has {bytes} bytes; the limit is {FUNCTION_BYTES}"
        )));
    }
    Ok(())
}

/// Every rule of the specification, with the allowed features alone.
fn validate(bytes: &[u8]) -> Result<(), LoadError> {
    let mut validator = Validator::new_with_features(allowed_features());
    let mut allocations = wasmparser::FuncValidatorAllocations::default();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(malformed)?;
        if let ValidPayload::Func(function, body) = validator.payload(&payload).map_err(malformed)? {
            let mut function = function.into_validator(allocations);
            function.validate(&body).map_err(malformed)?;
            allocations = function.into_allocations();
        }
    }
    Ok(())
}

#[allow(clippy::needless_pass_by_value, reason = "it is a function for map_err")]
fn malformed(error: wasmparser::BinaryReaderError) -> LoadError {
    LoadError::NotAComponent(sanitise(&error.to_string(), 512))
}

fn too_much(what: &str) -> LoadError {
    LoadError::TooComplex(format!("too many {what}"))
}
