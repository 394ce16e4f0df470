// Many tabs whose access token has expired: none is signed out.
import assert from "node:assert/strict";
import { cookies, expire, open, profile } from "../support/browser.mjs";
import { done, scenario } from "../support/scenario.mjs";

const TABS = 10;

scenario(async ({ browser, start }) => {
  const { origin, person } = await start();
  const { email, password } = await person();
  const context = await profile(browser, [origin]);
  const refreshes = [];
  context.on("request", (request) => request.url().endsWith("AuthService/Refresh") && refreshes.push(request));
  const pages = await Promise.all(Array.from({ length: TABS }, () => open(context, origin)));
  const [first] = pages;
  const inAll = (act) => Promise.all(pages.map((page) => page.evaluate(act)));
  const everybodyIsIn = (answers) => {
    for (const answer of answers.flat()) assert.deepEqual(answer, { ok: true, email });
  };

  assert.deepEqual(await inAll(() => app.signedIn()), Array.from({ length: TABS }, () => undefined));
  const { ok } = await first.evaluate(([email, password]) => app.login(email, password), [email, password]);
  assert.ok(ok);
  everybodyIsIn(await inAll(() => app.me()));
  assert.equal(refreshes.length, 0);
  done("a login is one for all tabs");

  const before = await cookies(context, origin);
  await expire(context);
  everybodyIsIn(await inAll(() => Promise.all([app.me(), app.me(), app.me()])));
  // One is enough. A tab that reads an outdated note, which browsers may show, adds one, without harm.
  assert.ok(refreshes.length >= 1 && refreshes.length <= 3, `${refreshes.length} refreshes`);
  assert.notEqual((await cookies(context, origin)).refresh.value, before.refresh.value);
  done(`thirty calls in ten tabs with an expired token: ${refreshes.length} refresh(es)`);

  refreshes.length = 0;
  const refused = [];
  context.on("response", (response) => response.headers()["grpc-status"] > 0 && refused.push(response.url()));
  await first.evaluate(() => {
    const [key] = Object.keys(localStorage).filter((name) => name.startsWith("countersign "));
    const note = JSON.parse(localStorage.getItem(key));
    localStorage.setItem(key, JSON.stringify({ ...note, epoch: note.epoch + 1, renewAt: Date.now() }));
  });
  const isTold = () => Object.values(localStorage).some((note) => JSON.parse(note).renewAt <= Date.now());
  await Promise.all(pages.map((page) => page.waitForFunction(isTold)));
  everybodyIsIn(await inAll(() => app.me()));
  assert.ok(refreshes.length >= 1 && refreshes.length <= 3, `${refreshes.length} refreshes`);
  assert.deepEqual(refused, []);
  done(`ten tabs shortly before a token expires: ${refreshes.length} refresh(es), and nothing is refused first`);

  // More than once: some calls wait for a connection and find cookies that other tabs have just brought, and chance
  // decides which call then reaches the service first.
  for (let time = 0; time < 10; time++) {
    await expire(context);
    const atOnce = await first.evaluate((times) => Promise.all(Array.from({ length: times }, () => app.refreshAlone())), TABS);
    for (const { ok, reason } of atOnce) assert.ok(ok || reason === "REFRESH_CONTENDED", reason);
  }
  everybodyIsIn(await inAll(() => app.me()));
  await expire(context);
  everybodyIsIn(await inAll(() => app.me()));
  done("ten refreshes at once that know nothing of each other end nobody's session");

  assert.deepEqual(await first.evaluate(() => app.logout()), { ok: true });
  await Promise.all(pages.map((page) => page.waitForFunction(() => app.signedIn() === false)));
  for (const { ok, reason } of await inAll(() => app.me())) assert.deepEqual([ok, reason], [false, "TOKEN_MISSING"]);
  assert.deepEqual(await cookies(context, origin), {});
  done("a logout is one for all tabs, and leaves no cookie");
});
