// JSON as text: looking into it and taking parts of it without making values of it, so that a number that
// JavaScript cannot hold stays as it was written. Every text here is JSON already.

const STRUCTURE = /["[\]{}]/g;
const SPACE = /[ \t\n\r]*/y;
const SCALAR = /[^ \t\n\r,:[\]{}]*/y;

/** The text at a JSON pointer (RFC 6901); undefined when there is nothing. */
export function find(text, pointer) {
  const steps = pointer === "" ? [] : pointer.replace(/^\//, "").split("/");
  return follow(
    text,
    steps.map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~")),
    true,
  );
}

/** The text at a path of members; undefined when there is nothing. */
export function member(text, names) {
  return follow(text, names, false);
}

/** The elements of an array, each as text; undefined when it is no array. */
export function elements(text) {
  const start = space(text, 0);
  return text[start] === "[" ? [...inside(text, start)].map(({ value }) => part(text, value)) : undefined;
}

/** The members of an object as pairs of name and text, sorted by name. */
export function members(text) {
  const pairs = [...inside(text, space(text, 0))].map(({ name, value }) => [JSON.parse(name), part(text, value)]);
  return pairs.sort(([one], [other]) => (one < other ? -1 : Number(one > other)));
}

/** A copy without the members of these names at any depth, and without white space. */
export function without(text, names) {
  // In one pass: this is what a call of a declared tool spends its time on.
  const pieces = [];
  const isObject = [];
  let keptFrom = 0;
  let atName = false;
  let at = 0;
  const keepUpTo = (end) => {
    if (end > keptFrom) pieces.push(text.slice(keptFrom, end));
  };
  while (at < text.length) {
    const start = at;
    at += 1;
    switch (text[start]) {
      case '"':
        at = endOfString(text, start);
        if (atName && names.includes(text.slice(start + 1, at - 1))) {
          keepUpTo(start);
          const value = space(text, space(text, at) + 1);
          at = space(text, endOfValue(text, value));
          if (text[at] === ",") at += 1;
          keptFrom = at;
        } else {
          atName = false;
        }
        break;
      case " ":
      case "\t":
      case "\n":
      case "\r":
        keepUpTo(start);
        keptFrom = at;
        break;
      case "{":
      case "[":
        atName = text[start] === "{";
        isObject.push(atName);
        break;
      case "}":
      case "]":
        isObject.pop();
        atName = false;
        keepUpTo(start);
        keptFrom = start;
        // The last member was dropped.
        if (pieces.at(-1)?.endsWith(",")) pieces.push(pieces.pop().slice(0, -1));
        break;
      case ",":
        atName = isObject.at(-1);
        break;
    }
  }
  keepUpTo(text.length);
  return pieces.join("");
}

function follow(text, steps, intoArrays) {
  let start = space(text, 0);
  for (const step of steps) {
    let found;
    if (text[start] === "{") {
      for (const { name, value } of inside(text, start)) {
        if (JSON.parse(name) === step) found = value;
      }
    } else if (text[start] === "[" && intoArrays && /^\d+$/.test(step)) {
      found = [...inside(text, start)][Number(step)]?.value;
    }
    if (found === undefined) return undefined;
    start = found;
  }
  return part(text, start);
}

/** What is in the object or array at `start`: where each value begins, and the name before it as it is written. */
function* inside(text, start) {
  const isObject = text[start] === "{";
  let at = space(text, start + 1);
  while (text[at] !== "}" && text[at] !== "]") {
    let name;
    if (isObject) {
      const end = endOfString(text, at);
      name = text.slice(at, end);
      at = space(text, space(text, end) + 1);
    }
    yield { name, value: at };
    at = space(text, endOfValue(text, at));
    if (text[at] === ",") at = space(text, at + 1);
  }
}

function part(text, start) {
  return text.slice(start, endOfValue(text, start));
}

function space(text, at) {
  SPACE.lastIndex = at;
  SPACE.test(text);
  return SPACE.lastIndex;
}

function endOfString(text, start) {
  for (let from = start + 1; ; ) {
    const quote = text.indexOf('"', from);
    let escapes = 0;
    while (text[quote - 1 - escapes] === "\\") escapes += 1;
    if (escapes % 2 === 0) return quote + 1;
    from = quote + 1;
  }
}

function endOfValue(text, start) {
  if (text[start] === '"') return endOfString(text, start);
  if (text[start] !== "{" && text[start] !== "[") {
    SCALAR.lastIndex = start;
    SCALAR.test(text);
    return SCALAR.lastIndex;
  }
  let depth = 0;
  for (let at = start; ; ) {
    STRUCTURE.lastIndex = at;
    const [found] = STRUCTURE.exec(text);
    at = STRUCTURE.lastIndex;
    if (found === '"') at = endOfString(text, at - 1);
    else depth += found === "{" || found === "[" ? 1 : -1;
    if (depth === 0) return at;
  }
}
