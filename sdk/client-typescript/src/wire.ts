/** Names of members here and on the wire. Free-form JSON (a tool's params, its data, schemas) is left alone. */
import { shapes } from "./generated/types.js";

/** A type whose members have other names on the wire. */
export type Shape = keyof typeof shapes;

interface Member {
  readonly wire: string;
  readonly shape?: Shape;
  readonly optional?: true;
}

const byName = shapes as Readonly<Record<Shape, Readonly<Record<string, Member>>>>;

const byWire = new Map<Shape, Map<string, Member & { readonly name: string }>>();

/** A value of this package as the wire has it. */
export function toWire(value: unknown, shape: Shape | undefined): unknown {
  if (shape === undefined || value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item) => toWire(item, shape));
  const members = byName[shape];
  const out: Record<string, unknown> = {};
  for (const [name, own] of Object.entries(value)) {
    if (own === undefined) continue;
    // A member that this shape does not have goes as it is, for the host to refuse by its name.
    const member = Object.hasOwn(members, name) ? members[name] : undefined;
    out[member?.wire ?? name] = toWire(own, member?.shape);
  }
  return out;
}

/** A value of the wire as this package has it. An optional member that is null is absent. */
export function fromWire(value: unknown, shape: Shape | undefined): unknown {
  if (shape === undefined || value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item) => fromWire(item, shape));
  const members = wireMembers(shape);
  const out: Record<string, unknown> = {};
  for (const [wire, own] of Object.entries(value)) {
    const member = members.get(wire);
    if (own === null && member?.optional === true) continue;
    // A newer host may say more than this version knows.
    out[member?.name ?? camel(wire)] = fromWire(own, member?.shape);
  }
  return out;
}

function wireMembers(shape: Shape): Map<string, Member & { readonly name: string }> {
  let members = byWire.get(shape);
  if (members === undefined) {
    members = new Map(
      Object.entries(byName[shape]).map(([name, member]) => [member.wire, { ...member, name }]),
    );
    byWire.set(shape, members);
  }
  return members;
}

function camel(name: string): string {
  return name.replace(/_+([a-z0-9])/g, (_, first: string) => first.toUpperCase());
}
