// The whole way by OAuth: the link, the vendor's consent page, back.

import assert from "node:assert/strict";
import { EVERY_KIND, EVERY_LOOK } from "../world.mjs";

const toVendor = (window) => window.page.getByRole("button", { name: "Continue to HubSpot" });

/** From the link to the vendor's own page. */
async function arrive(window, link) {
  await window.open(link);
  await toVendor(window).click();
  await window.page.waitForURL((url) => url.origin !== window.world.base);
  await window.page.getByRole("heading", { name: "Simulated HubSpot" }).waitFor();
}

async function decide(window, decision) {
  await window.page.getByRole("button", { name: decision }).click();
  await window.page.waitForURL((url) => url.origin === window.world.base);
}

export async function connect(world, { links }) {
  await world.inEvery(EVERY_KIND, links, async (window, link) => {
    await window.open(link);
    await window.check("connect", { title: "Connect HubSpot to Acme Notes" });
    assert.deepEqual(await window.cookies(), [], "looking sets no cookie");
    await window.page.keyboard.press("Tab");
    const outline = await toVendor(window).evaluate((button) => {
      const style = getComputedStyle(button);
      return { focused: button.matches(":focus-visible"), width: style.outlineWidth, style: style.outlineStyle };
    });
    assert.deepEqual(outline, { focused: true, width: "3px", style: "solid" });
    await window.page.keyboard.press("Enter");
    await window.page.getByRole("heading", { name: "Simulated HubSpot" }).waitFor();

    const [cookie, ...others] = await window.cookies();
    assert.deepEqual(others, []);
    assert.equal(cookie.name, "valetkey-browser");
    assert.ok(cookie.httpOnly && cookie.sameSite === "Lax", "a cookie that no script reads");
    const asked = window.requests.find((request) => new URL(request.url()).pathname.endsWith("/oauth/authorize"));
    assert.equal(await asked.headerValue("referer"), null, "the vendor does not learn the link");

    await decide(window, "Allow");
    await window.check("connected", { title: "HubSpot is connected to Acme Notes" });
  });
}

export async function deny(world, { links }) {
  await world.inEvery(EVERY_LOOK, links, async (window, link) => {
    await arrive(window, link);
    await decide(window, "Deny");
    await window.check("denied", { status: 409, title: "Access was not given" });
  });
}

/** On the way: the page between the form and the vendor, held there. */
export async function goOn(world, { links }) {
  await world.inEvery(EVERY_LOOK, links, async (window, link) => {
    await window.open(link);
    await window.page.emulateMedia({ reducedMotion: "reduce" });
    // An answer without content leaves the browser where it is.
    await window.page.route("**/oauth/authorize?**", (route) => route.fulfill({ status: 204 }));
    await toVendor(window).click();
    await window.page.getByRole("heading", { name: "Going on to" }).waitFor();
    const motion = await window.page.locator(".progress").evaluate((ring) => getComputedStyle(ring).animationName);
    assert.equal(motion, "none", "no motion for those who want none");
    const way = window.page.getByRole("link", { name: "Continue" });
    assert.match(await way.getAttribute("href"), /\/hubspot\/oauth\/authorize\?.*state=/);
  });
}

/** Somebody else's browser comes back from the vendor, then the right one. */
export async function otherBrowser(world, { links: [link] }) {
  const [owner, other] = [await world.window(), await world.window()];
  await arrive(owner, link);
  await other.open(owner.page.url());
  await decide(other, "Allow");
  await other.check("other-browser", { status: 400, title: "Opened in another browser" });
  await decide(owner, "Allow");
  await owner.check("connected");
  await owner.close();
  await other.close();
}

/** The application has to confirm; its page is `application`. */
export async function confirm(world, { links, application }) {
  await world.inEvery(EVERY_LOOK, links, async (window, link) => {
    await arrive(window, link);
    await window.page.getByRole("button", { name: "Allow" }).click();
    await window.page.waitForURL((url) => url.origin === application);
    const arrived = new URL(window.page.url());
    assert.equal(arrived.pathname, "/verify");
    assert.equal(arrived.searchParams.get("state"), "state-4711");
    assert.match(arrived.searchParams.get("auth_request_id"), /./);
    const there = window.requests.filter((request) => request.url().startsWith(application));
    assert.equal(await there.at(-1).headerValue("referer"), null, "the code is not in a referrer");

    await window.open(link);
    await window.check("waiting", { title: "One step left to connect HubSpot" });
    await window.page.getByRole("link", { name: "Go to Acme Notes" }).click();
    await window.page.waitForURL((url) => url.origin === application);
    assert.equal(window.page.url(), arrived.href);

    const stranger = await world.window(window.kind);
    await stranger.open(link);
    await stranger.check("dead-link", { status: 400 });
    await stranger.close();
  });
}
