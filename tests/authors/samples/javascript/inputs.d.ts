// Made by `valetkey connector build` from connector.toml.

import type { Tools as ToolsOf } from "@valetkey/guest";

/** The inputs of the tools, as the host gives them. */
export interface Inputs {
  sample_note_add: {
    /** The color of the paper. */
    color: "yellow" | "blue";
    /** A number of your own. */
    reference?: number;
    /** Words to find the note by. */
    tags?: Array<string>;
    /** What the note says. */
    text: string;
    /** The weight of the paper in grams. */
    weight?: number;
  };
  sample_notes_list: Record<string, never>;
  sample_note_label: {
    /** The label. */
    label: string;
    /** Id of the note, for example "n1". */
    note_id: string;
  };
  sample_file_attach: {
    /** The file's text. */
    content: string;
    /** Name of the file, for example "plan.txt". */
    name: string;
    /** Id of the note. */
    note_id: string;
  };
  sample_notes_search: {
    /** The word. */
    word: string;
  };
  sample_note_delete: {
    /** Id of the note. */
    note_id: string;
  };
  sample_notes_compare: {
    /** Ids of the notes. */
    note_ids: Array<string>;
  };
  sample_scan_replace: {
    /** The new scan, by its id. */
    file: string;
    /** Id of the note. */
    note_id: string;
  };
}

/** The connector's functions. */
export type Tools = ToolsOf<Inputs>;
