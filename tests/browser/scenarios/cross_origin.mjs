// An application on another origin than the service: one that the operator allowed, and one that is not allowed.
import assert from "node:assert/strict";
import { appPage, cookies, open } from "../support/browser.mjs";
import { frame, header } from "../support/frames.mjs";
import { ask, startProxy } from "../support/proxy.mjs";
import { done, scenario } from "../support/scenario.mjs";

const GET_ME = "/countersign.v1.AccountService/GetMe";
const LOGIN = "/countersign.v1.AuthService/Login";
const LOGOUT = "/countersign.v1.AuthService/Logout";
/** The headers that the client adds to those any page may send. */
const WANTED = ["content-type", "x-grpc-web", "x-user-agent", "grpc-timeout", "x-countersign-tenant"];

scenario(async ({ browser, start }) => {
  const page = await appPage();
  const site = async () => `http://localhost:${(await startProxy(undefined, { own: (_, url) => page(url) })).port}`;
  const [allowed, stranger] = [await site(), await site()];
  let service;
  const proxy = await startProxy(() => service.port);
  const origin = `http://localhost:${proxy.port}`;
  service = await start({ PUBLIC_URL: origin, BROWSER__ALLOWED_ORIGINS: `${allowed},https://app.example.org` });
  const world = { browser, origin, service, proxy, allowed, stranger, who: await service.person() };

  await preflights(world);
  await strangersAreRefused(world);
  await inTheBrowser(world);
});

async function preflights({ service, origin, allowed, stranger }) {
  const preflight = (from, path) => {
    const headers = { origin: from, "access-control-request-method": "POST", "access-control-request-headers": WANTED.join(",") };
    return ask(service.port, { method: "OPTIONS", path, host: new URL(origin).host, headers });
  };
  for (const from of [allowed, "https://app.example.org"]) {
    const { status, headers } = await preflight(from, GET_ME);
    assert.ok(status === 200 || status === 204, `${status}`);
    assert.equal(headers["access-control-allow-origin"], from);
    assert.equal(headers["access-control-allow-credentials"], "true");
    assert.match(headers["access-control-allow-methods"], /\bPOST\b/);
    const named = headers["access-control-allow-headers"].toLowerCase().split(/\s*,\s*/);
    for (const name of WANTED) assert.ok(named.includes(name), `${name} is not allowed: ${named}`);
    assert.match(headers.vary, /\borigin\b/i);
  }
  // Origins that look allowed only to an inexact comparison.
  const alike = [`${allowed}0`, `${allowed}.evil.test`, allowed.replace("http:", "https:"), allowed.toUpperCase(), "https://app.example.org:8443"];
  for (const from of [stranger, "null", "https://sub.app.example.org", "https://evilapp.example.org", ...alike]) {
    for (const path of [GET_ME, LOGIN, LOGOUT, "/"]) {
      const { headers } = await preflight(from, path);
      assert.equal(headers["access-control-allow-origin"], undefined, `${from} is told that it may`);
    }
  }
  done("preflights are answered for origins of the list, to the letter, and for no other");
}

/** A call that a preflight would have stopped, sent without a browser. */
async function strangersAreRefused({ service, origin, stranger, who, allowed }) {
  const login = (from) =>
    ask(service.port, {
      path: LOGIN,
      host: new URL(origin).host,
      headers: { "content-type": "application/grpc-web+proto", "x-grpc-web": "1", ...(from && { origin: from }) },
      body: frame(who.email, who.password),
    });
  const sessions = async () => (await service.calls(await cookie()).sessions.listSessions({})).sessions.length;
  let held;
  const cookie = async () => (held ??= header(await login(allowed)));
  const before = await sessions();
  for (const from of [stranger, "null"]) {
    const { headers } = await login(from);
    assert.equal(headers["grpc-status"], "7", JSON.stringify(headers));
    assert.equal(headers["set-cookie"], undefined);
    assert.equal(headers["access-control-allow-origin"], undefined);
  }
  assert.equal(await sessions(), before);
  for (const answer of [await login(allowed), await login(undefined)]) {
    assert.notEqual(answer.headers["access-control-allow-origin"], "*");
    assert.ok(header(answer));
  }
  done("a call from an origin that is not allowed changes nothing, however it was sent");
}

async function inTheBrowser({ browser, origin, proxy, allowed, stranger, who }) {
  const context = await browser.newContext();
  const app = await open(context, allowed, origin);
  const login = (page) => page.evaluate(([email, password]) => app.login(email, password), [who.email, who.password]);
  assert.ok((await login(app)).ok);
  assert.deepEqual(await app.evaluate(() => app.me()), { ok: true, email: who.email });
  const wrong = await app.evaluate(() => app.register("no address", ""));
  assert.equal(wrong.reason, "INVALID_FIELD", "errors can be read");
  assert.equal(await app.evaluate(() => document.cookie), "");
  done("an application on an allowed origin signs in and calls");

  const held = await cookies(context, origin);
  const evil = await open(context, stranger, origin);
  proxy.arrived.length = 0;
  for (const answer of [await login(evil), await evil.evaluate(() => app.me()), await evil.evaluate(() => app.logout())]) {
    assert.equal(answer.ok, false);
    assert.equal(answer.reason, undefined, "nothing of the answer can be read");
  }
  const simple = (path) => fetch(path, { method: "POST", mode: "no-cors", credentials: "include", body: new Uint8Array(5) }).then(() => {});
  await evil.evaluate(simple, `${origin}${LOGOUT}`);
  const [sent] = proxy.arrived.filter(({ method, url }) => method === "POST" && url === LOGOUT);
  assert.match(sent.headers.cookie, /__Host-countersign_refresh=/, "localhost is one site: the cookies go along");
  assert.deepEqual(await cookies(context, origin), held);
  assert.deepEqual(await app.evaluate(() => app.me()), { ok: true, email: who.email });
  done("an application on another origin can do nothing, with the person's cookies");

  assert.deepEqual(await app.evaluate(() => app.logout()), { ok: true });
  assert.deepEqual(await cookies(context, origin), {});
  done("an application on an allowed origin signs out");
}
