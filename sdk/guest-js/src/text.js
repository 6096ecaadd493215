// Texts and bytes. The runtime inside a component has no TextEncoder and no TextDecoder.

/** The UTF-8 bytes of a text; what is no character becomes U+FFFD. */
export function encode(text) {
  const binary = unescape(encodeURIComponent(text.toWellFormed()));
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/** The text of UTF-8 bytes; undefined when they are something else. */
export function decode(bytes) {
  try {
    return decodeURIComponent(escape(binary(bytes)));
  } catch {
    return undefined;
  }
}

/** The text of bytes, with U+FFFD for what is no UTF-8. */
export function decodeLossy(bytes) {
  const text = decode(bytes);
  if (text !== undefined) return text;
  let out = "";
  for (let at = 0; at < bytes.length; ) {
    const length = sequence(bytes, at);
    out += length > 0 ? decode(bytes.subarray(at, at + length)) : "\ufffd";
    at += length > 0 ? length : subpart(bytes, at);
  }
  return out;
}

/** At most `limit` UTF-8 bytes from a text's beginning, whole characters. */
export function cut(text, limit) {
  let bytes = 0;
  let at = 0;
  for (const letter of text) {
    const code = letter.codePointAt(0);
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (bytes > limit) return text.slice(0, at);
    at += letter.length;
  }
  return text;
}

/** A text in quotation marks, on one line and at most `limit` bytes of it. */
export function quote(text, limit) {
  const whole = text.replace(/^[\s\u0085]+|[\s\u0085]+$/g, "");
  const shown = cut(whole, limit);
  // eslint-disable-next-line no-control-regex -- these are what it replaces
  const line = shown.replace(/[\u0000-\u001f\u007f-\u009f]/g, " ");
  return `"${line}${shown.length < whole.length ? "…" : ""}"`;
}

/** Percent-encodes everything but unreserved characters (RFC 3986 section 2.3). */
export function percentEncode(text) {
  const rest = (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, rest);
}

/** Pairs as `application/x-www-form-urlencoded`. */
export function formEncode(pairs) {
  const encoded = (text) => percentEncode(text).replaceAll("%20", "+");
  return pairs.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join("&");
}

/** Bytes as a text of their values; in parts, because arguments are limited. */
function binary(bytes) {
  let out = "";
  for (let at = 0; at < bytes.length; at += 4096) {
    out += String.fromCharCode.apply(null, bytes.subarray(at, at + 4096));
  }
  return out;
}

/** The least and greatest second byte of a sequence that this byte begins, and its length. */
function lead(byte) {
  if (byte < 0x80) return [0, 0, 1];
  if (byte >= 0xc2 && byte <= 0xdf) return [0x80, 0xbf, 2];
  if (byte >= 0xe0 && byte <= 0xef) return [byte === 0xe0 ? 0xa0 : 0x80, byte === 0xed ? 0x9f : 0xbf, 3];
  if (byte >= 0xf0 && byte <= 0xf4) return [byte === 0xf0 ? 0x90 : 0x80, byte === 0xf4 ? 0x8f : 0xbf, 4];
  return [0, 0, 0];
}

/** How many bytes from `at` on are the beginning of one character. */
function subpart(bytes, at) {
  const [least, greatest, length] = lead(bytes[at]);
  let taken = 1;
  while (taken < length) {
    const byte = bytes[at + taken];
    const fits = taken === 1 ? byte >= least && byte <= greatest : byte >= 0x80 && byte <= 0xbf;
    if (!fits) break;
    taken += 1;
  }
  return taken;
}

/** The length of the character at `at`; 0 when there is none. */
function sequence(bytes, at) {
  const [, , length] = lead(bytes[at]);
  return length > 0 && subpart(bytes, at) === length ? length : 0;
}
