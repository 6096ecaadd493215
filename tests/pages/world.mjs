// Browser windows of every kind, and what must hold of every page that any of them shows.

import assert from "node:assert/strict";
import { join } from "node:path";

/** A page may load its style and icon from its own host, and nothing else. */
export const POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const WIDTHS = { narrow: 360, wide: 1280 };

/** Light and dark, narrow and wide, with and without scripts. */
export const EVERY_KIND = ["light", "dark"].flatMap((scheme) =>
  Object.keys(WIDTHS).flatMap((width) => [false, true].map((scripts) => ({ scheme, width, scripts }))),
);

/** The same without scripts. */
export const EVERY_LOOK = EVERY_KIND.filter((kind) => !kind.scripts);

export class World {
  snapshots = new Map();
  taken = [];

  constructor(browser, shots, { base }) {
    Object.assign(this, { browser, shots, base });
  }

  /** A new window with no cookies. */
  async window(kind = EVERY_LOOK[0], options = {}) {
    const context = await this.browser.newContext({
      colorScheme: kind.scheme,
      javaScriptEnabled: kind.scripts,
      viewport: { width: WIDTHS[kind.width], height: 800 },
      ...options,
    });
    return new Window(this, kind, context, await context.newPage());
  }

  /** Runs `steps` in a window of each kind, with one of `links` each. */
  async inEvery(kinds, links, steps) {
    assert.ok(links.length >= kinds.length, "a link for each window");
    for (const [index, kind] of kinds.entries()) {
      const window = await this.window(kind);
      await steps(window, links[index]);
      await window.close();
    }
  }
}

export class Window {
  problems = [];
  requests = [];

  constructor(world, kind, context, page) {
    Object.assign(this, { world, kind, context, page });
    page.on("dialog", (dialog) => {
      this.problems.push(`a dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on("pageerror", (error) => this.problems.push(`an error: ${error.message}`));
    page.on("console", (message) => {
      // The browser reports a page's own status, too, which is asserted where it belongs; and the
      // sites around the host have no icon.
      const { url } = message.location();
      const isElsewhere = url === page.url() || (url.endsWith("/favicon.ico") && !url.startsWith(world.base));
      if (!(isElsewhere && message.text().startsWith("Failed to load resource"))) this.problems.push(`${message.type()}: ${message.text()}`);
    });
    context.on("request", (request) => this.requests.push(request));
  }

  /** Opens an address; answers the response. */
  async open(url) {
    return await this.page.goto(url);
  }

  /** Does something that leads to another document. */
  async go(step) {
    const arrival = this.page.waitForEvent("load");
    await step();
    await arrival;
  }

  async close() {
    assert.deepEqual(this.problems, []);
    await this.context.close();
  }

  async cookies() {
    return await this.context.cookies(this.world.base);
  }

  /** Everything that holds of every page of the host; `name` names its picture and its snapshot. */
  async check(name, { status = 200, title, shot = true, snapshot = true } = {}) {
    const { page, world, kind } = this;
    const here = page.url().split("#")[0];
    const document = this.requests.filter((request) => request.isNavigationRequest() && request.url() === here).at(-1);
    const response = await document.response();
    const headers = await response.allHeaders();
    assert.equal(response.status(), status, `${name}: ${page.url()}`);
    assert.equal(headers["content-security-policy"], POLICY);
    assert.equal(headers["referrer-policy"], "no-referrer");
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.equal(headers["x-frame-options"], "DENY");
    if (title) assert.equal(await page.title(), title);

    const foreign = this.requests.filter(
      (request) => !request.isNavigationRequest() && !/^\/page\.(css|svg)$/.test(new URL(request.url()).pathname),
    );
    assert.deepEqual(foreign.map((request) => request.url()), []);
    assert.deepEqual(this.problems, []);

    const facts = await page.evaluate(measure);
    assert.equal(facts.lang, "en");
    assert.ok(facts.title.length > 5, "a title");
    assert.equal(facts.headings, 1, "one h1");
    assert.ok(facts.scroll <= facts.client, `${name} is ${facts.scroll} wide in ${facts.client}`);
    assert.deepEqual(facts.outside, [], "nothing is cut off");
    assert.deepEqual(facts.active, [], "no script, style or frame in the page");
    assert.deepEqual(facts.faint, [], "a contrast of 4.5");
    assert.deepEqual(facts.small, [], "targets of 44 pixels");
    assert.deepEqual(facts.unlabelled, [], "every field has a label");

    if (shot) {
      const suffix = `${kind.scheme}-${kind.width}${kind.scripts ? "-scripts" : ""}`;
      const path = join(world.shots, `${name}-${suffix}.png`);
      await page.screenshot({ path, fullPage: true, animations: "disabled" });
      world.taken.push(path);
    }
    if (snapshot) {
      const tree = await page.locator("body").ariaSnapshot();
      const said = tree.replaceAll(/127\.0\.0\.1:\d+/g, "HOST").replaceAll(/\n *- \/url: .*/g, "");
      const before = world.snapshots.get(name) ?? said;
      assert.equal(said, before, `${name} says the same in every window`);
      world.snapshots.set(name, said);
    }
    return facts;
  }

  /** The tree of elements, which no text may change. */
  async tree() {
    return await this.page.evaluate(() => {
      const walk = (element) => [element.tagName, ...[...element.children].map(walk)];
      return walk(document.documentElement);
    });
  }
}

/** Runs in the page. */
function measure() {
  const client = document.documentElement.clientWidth;
  const all = [...document.body.querySelectorAll("*")];
  const visible = (element) => element.checkVisibility() && element.getBoundingClientRect().width > 0;
  const said = (element) => `${element.tagName} ${element.textContent.trim().slice(0, 60)}`;

  const parse = (css) => {
    const [red, green, blue, alpha = 1] = css.match(/[\d.]+/g).map(Number);
    return { red, green, blue, alpha };
  };
  const over = (top, below) => {
    const mix = (one, other) => one * top.alpha + other * (1 - top.alpha);
    return { red: mix(top.red, below.red), green: mix(top.green, below.green), blue: mix(top.blue, below.blue), alpha: 1 };
  };
  const ground = (element) => {
    if (!element) return { red: 255, green: 255, blue: 255, alpha: 1 };
    const own = parse(getComputedStyle(element).backgroundColor);
    return own.alpha === 1 ? own : over(own, ground(element.parentElement));
  };
  const light = ({ red, green, blue }) => {
    const linear = (part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  };
  const contrast = (one, other) => {
    const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };

  const faint = [];
  for (const element of all.filter(visible)) {
    const style = getComputedStyle(element);
    const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (hasText || element.tagName === "INPUT") {
      const ratio = contrast(over(parse(style.color), ground(element)), ground(element));
      if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${said(element)}`);
    }
    if (element.tagName === "INPUT") {
      const ratio = contrast(parse(style.borderTopColor), ground(element.parentElement));
      if (ratio < 3) faint.push(`${ratio.toFixed(2)} border of ${element.name}`);
    }
  }
  const isActive = (element) =>
    element.matches("script, style, iframe, frame, object, embed, img, video, audio, base, form form, [style]") ||
    [...element.attributes].some((attribute) => attribute.name.startsWith("on"));
  return {
    client,
    scroll: document.documentElement.scrollWidth,
    lang: document.documentElement.lang,
    title: document.title,
    headings: document.querySelectorAll("h1").length,
    outside: all.filter(visible).filter((element) => element.getBoundingClientRect().right > client + 0.5).map(said),
    active: [...document.querySelectorAll("*")].filter(isActive).map((element) => element.outerHTML),
    faint,
    small: [...document.querySelectorAll("button, input, .button")]
      .filter((element) => element.getBoundingClientRect().height < 44)
      .map(said),
    unlabelled: [...document.querySelectorAll("input")].filter((input) => !input.labels.length).map((input) => input.name),
  };
}
