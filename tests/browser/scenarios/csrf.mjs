// A page on a sibling domain of the service, to which the browser sends the cookies: SameSite does not help. Over TLS
// and HTTP/2, because over HTTP/1.1 other checks of the service refuse some of these calls by chance.
import assert from "node:assert/strict";
import { appPage, cookies, open } from "../support/browser.mjs";
import { ATTACKS } from "../support/attacks.mjs";
import { certificate } from "../support/certificate.mjs";
import { frame } from "../support/frames.mjs";
import { startProxy } from "../support/proxy.mjs";
import { done, scenario } from "../support/scenario.mjs";

const LOGIN = "/countersign.v1.AuthService/Login";
const LOGOUT = "/countersign.v1.AuthService/Logout";
const UPDATE = "/countersign.v1.AccountService/UpdateMe";
const EVIL = { type: "text/html", body: "<!doctype html><title>evil</title><link rel='icon' href='data:,'><body>" };
/** Account { display_name } and a mask that names it. */
const RENAME = frame("\x22\x06Doomed", "\x0a\x0cdisplay_name");

scenario(
  async ({ browser, start, folder }) => {
    const app = await appPage();
    const own = (host, url) => (host.startsWith("evil.") && !url.startsWith("/countersign") && EVIL) || app(url);
    let service;
    const proxy = await startProxy(() => service.port, { tls: certificate(folder, "site.test"), own });
    const [origin, evil] = ["id", "evil"].map((name) => `https://${name}.site.test:${proxy.port}`);
    service = await start({ PUBLIC_URL: origin });
    const [victim, attacker] = [await service.person(), await service.person()];
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await open(context, origin);
    const { ok } = await page.evaluate(([email, password]) => app.login(email, password), [victim.email, victim.password]);
    assert.ok(ok);
    const world = { context, page, attacking: undefined, proxy, origin, evil, victim, attacker };

    const targets = { [LOGOUT]: frame(), [UPDATE]: RENAME, [LOGIN]: frame(attacker.email, attacker.password) };
    for (const [path, body] of Object.entries(targets)) {
      for (const attack of ATTACKS) await attempt(world, attack, path, body);
      done(`${ATTACKS.length} ways to make a browser call ${path} had no effect`);
    }
    await control(world, targets);
  },
  { browser: ["--host-resolver-rules=MAP *.test 127.0.0.1"] },
);

/** Attacks once, proves that the call reached the service as far as expected, and that nothing has changed. */
async function attempt(world, { name, act, arrives, leaves }, path, body) {
  const { context, page, proxy, origin, evil, victim } = world;
  const before = await cookies(context, origin);
  proxy.arrived.length = 0;
  const attacking = (world.attacking ??= await context.newPage());
  if (!attacking.url().startsWith(evil)) await attacking.goto(evil);
  const what = { url: `${origin}${path}`, body: [...body] };
  await attacking.evaluate(act, what);
  const seen = await proxy.first(({ method, url }) => method === arrives.method && url.startsWith(path));
  assert.equal(new URL(origin).host, seen.host);
  if (arrives.cookies) assert.match(seen.headers.cookie ?? "", /__Host-countersign_refresh=/, `${name}: the cookies did not go along`);
  if (leaves) {
    await attacking.close();
    world.attacking = undefined;
  }

  const seenAs = `${name} on ${path}: ${JSON.stringify({ status: seen.status, headers: seen.headers })}`;
  assert.deepEqual(await cookies(context, origin), before, seenAs);
  assert.deepEqual(await page.evaluate(() => app.me()), { ok: true, email: victim.email }, seenAs);
  assert.notEqual(await page.evaluate(() => app.displayName()), "Doomed", seenAs);
}

/** The same calls from the service's own origin succeed. */
async function control({ context, page, origin, attacker }, targets) {
  const call = async (path) => {
    const [url, body] = [`${origin}${path}`, [...targets[path]]];
    const headers = { "content-type": "application/grpc-web+proto", "x-grpc-web": "1" };
    const send = ({ url, body, headers }) => fetch(url, { method: "POST", headers, body: new Uint8Array(body) }).then(({ ok }) => ok);
    assert.ok(await page.evaluate(send, { url, body, headers }));
  };
  await call(UPDATE);
  assert.equal(await page.evaluate(() => app.displayName()), "Doomed");
  await call(LOGIN);
  assert.deepEqual(await page.evaluate(() => app.me()), { ok: true, email: attacker.email });
  await call(LOGOUT);
  assert.equal((await page.evaluate(() => app.me())).ok, false);
  assert.deepEqual(await cookies(context, origin), {});
  done("the same calls from the service's own origin take effect");
}
