/** The real host that tests talk to: what `valetkey demo --json` prints, from the environment. */
import { Valetkey } from "@valetkey/client";

/** A running host with simulated vendors, and a user who is connected on `hubspot` and `gmail`. */
export interface RealHost {
  readonly base_url: string;
  readonly client_id: string;
  readonly client_secret: string;
  readonly identifier: string;
  readonly simulator_url: string;
}

/** The host of `VALETKEY_TEST_HOST`; none when it is not set. */
export const host: RealHost | undefined = read();

/** Why a test that needs the host does not run. */
export const skip =
  host === undefined ? "needs VALETKEY_TEST_HOST, the line of `valetkey demo --json`" : false;

/** A client of the real host. */
export function clientOf(real: RealHost): Valetkey {
  const { base_url: baseUrl, client_id: clientId, client_secret: clientSecret } = real;
  return new Valetkey({ baseUrl, clientId, clientSecret });
}

/** The host, in a test that is skipped without one. */
export function theHost(): RealHost {
  if (host === undefined) throw new Error("skipped");
  return host;
}

/** Opens a link as a browser does: until there is nothing to follow, or until it leaves this machine. */
export async function open(link: string): Promise<{ status: number; left_for?: string }> {
  for (let url = link; ;) {
    const answer = await fetch(url, { redirect: "manual" });
    await answer.body?.cancel();
    const location = answer.headers.get("location");
    if (location === null) return { status: answer.status };
    url = new URL(location, url).href;
    if (new URL(url).hostname !== "127.0.0.1") return { status: answer.status, left_for: url };
  }
}

function read(): RealHost | undefined {
  const line = process.env["VALETKEY_TEST_HOST"];
  return line === undefined ? undefined : (JSON.parse(line) as RealHost);
}
