import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import { connect, createSecureServer } from "node:http2";
import { setTimeout } from "node:timers/promises";
import { atExit } from "./exit.mjs";

/** Headers of one connection, which are not forwarded. */
const HOP = new Set(["connection", "keep-alive", "transfer-encoding", "upgrade", "http2-settings", "proxy-connection", "host"]);

/**
 * A proxy to the service at port `to()`, controlled by a test. Names and origins stay as the browser sent them.
 *
 * `arrived` has every request. A test may set two functions: `own` answers some requests itself, and `answered` gets
 * every answer of the service before the browser does: it can wait, change the headers, or return "lost", and then
 * there is no answer.
 */
export async function startProxy(to, { tls, own = () => undefined } = {}) {
  const answers = new EventEmitter();
  const proxy = { arrived: [], answered: async () => {}, own, answers };
  const pass = (request, response) => void forward(proxy, to, request, response).catch(() => response.destroy());
  const server = tls ? createSecureServer({ ...tls, allowHTTP1: true }, pass) : createServer(pass);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  atExit(() => server.close());
  /** The first answered request that matches, once there is one. */
  const first = async (match) => {
    for (;;) {
      const found = proxy.arrived.find((seen) => seen.status !== undefined && match(seen));
      if (found) return found;
      await once(answers, "answer");
    }
  };
  return Object.assign(proxy, { port: server.address().port, first });
}

async function forward(proxy, to, request, response) {
  const { method, url, headers } = request;
  const host = headers[":authority"] ?? headers.host;
  const page = proxy.own(host, url);
  if (page) {
    response.writeHead(200, { "content-type": page.type });
    response.end(page.body);
    return;
  }
  const seen = { method, url, host, headers };
  proxy.arrived.push(seen);
  const body = await bytes(request);
  const answer = await ask(to(), { method, path: url, host, headers, body });
  seen.status = answer.status;
  seen.reason = answer.headers["grpc-message"];
  proxy.answers.emit("answer");
  if ((await proxy.answered({ ...seen, answer })) === "lost") {
    request.socket.destroy();
    return;
  }
  response.writeHead(answer.status, answer.headers);
  response.end(answer.body);
}

/** One request as a reverse proxy makes it: HTTP/2 without TLS. */
export async function ask(port, { method = "POST", path, host, headers = {}, body = undefined }) {
  const session = connect(`http://127.0.0.1:${port}`);
  try {
    const passed = Object.entries(headers).filter(([name]) => !name.startsWith(":") && !HOP.has(name));
    const authority = host ?? `localhost:${port}`;
    const named = { ...Object.fromEntries(passed), ":method": method, ":path": path, ":authority": authority };
    const stream = session.request(named, { endStream: !body?.length });
    if (body?.length) stream.end(body);
    const given = new AbortController();
    const late = setTimeout(20_000, undefined, { signal: given.signal }).then(
      () => stream.destroy(new Error(`no answer to ${method} ${path}`)),
      () => {},
    );
    const [fields] = await once(stream, "response");
    const answer = await bytes(stream);
    given.abort();
    await late;
    const kept = Object.entries(fields).filter(([name]) => !name.startsWith(":") && !HOP.has(name));
    return { status: fields[":status"], headers: Object.fromEntries(kept), body: answer };
  } finally {
    session.destroy();
  }
}

async function bytes(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

/** A promise and the function that resolves it. */
export function gate() {
  let open;
  const pass = new Promise((resolve) => (open = resolve));
  return { pass, open };
}
