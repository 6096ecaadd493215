// Why a tool call did not succeed, in words that a model can act on.

import { find } from "./json.js";
import { cut, decode, decodeLossy, quote } from "./text.js";

/** Where vendors keep their code, as a rule. */
const USUAL_CODES = [
  "/error/status",
  "/error/code",
  "/code",
  "/category",
  "/errors/0/code",
  "/errors/0/extensions/code",
];

/** Where vendors keep their text, as a rule. */
const USUAL_MESSAGES = [
  "/error/message",
  "/message",
  "/error_description",
  "/errors/0/message",
  "/errors/0",
  "/error",
  "/detail",
];

const NEXT_STEPS = {
  account_not_active: "The account's owner has to connect it again.",
  scope_missing: "The account's owner has to connect it again and grant the missing scope.",
  vendor_forbidden: "The connected account may not do this; ask its owner for access or choose something else.",
  vendor_not_found: "Check the id: a search or list tool finds the valid ones.",
  vendor_conflict: "It exists already or has changed meanwhile: read it again, then decide.",
  rate_limited: "Wait before calling again.",
  vendor_unavailable: "The parameters are not the reason; try again later.",
  vendor_timeout: "The parameters are not the reason; try again later.",
};

export class Fault extends Error {
  constructor(code, message, details = {}) {
    super(message);
    this.name = "Fault";
    this.code = code;
    this.status = details.status;
    this.vendorCode = details.vendorCode;
    this.retryAfterMs = details.retryAfterMs;
    this.problems = details.problems ?? [];
  }

  static invalid(pointer, problem) {
    const name = pointer.replace(/^\/+/, "");
    return new Fault("invalid_input", `\`${name}\` ${problem}.`, { problems: [[pointer, problem]] });
  }

  static fromResponse(response, errors) {
    const body = json(response.body);
    const vendorCode = first(body, errors?.code ?? [], USUAL_CODES);
    const words = first(body, errors?.message ?? [], USUAL_MESSAGES) ?? (body === undefined ? plainText(response) : undefined);
    const rule = (errors?.map ?? []).find(
      (rule) =>
        (rule.status == null || rule.status === response.status) && (rule.code == null || rule.code === vendorCode),
    );
    const code = rule?.kind ?? codeOf(response.status);

    let message = `The vendor answered ${response.status}`;
    if (vendorCode !== undefined) message += ` (${cut(vendorCode, 100)})`;
    if (words !== undefined) message += `: ${quote(words, 1000)}`;
    message += `. ${rule?.hint ?? NEXT_STEPS[code] ?? "Change the parameters as it says, then call again."}`;
    const seconds = response.header("retry-after")?.trim();
    return new Fault(code, message, {
      status: response.status,
      vendorCode,
      retryAfterMs: /^\d+$/.test(seconds ?? "") ? Number(seconds) * 1000 : undefined,
    });
  }

  /** The fault of a success whose body is not the JSON that was expected. */
  static notJson(response, problem) {
    const message =
      `The vendor answered ${response.status} with something other than the JSON that was expected (${problem}): ` +
      `${quote(decodeLossy(response.body), 200)}. The parameters are not the reason; try again later.`;
    return new Fault("vendor_unavailable", message, { status: response.status });
  }
}

function json(bytes) {
  const text = decode(bytes);
  try {
    JSON.parse(text);
    return text;
  } catch {
    return undefined;
  }
}

function first(body, declared, usual) {
  if (body === undefined) return undefined;
  for (const pointer of declared.length > 0 ? declared : usual) {
    const found = find(body, pointer);
    if (found === undefined || found === '""') continue;
    if (found.startsWith('"')) return JSON.parse(found);
    if (/^[-\d]/.test(found)) return found;
  }
  return undefined;
}

function plainText(response) {
  const isText = response.header("content-type")?.startsWith("text/plain") ?? true;
  return isText && response.body.length > 0 ? decodeLossy(response.body) : undefined;
}

function codeOf(status) {
  if (status === 401) return "account_not_active";
  if (status === 403) return "vendor_forbidden";
  if (status === 404 || status === 410) return "vendor_not_found";
  if (status === 409 || status === 412) return "vendor_conflict";
  if (status === 429) return "rate_limited";
  return status >= 500 ? "vendor_unavailable" : "vendor_rejected";
}
