// Every page on which nothing goes on.

import { EVERY_LOOK } from "../world.mjs";

export async function refuse(world, { pages }) {
  for (const kind of EVERY_LOOK) {
    const window = await world.window(kind);
    for (const { name, url, status, title } of pages) {
      await window.open(url);
      await window.check(name, { status, title });
    }
    await window.close();
  }
}
