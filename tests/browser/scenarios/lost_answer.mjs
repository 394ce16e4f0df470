// Answers that are lost or late between the browser and the real service.
import assert from "node:assert/strict";
import { cookies, expire, open, profile } from "../support/browser.mjs";
import { startProxy, gate } from "../support/proxy.mjs";
import { done, scenario } from "../support/scenario.mjs";

scenario(async ({ browser, start }) => {
  let service;
  const proxy = await startProxy(() => service.port);
  const origin = `http://localhost:${proxy.port}`;
  service = await start({ PUBLIC_URL: origin });
  const [ada, grace] = [await service.person(), await service.person()];
  const world = { browser, origin, proxy, service, ada, grace };

  await aLostAnswer(world);
  await anAnswerThatTakesTooLong(world);
  await lateAnswerOfAnOlderSession(world);
  await lateAnswerAboutADeadSession(world);
  await lateAnswerOfAnOlderGeneration(world);
});

/** A profile with two tabs and a signed-in person; the proxy changes nothing yet. */
async function signedIn({ browser, origin, proxy }, who) {
  proxy.answered = async () => {};
  const context = await profile(browser, [origin]);
  const [page, other] = [await open(context, origin), await open(context, origin)];
  await logIn(page, who);
  proxy.arrived.length = 0;
  return { context, page, other };
}

async function logIn(page, { email, password }) {
  const answer = await page.evaluate(([email, password]) => app.login(email, password), [email, password]);
  assert.ok(answer.ok, JSON.stringify(answer));
}

async function isIn(page, { email }) {
  assert.deepEqual(await page.evaluate(() => app.me()), { ok: true, email });
}

const refreshes = ({ arrived }) => arrived.filter(({ url }) => url.endsWith("/Refresh")).length;

/**
 * Holds the next answer to a method until it is released; `held` resolves when there is one, `gone` when the browser
 * has it.
 */
function holdNext(proxy, method) {
  const [there, free] = [gate(), gate()];
  let taken = false;
  proxy.answered = async ({ url }) => {
    if (taken || !url.endsWith(`/${method}`)) return;
    taken = true;
    there.open();
    await free.pass;
  };
  return { held: there.pass, letGo: free.open };
}

async function aLostAnswer(world) {
  const { context, page } = await signedIn(world, world.ada);
  await expire(context);
  // Two: on a reused connection, a browser may itself repeat a call that got no answer.
  world.proxy.answered = async ({ url }) => (url.endsWith("/Refresh") && refreshes(world.proxy) <= 2 ? "lost" : undefined);
  await isIn(page, world.ada);
  assert.equal(refreshes(world.proxy), 3);
  await expire(context);
  await isIn(page, world.ada);
  await context.close();
  done("a refresh whose answer is lost twice is made again, and the session goes on");
}

async function anAnswerThatTakesTooLong(world) {
  const { context, page, other } = await signedIn(world, world.ada);
  await expire(context);
  const { held, letGo } = holdNext(world.proxy, "Refresh");
  const call = isIn(page, world.ada);
  await held;
  await Promise.all([call, isIn(other, world.ada)]);
  const current = (await cookies(context, world.origin)).refresh.value;
  letGo();
  await isIn(page, world.ada);
  assert.equal((await cookies(context, world.origin)).refresh.value, current, "what was given up is not stored");
  await context.close();
  done("a refresh that takes too long is given up and made again");
}

async function lateAnswerOfAnOlderSession(world) {
  const { context, page, other } = await signedIn(world, world.ada);
  const { held, letGo } = holdNext(world.proxy, "Refresh");
  const late = page.evaluate(() => app.refreshAlone());
  await held;
  await logIn(other, world.grace);
  await isIn(other, world.grace);
  const newer = (await cookies(context, world.origin)).refresh.value;
  letGo();
  assert.ok((await late).ok);
  assert.notEqual((await cookies(context, world.origin)).refresh.value, newer, "the late answer was stored over the login's");
  for (const tab of [other, page, other]) await isIn(tab, world.grace);
  await expire(context);
  for (const tab of [page, other]) await isIn(tab, world.grace);
  await context.close();
  done("the late answer of an older session does not take the place of a newer one");
}

async function lateAnswerAboutADeadSession(world) {
  const { context, page, other } = await signedIn(world, world.ada);
  const { refresh } = await cookies(context, world.origin);
  await world.service.calls(`${refresh.name}=${refresh.value}`).auth.logout({});
  const { held, letGo } = holdNext(world.proxy, "GetMe");
  const late = page.evaluate(() => app.me());
  await held;
  await logIn(other, world.grace);
  letGo();
  assert.deepEqual(await late, { ok: true, email: world.grace.email });
  assert.deepEqual(await page.evaluate(() => app.changes.map(({ signedIn }) => signedIn)), [true, true]);
  for (const tab of [other, page]) await isIn(tab, world.grace);
  await context.close();
  done("the late answer about a session that was ended does not end a newer one");
}

async function lateAnswerOfAnOlderGeneration(world) {
  const { context, page, other } = await signedIn(world, world.ada);
  const { held, letGo } = holdNext(world.proxy, "Refresh");
  const late = page.evaluate(() => app.refreshAlone());
  await held;
  for (let generation = 2; generation <= 3; generation++) {
    await expire(context);
    await isIn(other, world.ada);
  }
  letGo();
  assert.ok((await late).ok);
  for (const tab of [other, page]) await isIn(tab, world.ada);
  await expire(context);
  for (const tab of [page, other]) await isIn(tab, world.ada);
  await context.close();
  done("the late answer of an older generation does not end the session");
}
