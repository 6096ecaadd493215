/** Names of members here and on the wire. Free-form JSON (a tool's params, its data, schemas) is left alone. */
import { shapes } from "./generated/types.js";

/** A type whose members have other names on the wire. */
export type Shape = keyof typeof shapes;

/** What a place on the wire holds. Without a shape: free-form JSON. */
export interface Place {
  readonly shape?: Shape;
  /** Or something in others' words, which is left alone. It lacks what the shape requires. */
  readonly alternative?: true;
}

interface Member extends Place {
  readonly wire: string;
  readonly optional?: true;
}

interface NamedMember extends Member {
  readonly name: string;
}

const byName = shapes as Readonly<Record<Shape, Readonly<Record<string, Member>>>>;

const byWire = new Map<Shape, Map<string, NamedMember>>();

/** A value of this package as the wire has it. */
export function toWire(value: unknown, place: Place): unknown {
  const { shape } = place;
  if (shape === undefined || value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item) => toWire(item, place));
  const members = byName[shape];
  const out: Record<string, unknown> = {};
  for (const [name, own] of Object.entries(value)) {
    if (own === undefined) continue;
    // A member that this shape does not have goes as it is, for the host to refuse by its name.
    const member = Object.hasOwn(members, name) ? members[name] : undefined;
    out[member?.wire ?? name] = toWire(own, member ?? {});
  }
  return out;
}

/** A value of the wire as this package has it. An optional member that is null is absent. */
export function fromWire(value: unknown, place: Place): unknown {
  const { shape } = place;
  if (shape === undefined || value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item) => fromWire(item, place));
  const members = wireMembers(shape);
  if (place.alternative === true) {
    for (const [wire, { optional }] of members) if (optional !== true && !(wire in value)) return value;
  }
  const out: Record<string, unknown> = {};
  for (const [wire, own] of Object.entries(value)) {
    const member = members.get(wire);
    if (own === null && member?.optional === true) continue;
    // A newer host may say more than this version knows.
    out[member?.name ?? camel(wire)] = fromWire(own, member ?? {});
  }
  return out;
}

function wireMembers(shape: Shape): Map<string, NamedMember> {
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
