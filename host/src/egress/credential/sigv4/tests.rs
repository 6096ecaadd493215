//! AWS's published examples: the Signature Version 4 test suite (service `service`), and the
//! examples of "Signature Calculations for the Authorization Header" of Amazon S3.

use http::Method;
use jiff::Timestamp;

use super::*;
use crate::egress::client::Payload;

struct Example {
    what: &'static str,
    method: Method,
    target: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    signature: &'static str,
}

impl Example {
    fn get(what: &'static str, target: &'static str, signature: &'static str) -> Self {
        Self {
            what,
            method: Method::GET,
            target,
            headers: &[],
            body: "",
            signature,
        }
    }
}

fn signer(service: &str, id: &str, key: &str) -> Signer {
    let declared = SigV4 {
        service: service.to_owned(),
        region: "{config.region}".to_owned(),
    };
    let inputs = Inputs {
        secret: [("secret_access_key".to_owned(), Secret::new(key.to_owned()))].into(),
        open: [("access_key_id".to_owned(), id.to_owned())].into(),
    };
    Signer::new(&declared, &inputs).unwrap()
}

fn authorization(signer: &Signer, host: &str, at: &str, example: &Example) -> String {
    let mut headers = HeaderMap::new();
    for (name, value) in example.headers {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let mut draft = Draft {
        method: &example.method,
        authority: &host.parse().unwrap(),
        target: example.target.to_owned(),
        headers,
        body: &Payload::Bytes(example.body.into()),
        now: at.parse::<Timestamp>().unwrap(),
    };
    let config = BTreeMap::from([("region".to_owned(), "us-east-1".to_owned())]);
    assert!(signer.sign(&mut draft, &config).is_ok());
    draft.headers[AUTHORIZATION].to_str().unwrap().to_owned()
}

#[test]
fn the_test_suite_of_aws_gives_its_signatures() {
    let signer = signer(
        "service",
        "AKIDEXAMPLE",
        "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    );
    let examples = [
        Example::get(
            "get-vanilla",
            "/",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        Example::get(
            "get-vanilla-query-order-key-case",
            "/?Param2=value2&Param1=value1",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        Example::get(
            "get-vanilla-utf8-query",
            "/?%E1%88%B4=bar",
            "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
        ),
        Example {
            method: Method::POST,
            ..Example::get(
                "post-vanilla",
                "/",
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            )
        },
        Example {
            method: Method::POST,
            headers: &[("content-type", "application/x-www-form-urlencoded")],
            body: "Param1=value1",
            ..Example::get(
                "post-x-www-form-urlencoded",
                "/",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            )
        },
    ];
    for example in &examples {
        let sent = authorization(&signer, "example.amazonaws.com", "2015-08-30T12:36:00Z", example);
        assert!(
            sent.ends_with(&format!("Signature={}", example.signature)),
            "{}: {sent}",
            example.what
        );
    }
}

#[test]
fn the_examples_of_s3_give_their_signatures() {
    let signer = signer(
        "s3",
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    );
    let examples = [
        Example {
            headers: &[("range", "bytes=0-9")],
            ..Example::get(
                "GET Object",
                "/test.txt",
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            )
        },
        Example {
            method: Method::PUT,
            headers: &[
                ("date", "Fri, 24 May 2013 00:00:00 GMT"),
                ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ],
            body: "Welcome to Amazon S3.",
            ..Example::get(
                "PUT Object",
                "/test$file.text",
                "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            )
        },
        Example::get(
            "GET Bucket Lifecycle",
            "/?lifecycle",
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        Example::get(
            "GET Bucket (List Objects)",
            "/?max-keys=2&prefix=J",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ];
    for example in &examples {
        let host = "examplebucket.s3.amazonaws.com";
        let sent = authorization(&signer, host, "2013-05-24T00:00:00Z", example);
        assert!(
            sent.ends_with(&format!("Signature={}", example.signature)),
            "{}: {sent}",
            example.what
        );
    }
}
