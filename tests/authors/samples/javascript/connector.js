// The sample connector in JavaScript.

import { Fault, page, segment } from "@valetkey/guest";

const SEARCH = `query Notes($after: String, $first: Int!, $word: String!) {
  notes(after: $after, first: $first, word: $word) { nodes { id text } next }
}`;

/** @type {import("./inputs.js").Tools} */
export const tools = {
  sample_note_label(call, { note_id, label }) {
    const trimmed = label.trim();
    if (trimmed === "") throw Fault.invalid("/label", "is empty; give a word");
    const answer = call.declared({ note_id, label: trimmed }).json();
    return { label: answer.label, shown: `#${trimmed}` };
  },

  sample_file_attach(call, { note_id, name, content }) {
    const multipart = [
      { name: "title", value: name },
      { name: "file", value: content, filename: name, contentType: "text/plain; charset=utf-8" },
    ];
    const file = call.post("api", `/notes/${segment("note_id", note_id)}/files`, { multipart }).json();
    return { id: file.id, bytes: file.bytes };
  },

  sample_notes_search(call, { word }) {
    const variables = { after: call.page.token ?? null, first: call.page.size ?? 2, word };
    const { notes } = call.graphql("api", "/graphql", SEARCH, variables);
    return page({ notes: notes.nodes }, notes.next);
  },

  sample_note_delete(call, { note_id }) {
    if (!note_id.startsWith("n")) throw Fault.invalid("/note_id", 'is no note\'s id; those begin with "n"');
    call.delete("api", `/notes/${segment("note_id", note_id)}`);
    return { deleted: note_id };
  },

  sample_notes_compare(call, { note_ids }) {
    const requests = note_ids.map((id) => {
      const path = `/notes/${segment("note_ids", id)}`;
      return { method: /** @type {const} */ ("GET"), endpoint: "api", path, query: { fields: "id" } };
    });
    const answers = call.sendAll(requests);
    const found = answers.flatMap((answer) => (answer instanceof Fault ? [] : [answer.json().id]));
    const missing = answers.flatMap((answer, index) =>
      answer instanceof Fault ? [{ id: note_ids[index], code: answer.code, message: answer.message }] : [],
    );
    call.log("info", `${found.length} of ${note_ids.length} notes`);
    // The language's own clock and randomness are the host's.
    const die = Array.from({ length: 8 }, () => Math.floor(Math.random() * 256));
    return { found, missing, now_ms: Date.now(), die };
  },

  sample_scan_replace(call, { note_id, file }) {
    const path = `/notes/${segment("note_id", note_id)}/scan`;
    const { name, size } = call.file(file);
    const wanted = { name: "before.txt", contentTypes: ["text/*"], maxBytes: 1000 };
    const kept = call.receive({ method: "GET", endpoint: "api", path }, wanted);
    call.sendFile({ method: "PUT", endpoint: "api", path }, file);
    return { sent: { name, size }, kept };
  },
};
