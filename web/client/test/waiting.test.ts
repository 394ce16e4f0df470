import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Wait } from "../src/index.js";
import { Browser, gate } from "./browser.js";

/** A tab that holds the lock until the test releases it, like a tab that the browser has suspended. */
function stuck(browser: Browser) {
  const held = gate();
  const lock = browser.locks.request("countersign https://id.example.org", {}, () => held.pass);
  lock.catch(() => {});
  return held;
}

async function heard(browser: Browser) {
  const waits: Wait[] = [];
  const { countersign, changes } = browser.tab();
  await countersign.login({ identifier: "ada", password: "x" });
  countersign.onWait((wait) => waits.push(wait));
  return { countersign, changes, waits };
}

test("a tab that never gives way is overtaken, and the page is told that it waits and that it goes on", async () => {
  const browser = new Browser();
  const { countersign, waits } = await heard(browser);
  stuck(browser);
  const logout = countersign.logout();
  await setImmediate();
  assert.deepEqual([browser.count("Logout"), waits], [0, []]);
  browser.pass(2_000);
  assert.deepEqual(waits, ["waiting"]);
  browser.pass(13_000);
  await logout;
  assert.deepEqual(waits, ["waiting", "overtaking"]);
  assert.equal(countersign.signedIn, false);
});

test("a tab that gives way late is waited for, and the page is told when that is over", async () => {
  const browser = new Browser();
  const { countersign, waits } = await heard(browser);
  const held = stuck(browser);
  const logout = countersign.logout();
  await setImmediate();
  browser.pass(5_000);
  held.open();
  await logout;
  assert.deepEqual(waits, ["waiting", "over"]);
  browser.pass(60_000);
  assert.deepEqual(waits, ["waiting", "over"]);
});

test("nobody is told of a wait that nobody notices", async () => {
  const browser = new Browser();
  const { countersign, waits } = await heard(browser);
  await countersign.account.getMe({});
  await countersign.logout();
  browser.pass(60_000);
  assert.deepEqual(waits, []);
});

test("a tab that is overtaken goes on with what it has begun", async () => {
  const browser = new Browser();
  const [slow, quick] = [browser.tab(), browser.tab()];
  await slow.countersign.login({ identifier: "ada", password: "x" });
  browser.expire();
  const late = gate();
  browser.homeward = async (method) => (method === "Refresh" ? late.pass : undefined);
  const call = slow.countersign.account.getMe({});
  await setImmediate();
  const logout = quick.countersign.logout();
  await setImmediate();
  browser.pass(15_000);
  await logout;
  late.open();
  // The service ended the session meanwhile and answers so: the call neither hangs nor fails because of the lock.
  await assert.rejects(call, (error) => !(error instanceof DOMException));
});

test("a caller who gives up while waiting stops waiting, and overtakes nobody", async () => {
  const browser = new Browser();
  const { countersign, waits } = await heard(browser);
  stuck(browser);
  const hurried = new AbortController();
  const logout = countersign.logout({}, { signal: hurried.signal });
  await setImmediate();
  browser.pass(3_000);
  hurried.abort();
  await assert.rejects(logout);
  browser.pass(60_000);
  await setImmediate();
  assert.deepEqual([browser.count("Logout"), waits], [0, ["waiting", "over"]]);
});
