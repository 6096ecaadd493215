//! Reading a vendor's body: identity or gzip, bounded in decoded bytes, in the ratio of decoded
//! to encoded bytes, in time between pieces and in time altogether.
//!
//! Called by [`super::client`]. Memory stays within the cap whatever the vendor sends.

use std::io::{self, Write};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use flate2::write::GzDecoder;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::time::{Instant, timeout_at};

use crate::files::Full;

/// Decoded bytes before the ratio counts: small answers compress as well as they like.
const RATIO_FREE_BYTES: usize = 1024 * 1024;

/// Bounds of one body.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Decoded bytes.
    pub max_bytes: usize,
    /// Decoded to encoded bytes past the first MiB.
    pub max_ratio: usize,
    /// Longest pause between two pieces.
    pub idle: Duration,
    /// When it must be over.
    pub until: Instant,
    /// Whether gzip was offered; if not, any encoding is a breach of protocol.
    pub gzip_offered: bool,
}

/// Why an answer was not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// More bytes than allowed.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// Expands suspiciously.
    #[error("the body expands more than {0} times")]
    Ratio(usize),
    /// More headers than allowed, in bytes or in number.
    #[error("the answer's headers are larger than allowed")]
    Head,
    /// An encoding that was not asked for: its name, if it is one that exists. Anything else is the
    /// vendor's own words, which may hold what it was sent.
    #[error("the body's encoding ({0}) was not asked for")]
    Encoding(&'static str),
    /// Not the gzip it claims to be.
    #[error("the body is not valid gzip")]
    Gzip(#[source] io::Error),
    /// Broken off, or framed wrongly.
    #[error("the body broke off")]
    Broken(#[source] hyper::Error),
    /// No further piece in time.
    #[error("the body stalled")]
    Stalled,
    /// Of a content type that is not kept.
    #[error("the body's content type is not one that is kept")]
    Unwanted,
    /// It cannot be kept.
    #[error("the body cannot be kept")]
    Full(#[from] Full),
}

/// Reads a whole body.
///
/// # Errors
/// The bound that it broke.
pub async fn read(headers: &HeaderMap, mut body: Incoming, bounds: &Bounds) -> Result<Bytes, BodyError> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let gzip = is_gzip(headers, bounds.gzip_offered)?;
    let declared = body
        .size_hint()
        .exact()
        .and_then(|exact| usize::try_from(exact).ok());
    if declared.is_some_and(|declared| declared > bounds.max_bytes) {
        return Err(BodyError::TooLarge(bounds.max_bytes));
    }
    let mut sink = if gzip {
        Sink::Gzip(Box::new(Gunzip::new(bounds)))
    } else {
        Sink::Empty
    };
    loop {
        let by = bounds.until.min(Instant::now() + bounds.idle);
        let piece = match timeout_at(by, body.frame()).await {
            Err(_) => return Err(BodyError::Stalled),
            Ok(None) => return sink.finish(),
            Ok(Some(Err(error))) => return Err(BodyError::Broken(error)),
            Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
        };
        sink.push(piece, declared, bounds)?;
    }
}

/// For a body that is passed on as it comes.
///
/// # Errors
/// It is encoded all the same.
pub fn expect_identity(headers: &HeaderMap) -> Result<(), BodyError> {
    is_gzip(headers, false).map(drop)
}

fn is_gzip(headers: &HeaderMap, offered: bool) -> Result<bool, BodyError> {
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    let Some(first) = encodings.next() else {
        return Ok(false);
    };
    let text = first.to_str().unwrap_or("(not text)").trim();
    if encodings.next().is_none() {
        if text.is_empty() || text.eq_ignore_ascii_case("identity") {
            return Ok(false);
        }
        if offered && (text.eq_ignore_ascii_case("gzip") || text.eq_ignore_ascii_case("x-gzip")) {
            return Ok(true);
        }
    }
    let known = ["br", "compress", "deflate", "gzip", "zstd"];
    let named = known.into_iter().find(|known| text.eq_ignore_ascii_case(known));
    Err(BodyError::Encoding(named.unwrap_or("unknown")))
}

/// Collects pieces; the usual body of one piece is handed on without a copy.
enum Sink {
    Empty,
    One(Bytes),
    Many(BytesMut),
    Gzip(Box<Gunzip>),
}

impl Sink {
    fn push(&mut self, piece: Bytes, declared: Option<usize>, bounds: &Bounds) -> Result<(), BodyError> {
        if piece.is_empty() {
            return Ok(());
        }
        let held = match self {
            Self::Gzip(gunzip) => return gunzip.push(&piece),
            Self::Empty => 0,
            Self::One(first) => first.len(),
            Self::Many(all) => all.len(),
        };
        if held + piece.len() > bounds.max_bytes {
            return Err(BodyError::TooLarge(bounds.max_bytes));
        }
        match self {
            Self::Empty => *self = Self::One(piece),
            Self::One(first) => {
                let mut all = BytesMut::with_capacity(declared.unwrap_or(2 * (held + piece.len())));
                all.extend_from_slice(first);
                all.extend_from_slice(&piece);
                *self = Self::Many(all);
            }
            Self::Many(all) => all.extend_from_slice(&piece),
            Self::Gzip(_) => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<Bytes, BodyError> {
        match self {
            Self::Empty => Ok(Bytes::new()),
            Self::One(bytes) => Ok(bytes),
            Self::Many(all) => Ok(all.freeze()),
            Self::Gzip(gunzip) => gunzip.finish(),
        }
    }
}

struct Gunzip {
    decoder: GzDecoder<Capped>,
    max_encoded: usize,
}

impl Gunzip {
    fn new(bounds: &Bounds) -> Self {
        let capped = Capped {
            decoded: Vec::new(),
            encoded: 0,
            max_bytes: bounds.max_bytes,
            max_ratio: bounds.max_ratio,
            broke: None,
        };
        Self {
            decoder: GzDecoder::new(capped),
            max_encoded: bounds.max_bytes,
        }
    }

    fn push(&mut self, mut piece: &[u8]) -> Result<(), BodyError> {
        let capped = self.decoder.get_mut();
        capped.encoded += piece.len();
        if capped.encoded > self.max_encoded {
            return Err(BodyError::TooLarge(self.max_encoded));
        }
        while !piece.is_empty() {
            match self.decoder.write(piece) {
                // The member has ended and something follows it.
                Ok(0) => return Err(BodyError::Gzip(io::ErrorKind::InvalidData.into())),
                Ok(taken) => piece = &piece[taken..],
                Err(error) => return Err(self.explain(error)),
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Bytes, BodyError> {
        if self.decoder.get_ref().encoded == 0 {
            return Ok(Bytes::new());
        }
        if let Err(error) = self.decoder.try_finish() {
            return Err(self.explain(error));
        }
        Ok(Bytes::from(std::mem::take(&mut self.decoder.get_mut().decoded)))
    }

    fn explain(&mut self, error: io::Error) -> BodyError {
        self.decoder
            .get_mut()
            .broke
            .take()
            .unwrap_or(BodyError::Gzip(error))
    }
}

/// Where decoded bytes go until a bound breaks.
struct Capped {
    decoded: Vec<u8>,
    encoded: usize,
    max_bytes: usize,
    max_ratio: usize,
    broke: Option<BodyError>,
}

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let total = self.decoded.len() + bytes.len();
        let broke = if total > self.max_bytes {
            BodyError::TooLarge(self.max_bytes)
        } else if total > RATIO_FREE_BYTES && total / self.max_ratio.max(1) > self.encoded {
            BodyError::Ratio(self.max_ratio)
        } else {
            if total > self.decoded.capacity() {
                // Doubling, but never past the cap: a bomb must not cost twice its limit.
                let wanted = (2 * self.decoded.capacity()).clamp(total, self.max_bytes.max(total));
                self.decoded.reserve_exact(wanted - self.decoded.len());
            }
            self.decoded.extend_from_slice(bytes);
            return Ok(bytes.len());
        };
        self.broke = Some(broke);
        Err(io::ErrorKind::FileTooLarge.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
