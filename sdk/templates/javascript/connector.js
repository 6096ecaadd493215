// The tools of the acme connector that are code. The others run by their declaration in
// connector.toml.

import { segment } from "@valetkey/guest";

/** @type {import("./inputs.js").Tools} */
export const tools = {
  /** Adds a tag to those that the thing has. */
  acme_thing_tag(call, { thing_id, tag }) {
    const path = `/things/${segment("thing_id", thing_id)}`;
    const { tags = [] } = call.get("api", path).json();
    const json = { tags: tags.includes(tag) ? tags : [...tags, tag] };
    const changed = call.patch("api", path, { json }).json();
    return { tags: changed.tags };
  },
};
