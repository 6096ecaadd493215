/** A real HTTP server on a free port, which answers as a test says. */
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { type ServerOptions, createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";

/** One request, read whole. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly query: Record<string, string>;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly socket: IncomingMessage["socket"];
}

/** A server and its URL. */
export interface Serving {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves until it is closed; by TLS with a certificate. */
export async function serve(
  handle: (request: Received, response: ServerResponse) => unknown,
  certificate?: Pick<ServerOptions, "key" | "cert">,
): Promise<Serving> {
  const listener = (message: IncomingMessage, response: ServerResponse): void => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of message) chunks.push(chunk as Buffer);
      const url = new URL(message.url ?? "/", "http://127.0.0.1");
      await handle(
        {
          method: message.method ?? "",
          path: (message.url ?? "").split("?")[0] ?? "",
          query: Object.fromEntries(url.searchParams),
          headers: message.headers,
          body: Buffer.concat(chunks).toString(),
          socket: message.socket,
        },
        response,
      );
    })().catch(() => {
      message.socket.destroy();
    });
  };
  const server =
    certificate === undefined ? createServer(listener) : createSecureServer(certificate, listener);
  await listening(server);
  const { port } = server.address() as AddressInfo;
  return {
    url: `${certificate === undefined ? "http" : "https"}://127.0.0.1:${String(port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/** A promise that the test keeps when it likes. */
export function promised<T>(): { readonly promise: Promise<T>; readonly keep: (value: T) => void } {
  let keep: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => {
    keep = resolve;
  });
  return { promise, keep };
}

/** The URL of a port on which nobody listens. */
export async function closedUrl(): Promise<string> {
  const server = await serve(() => undefined);
  await server.close();
  return server.url;
}

/** Answers JSON. */
export function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
}
