/** Lists as what they are to a program: items that come one by one, pages that are fetched when they are read. */

/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** For the page after it; absent on the last. */
  readonly nextCursor?: string;
}

/**
 * A list of the host. Nothing is fetched before it is read:
 * `for await (const item of list)`, `await list.all()`, or page by page.
 */
export class List<T> implements AsyncIterable<T> {
  readonly #fetch: (cursor: string | undefined) => Promise<Page<T>>;

  /** `fetch` gives the page at a cursor, the first without one. */
  constructor(fetch: (cursor: string | undefined) => Promise<Page<T>>) {
    this.#fetch = fetch;
  }

  /** One page: the first, or the one at a cursor. */
  page(cursor?: string): Promise<Page<T>> {
    return this.#fetch(cursor);
  }

  /** Page by page, from the first or from a cursor. */
  async *pages(cursor?: string): AsyncGenerator<Page<T>, void, undefined> {
    for (let next = cursor; ;) {
      const page = await this.#fetch(next);
      yield page;
      if (page.nextCursor === undefined) return;
      next = page.nextCursor;
    }
  }

  /** Item by item, over all pages. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for await (const page of this.pages()) yield* page.items;
  }

  /** Every item of every page; at most `max` of them. */
  async all(max = Infinity): Promise<T[]> {
    const items: T[] = [];
    if (max <= 0) return items;
    for await (const item of this) {
      items.push(item);
      if (items.length >= max) break;
    }
    return items;
  }
}
