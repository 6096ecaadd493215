//! Reading what the messages say: names and ids as the core has them, and what this host does
//! not have said so instead of passed over.

use crate::accounts::Selector;
use crate::error::{Fault, Kind, Problem};
use crate::id::{AccountId, ConnectionName, Identifier};

/// The fields by which most messages name an account. Empty text is the same as none: one of the
/// clients sends it for what its caller left out.
pub(super) struct Named {
    pub organization_id: Option<String>,
    pub user_id: Option<String>,
    pub connector: Option<String>,
    pub identifier: Option<String>,
    pub id: Option<String>,
}

impl Named {
    /// The account that is named.
    pub(super) fn selector(self) -> Result<Selector, Fault> {
        no_organization(self.organization_id.as_deref(), self.user_id.as_deref())?;
        Ok(Selector {
            identifier: given(self.identifier).map(identifier).transpose()?,
            connected_account_id: given(self.id).map(|id| account_id(&id)).transpose()?,
            connection_name: given(self.connector)
                .map(|name| connection_name(&name))
                .transpose()?,
        })
    }
}

/// Text that says something.
pub(super) fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// A connection by the name that a program uses. Ours are in lower case; programs write
/// `GMAIL` and `gmail-b1fqL2Dr`.
pub(super) fn connection_name(text: &str) -> Result<ConnectionName, Fault> {
    text.to_ascii_lowercase().parse().map_err(|error| {
        Fault::new(
            Kind::NotFound,
            format!("There is no connection of this name: {error}."),
        )
    })
}

/// The application's key for a user.
pub(super) fn identifier(text: String) -> Result<Identifier, Fault> {
    Identifier::new(text).map_err(|error| invalid("identifier", &error.to_string()))
}

/// The id of an account.
pub(super) fn account_id(text: &str) -> Result<AccountId, Fault> {
    text.parse().map_err(|error| {
        Fault::new(
            Kind::AccountNotFound,
            format!("There is no such connected account: {error}."),
        )
    })
}

/// Refuses a user who is named by organization: to pass over it could give one organization's
/// user the account of another's.
pub(super) fn no_organization(organization: Option<&str>, user: Option<&str>) -> Result<(), Fault> {
    let said = |text: Option<&str>| text.is_some_and(|text| !text.is_empty());
    if !said(organization) && !said(user) {
        return Ok(());
    }
    let field = if said(organization) {
        "organization_id"
    } else {
        "user_id"
    };
    Err(invalid(
        field,
        "this host knows users by `identifier` alone: leave it out, and make the identifier unique among your organizations",
    ))
}

/// One field of the message that is not acceptable.
pub(super) fn invalid(field: &str, problem: &str) -> Fault {
    Fault::invalid(
        format!("The field `{field}` of the request is not acceptable: {problem}."),
        vec![Problem {
            path: format!("/{field}"),
            problem: problem.to_owned(),
        }],
    )
}
