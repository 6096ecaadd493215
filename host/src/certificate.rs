//! The certificate under which this host speaks TLS: the operator's own (`[tls]`), or one that it
//! makes and signs itself in the data folder, for the names under which it can be reached.
//!
//! Made by `runtime` (a new data folder, and every start), used by `serve`, judged by the command
//! line. A file that is replaced is in force with the next connection. The key is read here and
//! nowhere else, and never printed.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use zeroize::Zeroizing;

use crate::config::Config;

/// How long a certificate of ours is good for.
const YEARS: i64 = 10;
/// One of ours that ends sooner is made anew at the next start.
const LEAST_DAYS: i64 = 30;

/// Where a certificate and its key lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The chain, PEM, ours first.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// Whether the host made them itself.
    pub own: bool,
}

impl Files {
    /// Those that the settings name, or those in the data folder.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        if let (Some(certificate), Some(key)) = (&config.tls.certificate_file, &config.tls.key_file) {
            return Self {
                certificate: certificate.clone(),
                key: key.clone(),
                own: false,
            };
        }
        let dir = config.storage.data_dir.join("tls");
        Self {
            certificate: dir.join("certificate.pem"),
            key: dir.join("key.pem"),
            own: true,
        }
    }

    /// The certificate's place, for programs that run in other folders.
    #[must_use]
    pub fn certificate_path(&self) -> PathBuf {
        std::path::absolute(&self.certificate).unwrap_or_else(|_| self.certificate.clone())
    }

    /// The command after which gRPC programs trust a certificate that no authority signed.
    #[must_use]
    pub fn trust_command(&self) -> String {
        format!(
            "export GRPC_DEFAULT_SSL_ROOTS_FILE_PATH={}",
            self.certificate_path().display()
        )
    }
}

/// Makes the host's own certificate where there is none, or one that is about to end or lacks a
/// name; an operator's is only looked for.
///
/// # Errors
/// A file cannot be written, or an operator's file is not there.
pub fn ensure(config: &Config, public_url: Option<&str>, now: Timestamp) -> anyhow::Result<Files> {
    let files = Files::of(config);
    let names = names(config, public_url);
    if !files.own {
        for file in [&files.certificate, &files.key] {
            fs::metadata(file).with_context(|| format!("[tls] names {}", file.display()))?;
        }
        return Ok(files);
    }
    if files.key.exists() && files.certificate.exists() {
        match still_good(&files, &names, now) {
            Ok(()) => return Ok(files),
            Err(why) => tracing::warn!(
                "a new certificate is made, because the one before {why}; programs that trusted that one must trust {}",
                files.certificate_path().display()
            ),
        }
    }
    make(&files, &names, now).with_context(|| {
        format!(
            "the certificate of this host cannot be made at {}",
            files.certificate.display()
        )
    })?;
    Ok(files)
}

/// The names that a certificate of ours is for.
fn names(config: &Config, public_url: Option<&str>) -> Vec<String> {
    let mut names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    let listen = config.server.listen.ip();
    if !listen.is_unspecified() {
        names.push(listen.to_string());
    }
    let public = public_url
        .and_then(|url| url.parse::<http::Uri>().ok())
        .and_then(|url| url.host().map(str::to_ascii_lowercase));
    if let Some(host) = public {
        names.push(host.trim_matches(['[', ']']).to_owned());
    }
    names.sort();
    names.dedup();
    names
}

fn still_good(files: &Files, names: &[String], now: Timestamp) -> Result<(), String> {
    let chain = chain(files).map_err(|error| format!("cannot be read ({error:#})"))?;
    let leaf = chain.first().ok_or("is empty")?;
    let (_, until) = validity(leaf).ok_or("has no dates")?;
    if until < now + Span::new().hours(24 * LEAST_DAYS) {
        return Err(format!("ends at {until}"));
    }
    let parsed = ParsedCertificate::try_from(leaf).map_err(|error| format!("is damaged ({error})"))?;
    for name in names {
        let known = ServerName::try_from(name.as_str())
            .is_ok_and(|server_name| verify_server_name(&parsed, &server_name).is_ok());
        if !known {
            return Err(format!("is not for `{name}`"));
        }
    }
    Ok(())
}

fn make(files: &Files, names: &[String], now: Timestamp) -> anyhow::Result<()> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let day = |date: jiff::civil::Date| {
        let part = |number: i8| u8::try_from(number).unwrap_or(1);
        date_time_ymd(date.year().into(), part(date.month()), part(date.day()))
    };
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "Valetkey");
    // Since yesterday: another machine's clock may be behind.
    params.not_before = day(today.checked_sub(Span::new().days(1))?);
    params.not_after = day(today.checked_add(Span::new().years(YEARS))?);
    // No key usages: with any, it would have to be allowed to sign itself, and clients that trust it
    // as their root look at that.
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;

    let dir = files.key.parent().context("the key has a folder")?;
    fs::create_dir_all(dir)?;
    let pem = Zeroizing::new(key.serialize_pem());
    replace(&files.key, pem.as_bytes(), 0o600)?;
    replace(&files.certificate, certificate.pem().as_bytes(), 0o644)
}

/// Writes a file that nobody ever sees half of.
fn replace(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    let new = path.with_extension("new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    Ok(())
}

/// From when and until when the certificate of a file is good.
///
/// # Errors
/// It cannot be read, or is no certificate.
pub fn dates(files: &Files) -> anyhow::Result<(Timestamp, Timestamp)> {
    let chain = chain(files)?;
    let leaf = chain.first().context("it holds no certificate")?;
    validity(leaf).context("its dates cannot be read")
}

fn chain(files: &Files) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let explain = || format!("{}: not a PEM file of certificates", files.certificate.display());
    CertificateDer::pem_file_iter(&files.certificate)
        .with_context(explain)?
        .collect::<Result<_, _>>()
        .with_context(explain)
}

/// A certificate in force.
pub struct Certificate {
    files: Files,
    current: ArcSwap<ServerConfig>,
    /// The files that were read last, also when they were not acceptable.
    seen: Mutex<Option<Stamp>>,
}

type Stamp = (SystemTime, SystemTime);

impl Certificate {
    /// Reads it.
    ///
    /// # Errors
    /// A file cannot be read, or the key is not the certificate's.
    pub fn open(files: Files) -> anyhow::Result<Self> {
        let seen = stamp(&files);
        Ok(Self {
            current: ArcSwap::from_pointee(read(&files)?),
            files,
            seen: Mutex::new(seen),
        })
    }

    /// Where it lies.
    #[must_use]
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// What a new connection is accepted with. Files that changed are read first; when they are
    /// not acceptable (one of two was written so far), the ones before stay in force.
    pub fn current(&self) -> Arc<ServerConfig> {
        let now = stamp(&self.files);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if now != *seen {
            *seen = now;
            match read(&self.files) {
                Ok(config) => {
                    self.current.store(Arc::new(config));
                    tracing::info!(file = %self.files.certificate.display(), "a new certificate is in force");
                }
                Err(error) => tracing::warn!("the certificate before stays in force: {error:#}"),
            }
        }
        self.current.load_full()
    }
}

fn stamp(files: &Files) -> Option<Stamp> {
    let of = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    Some((of(&files.certificate)?, of(&files.key)?))
}

fn read(files: &Files) -> anyhow::Result<ServerConfig> {
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .with_context(|| format!("{}: not a PEM file of a private key", files.key.display()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain(files)?, key)
        .with_context(|| {
            format!(
                "{} and {} do not belong together",
                files.certificate.display(),
                files.key.display()
            )
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// The dates of a certificate (RFC 5280 section 4.1): the fifth or fourth member of what is
/// signed, after an optional version, the serial number, the algorithm and the issuer.
fn validity(certificate: &[u8]) -> Option<(Timestamp, Timestamp)> {
    const VERSION: u8 = 0xa0;
    let (_, certificate, _) = element(certificate)?;
    let (_, signed, _) = element(certificate)?;
    let (first, _, after_first) = element(signed)?;
    let mut rest = if first == VERSION { after_first } else { signed };
    for _ in 0..3 {
        (_, _, rest) = element(rest)?;
    }
    let (_, dates, _) = element(rest)?;
    let (from_tag, from, rest) = element(dates)?;
    let (until_tag, until, _) = element(rest)?;
    Some((instant(from_tag, from)?, instant(until_tag, until)?))
}

/// One DER element: its tag, its content, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if digits.len() > 4 {
            return None;
        }
        let length = digits
            .iter()
            .fold(0_usize, |length, digit| (length << 8) | usize::from(*digit));
        (length, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// `YYMMDDHHMMSSZ` (until 2049) or `YYYYMMDDHHMMSSZ`.
fn instant(tag: u8, text: &[u8]) -> Option<Timestamp> {
    const UTC_TIME: u8 = 0x17;
    const GENERALIZED_TIME: u8 = 0x18;
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let whole = match tag {
        UTC_TIME if text.len() == 12 => {
            let century = if text < "50" { "20" } else { "19" };
            format!("{century}{text}")
        }
        GENERALIZED_TIME if text.len() == 14 => text.to_owned(),
        _ => return None,
    };
    let time = DateTime::strptime("%Y%m%d%H%M%S", &whole).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn config(dir: &Path) -> Config {
        let mut config = Config::default();
        config.storage.data_dir = dir.to_owned();
        config
    }

    fn now() -> Timestamp {
        "2030-05-06T07:08:09Z".parse().expect("a time")
    }

    #[test]
    fn a_certificate_of_our_own_has_every_name_and_a_key_for_us_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let config = config(dir.path());
        let files = ensure(&config, Some("https://keys.example.com:8443"), now()).expect("made");
        let mode = fs::metadata(&files.key).expect("a key").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let names = ["localhost", "127.0.0.1", "::1", "keys.example.com"].map(str::to_owned);
        assert_eq!(still_good(&files, &names, now()), Ok(()));
        let other = still_good(&files, &["other.example".to_owned()], now());
        assert!(other.expect_err("not for it").contains("other.example"));
        Certificate::open(files).expect("they belong together");
    }

    #[test]
    fn our_own_is_kept_while_it_serves_and_made_anew_when_it_does_not() {
        let dir = tempfile::tempdir().expect("a folder");
        let config = config(dir.path());
        let make = |url, now| {
            let files = ensure(&config, url, now).expect("a certificate");
            fs::read(files.certificate).expect("a file")
        };
        let first = make(None, now());
        assert_eq!(make(None, now()), first);
        let renamed = make(Some("https://keys.example.com"), now());
        assert_ne!(renamed, first);
        let later = now() + Span::new().hours(24 * (365 * YEARS - 10));
        assert_ne!(make(Some("https://keys.example.com"), later), renamed);
    }

    #[test]
    fn dates_are_read_as_they_were_written() {
        let dir = tempfile::tempdir().expect("a folder");
        let files = ensure(&config(dir.path()), None, now()).expect("made");
        let (from, until) = dates(&files).expect("dates");
        assert_eq!(from.to_string(), "2030-05-05T00:00:00Z");
        assert_eq!(until.to_string(), "2040-05-06T00:00:00Z");
        let after_2049 = instant(0x18, b"20510203040506Z").expect("a time");
        assert_eq!(after_2049.to_string(), "2051-02-03T04:05:06Z");
        for (tag, text) in [(0x17, "5102030405Z"), (0x18, "510203040506Z"), (0x02, "x")] {
            assert_eq!(instant(tag, text.as_bytes()), None, "{text}");
        }
        let der = chain(&files).expect("a chain");
        for length in 0..200 {
            // No cut of it makes us look beyond its end.
            let _ = validity(&der[0][..length]);
        }
    }

    #[test]
    fn a_file_that_is_replaced_is_in_force_and_one_half_is_not() {
        let dir = tempfile::tempdir().expect("a folder");
        let files = ensure(&config(dir.path()), None, now()).expect("made");
        let certificate = Certificate::open(files.clone()).expect("read");
        let before = certificate.current();
        assert!(Arc::ptr_eq(&before, &certificate.current()));

        let other = tempfile::tempdir().expect("a folder");
        let new = ensure(&config(other.path()), None, now()).expect("made");
        let copy = |from: &Path, to: &Path| {
            fs::copy(from, to).expect("copied");
            // Within the same tick of the file system's clock it would look unchanged.
            let file = fs::File::options().write(true).open(to).expect("a file");
            let now = file.metadata().and_then(|it| it.modified()).expect("a time");
            let later = now + std::time::Duration::from_secs(60);
            file.set_modified(later).expect("a time");
        };
        copy(&new.certificate, &files.certificate);
        assert!(
            Arc::ptr_eq(&before, &certificate.current()),
            "the key is another's"
        );
        copy(&new.key, &files.key);
        assert!(!Arc::ptr_eq(&before, &certificate.current()));
    }

    #[test]
    fn an_operators_file_that_is_not_there_is_named() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut config = config(dir.path());
        config.tls.certificate_file = Some(dir.path().join("mine.pem"));
        config.tls.key_file = Some(dir.path().join("mine.key"));
        let error = ensure(&config, None, now()).expect_err("not there");
        assert!(format!("{error:#}").contains("mine.pem"), "{error:#}");
    }
}
