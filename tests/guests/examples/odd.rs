//! The connector of a vendor whose token endpoint no manifest could describe: it speaks XML, wants every
//! request signed over a nonce that it gives at another path first, and names its refusals by number.

#![allow(missing_docs, reason = "a guest of the tests")]
#![allow(unsafe_code, reason = "generated: the canonical ABI passes pointers")]

use valetkey_guest::auth::{Answer, Authorizer, Conversation, Encoding, Hash, Held, Tokens, Unit};
use valetkey_guest::{Call, Fault, Output, authorizer, connector, pieces};

connector! {
    "odd_run" => |_: &Call, input: serde_json::Value| Output::json(&input),
}
authorizer!(Odd);

struct Odd;

impl Authorizer for Odd {
    fn exchange(talk: &Conversation<'_>) -> Result<Tokens, Fault> {
        ask(talk, "code", talk.given("code")?)
    }

    fn refresh(talk: &Conversation<'_>) -> Result<Tokens, Fault> {
        ask(talk, "refresh", talk.given("refresh_token")?)
    }

    fn issue(talk: &Conversation<'_>) -> Result<Tokens, Fault> {
        let secret = talk.given("password")?;
        let basic = talk.encode(Encoding::Base64, pieces![talk.given("user")?, ":", secret])?;
        let answer = talk
            .post()
            .header("authorization", pieces!["Basic ", basic])
            .send()?;
        tokens(talk, &answer)
    }
}

/// Gets a nonce, signs what is presented with it, and asks.
fn ask(talk: &Conversation<'_>, what: &str, presented: Held) -> Result<Tokens, Fault> {
    let (id, secret) = (talk.given("client_id")?, talk.given("client_secret")?);
    let signature = talk.hmac(Hash::Sha256, Encoding::Hex, secret, pieces!["nonce,", id])?;
    let nonce = talk
        .post()
        .path("/nonce")
        .form("client", id)
        .form("signature", signature)
        .send()?
        .at("/reply/nonce")?;
    let signature = talk.hmac(
        Hash::Sha256,
        Encoding::Base64,
        secret,
        pieces![presented, ",", nonce],
    )?;
    let inside = talk.encode(Encoding::Xml, presented)?;
    let body = pieces![
        format!("<ask kind=\"{what}\"><presented>"),
        inside,
        "</presented><nonce>",
        nonce,
        "</nonce><signature>",
        signature,
        "</signature></ask>"
    ];
    let answer = talk.post().body("text/xml", body).send()?;
    tokens(talk, &answer)
}

fn tokens(talk: &Conversation<'_>, answer: &Answer<'_, '_>) -> Result<Tokens, Fault> {
    if answer.is("/reply/@status", "601")? {
        return Err(talk.refused(
            "invalid_grant",
            "The vendor knows neither this code nor this token.",
        ));
    }
    Ok(Tokens::new(answer.at("/reply/access/#text")?)
        .refresh(answer.find("/reply/refresh")?)
        .lifetime(answer.find("/reply/access/@milliseconds")?, Unit::Milliseconds)
        .scopes(answer.find("/reply/scope")?)
        .about(answer.find("/reply/account")?))
}
