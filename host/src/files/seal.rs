//! A file's bytes on the disk: pieces of 64 KiB, each sealed with AES-256-GCM under the file's own
//! key. A piece's number is its nonce, and whether it is the last is authenticated with it, so that
//! pieces cannot be left out, repeated or exchanged, and an end cannot be cut off.

use std::io::{self, Read, Write};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::secret::SecretBytes;

/// Plain bytes of a piece.
pub(super) const PIECE: usize = 64 * 1024;
/// What sealing adds to a piece.
const TAG: usize = 16;
const KEY: usize = 32;

/// A key for one file.
pub(super) fn new_key() -> SecretBytes {
    let mut key = vec![0; KEY];
    crate::random::fill(&mut key);
    SecretBytes::new(key)
}

/// One direction through one file.
pub(super) struct Pieces {
    key: LessSafeKey,
    number: u64,
}

impl Pieces {
    pub fn new(key: &SecretBytes) -> io::Result<Self> {
        let key = UnboundKey::new(&AES_256_GCM, key.expose()).map_err(|_| broken("its key is none"))?;
        Ok(Self {
            key: LessSafeKey::new(key),
            number: 0,
        })
    }

    fn nonce(&mut self) -> Nonce {
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&self.number.to_be_bytes());
        self.number += 1;
        Nonce::assume_unique_for_key(nonce)
    }

    /// Seals a piece and writes it.
    pub fn write(&mut self, mut piece: Vec<u8>, last: bool, into: &mut impl Write) -> io::Result<()> {
        let nonce = self.nonce();
        self.key
            .seal_in_place_append_tag(nonce, Aad::from([u8::from(last)]), &mut piece)
            .map_err(|_| broken("a piece could not be sealed"))?;
        into.write_all(&piece)
    }

    /// Reads the next piece and opens it.
    pub fn read(&mut self, plain: usize, last: bool, from: &mut impl Read) -> io::Result<Vec<u8>> {
        let mut piece = vec![0; plain + TAG];
        from.read_exact(&mut piece)?;
        let nonce = self.nonce();
        let opened = self
            .key
            .open_in_place(nonce, Aad::from([u8::from(last)]), &mut piece);
        let length = opened.map_err(|_| broken("a piece was altered"))?.len();
        piece.truncate(length);
        Ok(piece)
    }
}

fn broken(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_open_in_their_place_alone() {
        let key = new_key();
        let mut disk = Vec::new();
        let mut writing = Pieces::new(&key).unwrap();
        writing.write(vec![1; PIECE], false, &mut disk).unwrap();
        writing.write(vec![2; 10], true, &mut disk).unwrap();
        assert_eq!(disk.len(), PIECE + 10 + 2 * TAG);
        let first = PIECE + TAG;

        let mut reading = Pieces::new(&key).unwrap();
        assert_eq!(reading.read(PIECE, false, &mut &disk[..]).unwrap(), [1; PIECE]);
        assert_eq!(reading.read(10, true, &mut &disk[first..]).unwrap(), [2; 10]);
        // Cut off after the first, begun with the second, changed, under another key.
        let refused = |bytes: &[u8], key: &SecretBytes, plain, last| {
            Pieces::new(key)
                .unwrap()
                .read(plain, last, &mut &bytes[..])
                .is_err()
        };
        assert!(refused(&disk, &key, PIECE, true));
        assert!(refused(&disk[first..], &key, 10, true));
        assert!(refused(&disk, &new_key(), PIECE, false));
        disk[5] ^= 1;
        assert!(refused(&disk, &key, PIECE, false));
    }
}
