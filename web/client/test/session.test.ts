import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { reasonOf, type Reason } from "../src/index.js";
import { Browser, gate, refusal } from "./browser.js";

const NETWORK = new TypeError("Failed to fetch");

/** Fails the first `times` calls of a method in the given way. */
function losing(method: string, times: number): (name: string) => Promise<void> {
  let left = times;
  return async (name) => {
    if (name === method && left-- > 0) throw NETWORK;
  };
}

test("ten tabs with many calls each refresh once", async () => {
  const browser = new Browser();
  browser.signIn();
  browser.expire();
  const tabs = Array.from({ length: 10 }, () => browser.tab());
  await Promise.all(tabs.flatMap(({ countersign }) => [1, 2, 3].map(() => countersign.account.getMe({}))));
  assert.equal(browser.count("Refresh"), 1);
  assert.equal(browser.live?.generation, 2);
  assert.equal(browser.count("GetMe"), 60);
});

test("tabs without storage stay signed in, refreshing once each", async () => {
  const browser = new Browser();
  browser.signIn();
  browser.expire();
  const tabs = Array.from({ length: 10 }, () => browser.tab({ storage: false }));
  await Promise.all(tabs.flatMap(({ countersign }) => [1, 2, 3].map(() => countersign.account.getMe({}))));
  assert.equal(browser.count("Refresh"), 10);
  assert.equal(browser.jar?.generation, browser.live?.generation);
});

test("a refresh whose answer is lost is repeated and the session goes on", async () => {
  const browser = new Browser();
  browser.signIn();
  browser.expire();
  browser.homeward = losing("Refresh", 1);
  const { countersign, changes } = browser.tab();
  await countersign.account.getMe({});
  assert.equal(browser.count("Refresh"), 2);
  assert.deepEqual(browser.jar, { session: 1, generation: 2, access: true });
  assert.deepEqual(changes, [{ signedIn: true }]);
});

test("a network that is gone signs nobody out", async () => {
  const browser = new Browser();
  browser.signIn();
  browser.expire();
  browser.outward = losing("Refresh", Infinity);
  const { countersign, changes } = browser.tab();
  const error = await countersign.account.getMe({}).then(() => assert.fail(), (error: unknown) => ConnectError.from(error));
  assert.equal(reasonOf(error), undefined);
  assert.equal(error.cause, NETWORK);
  assert.deepEqual(changes, []);
  assert.ok(browser.jar);

  browser.outward = async () => {};
  await countersign.account.getMe({});
});

for (const [reason, code] of [
  ["STORE_UNAVAILABLE", Code.Unavailable],
  ["OVERLOADED", Code.ResourceExhausted],
  ["REFRESH_CONTENDED", Code.Aborted],
  ["INTERNAL", Code.Internal],
] satisfies [Reason, Code][]) {
  test(`a refresh refused with ${reason} signs nobody out`, async () => {
    const browser = new Browser();
    browser.signIn();
    browser.expire();
    browser.instead = (method) => (method === "Refresh" ? refusal(reason, { code, wait: 1_000 }) : undefined);
    const { countersign, changes } = browser.tab();
    await assert.rejects(countersign.account.getMe({}), (error) => reasonOf(error) === reason);
    assert.deepEqual(changes, []);
    assert.equal(browser.count("Refresh"), 3);
  });
}

for (const reason of [
  "TOKEN_INVALID",
  "SESSION_ENDED",
  "SESSION_EXPIRED",
  "ACCOUNT_DISABLED",
  "REFRESH_TOKEN_REUSED",
] satisfies Reason[]) {
  test(`a refresh refused with ${reason} signs out in every tab, once`, async () => {
    const browser = new Browser();
    const [one, other] = [browser.tab(), browser.tab()];
    await one.countersign.login({ identifier: "ada", password: "x" });
    browser.expire();
    browser.instead = (method) => (method === "Refresh" ? refusal(reason) : undefined);
    await assert.rejects(one.countersign.account.getMe({}), (error) => reasonOf(error) === reason);
    await setImmediate();
    for (const { changes, countersign } of [one, other]) {
      assert.deepEqual(changes, [{ signedIn: true }, { signedIn: false, reason }]);
      assert.equal(countersign.signedIn, false);
    }
  });
}

test("a fresh proof replaces the cookies of all tabs and signs nobody in anew", async () => {
  const browser = new Browser();
  browser.signIn();
  const [one, other] = [browser.tab(), browser.tab()];
  const { sessionId, account } = await one.countersign.reauthenticate("right");
  assert.equal(sessionId, "1");
  assert.ok(account);
  assert.deepEqual(browser.jar, { session: 1, generation: 2, access: true });
  await other.countersign.account.getMe({});
  assert.equal(browser.count("Refresh"), 0);
  assert.equal(browser.count("Reauthenticate"), 1);
});

test("a proof with an expired token refreshes first, and one whose answer is lost is not repeated", async () => {
  const browser = new Browser();
  browser.signIn();
  browser.expire();
  const { countersign } = browser.tab();
  await countersign.reauthenticate("right");
  assert.deepEqual(browser.received, ["Reauthenticate", "Refresh", "Reauthenticate"]);
  assert.deepEqual(browser.jar, { session: 1, generation: 3, access: true });
  browser.homeward = losing("Reauthenticate", 1);
  await assert.rejects(countersign.reauthenticate("right"));
  assert.equal(browser.count("Reauthenticate"), 3);
});

test("a wrong proof is not repeated, and signs out only when it ended the session", async () => {
  const browser = new Browser();
  browser.signIn();
  const { countersign, changes } = browser.tab();
  await assert.rejects(countersign.reauthenticate("wrong"), (error) => reasonOf(error) === "CURRENT_PASSWORD_WRONG");
  assert.equal(browser.count("Reauthenticate"), 1);
  assert.deepEqual(changes, []);
  browser.instead = (method) => (method === "Reauthenticate" ? refusal("SESSION_ENDED") : undefined);
  await assert.rejects(countersign.reauthenticate("wrong"), (error) => reasonOf(error) === "SESSION_ENDED");
  assert.deepEqual(changes, [{ signedIn: false, reason: "SESSION_ENDED" }]);
});

test("a session that may not go on as it is leads to signing in again", async () => {
  const browser = new Browser();
  browser.signIn();
  browser.expire();
  const { countersign, changes } = browser.tab();
  browser.instead = (method) => (method === "Refresh" ? refusal("REAUTHENTICATION_REQUIRED") : undefined);
  const refused = countersign.account.getMe({});
  await assert.rejects(refused, (error) => reasonOf(error) === "REAUTHENTICATION_REQUIRED");
  assert.deepEqual(changes, [{ signedIn: false, reason: "REAUTHENTICATION_REQUIRED" }]);
});

test("a session that was ended elsewhere signs out without a refresh", async () => {
  const browser = new Browser();
  browser.signIn();
  browser.live = undefined;
  const { countersign, changes } = browser.tab();
  await assert.rejects(countersign.account.getMe({}));
  assert.deepEqual(changes, [{ signedIn: false, reason: "SESSION_ENDED" }]);
  assert.equal(browser.count("Refresh"), 0);
});

test("a late answer about an older session does not sign the newer one out", async () => {
  const browser = new Browser();
  browser.signIn();
  browser.live = undefined;
  const [slow, quick] = [browser.tab(), browser.tab()];
  const late = gate();
  browser.homeward = async (method) => (method === "GetMe" && browser.count("GetMe") === 1 ? late.pass : undefined);
  const call = slow.countersign.account.getMe({});
  await setImmediate();
  await quick.countersign.login({ identifier: "ada", password: "x" });
  late.open();
  const { account } = await call;
  assert.equal(account?.accountId, "account of session 2");
  assert.deepEqual(slow.changes, [{ signedIn: true }]);
});

test("the late answer of a refresh cannot overwrite the cookies of a login", async () => {
  const browser = new Browser();
  browser.signIn();
  browser.expire();
  const [slow, quick] = [browser.tab(), browser.tab()];
  const late = gate();
  browser.homeward = async (method) => (method === "Refresh" ? late.pass : undefined);
  const call = slow.countersign.account.getMe({});
  await setImmediate();
  const login = quick.countersign.login({ identifier: "ada", password: "x" });
  await setImmediate();
  assert.deepEqual([browser.count("Refresh"), browser.count("Login")], [1, 0], "the login waits for the refresh");
  late.open();
  await Promise.all([call, login]);
  assert.equal(browser.jar?.session, 2);
});

test("a refresh that waited behind a logout is not made with the cookies that are gone", async () => {
  const browser = new Browser();
  browser.signIn();
  browser.expire();
  const [one, other] = [browser.tab(), browser.tab()];
  const late = gate();
  browser.homeward = async (method) => (method === "Logout" ? late.pass : undefined);
  const logout = one.countersign.logout();
  const call = other.countersign.account.getMe({});
  await setImmediate();
  late.open();
  await logout;
  await assert.rejects(call, (error) => reasonOf(error) === "TOKEN_MISSING");
  assert.equal(browser.jar, undefined);
  assert.deepEqual([one.countersign.signedIn, other.countersign.signedIn], [false, false]);
});

test("a call that fails with fresh tokens, too, is not made for ever", async () => {
  const browser = new Browser();
  browser.signIn();
  browser.instead = (method) => (method === "GetMe" ? refusal("TOKEN_EXPIRED") : undefined);
  await assert.rejects(browser.tab().countersign.account.getMe({}), (error) => reasonOf(error) === "TOKEN_EXPIRED");
  assert.deepEqual([browser.count("GetMe"), browser.count("Refresh")], [3, 2]);
});

test("a caller who gives up does not stop the refresh of the others", async () => {
  const browser = new Browser();
  browser.signIn();
  browser.expire();
  const { countersign } = browser.tab();
  const late = gate();
  browser.homeward = async (method) => (method === "Refresh" ? late.pass : undefined);
  const hurried = new AbortController();
  const given = countersign.account.getMe({}, { signal: hurried.signal });
  const patient = countersign.account.getMe({});
  await setImmediate();
  hurried.abort();
  await assert.rejects(given, (error) => ConnectError.from(error).code === Code.Canceled);
  late.open();
  await patient;
  assert.equal(browser.count("Refresh"), 1);
});

test("a logout that reaches nobody says so and signs nobody out", async () => {
  const browser = new Browser();
  const { countersign, changes } = browser.tab();
  await countersign.login({ identifier: "ada", password: "x" });
  browser.outward = losing("Logout", Infinity);
  await assert.rejects(countersign.logout());
  assert.equal(countersign.signedIn, true);
  assert.deepEqual(changes, [{ signedIn: true }]);
});

test("a logout without a session is one, unless it was to end others", async () => {
  const browser = new Browser();
  browser.instead = () => refusal("TOKEN_INVALID");
  const { countersign } = browser.tab();
  await countersign.logout();
  assert.equal(countersign.signedIn, false);
  await assert.rejects(countersign.logout({ everywhere: true }), (error) => reasonOf(error) === "TOKEN_INVALID");
});

test("deleting the account signs out in every tab", async () => {
  const browser = new Browser();
  const [one, other] = [browser.tab(), browser.tab()];
  await one.countersign.login({ identifier: "ada", password: "x" });
  await one.countersign.account.deleteMe({ currentPassword: "x" });
  await setImmediate();
  assert.deepEqual(other.changes, [{ signedIn: true }, { signedIn: false }]);
});

test("another person's login is told, a refresh is not", async () => {
  const browser = new Browser();
  const { countersign, changes } = browser.tab();
  await countersign.login({ identifier: "ada", password: "x" });
  browser.expire();
  await countersign.account.getMe({});
  await countersign.login({ identifier: "grace", password: "x" });
  assert.equal(browser.count("Refresh"), 1);
  assert.deepEqual(changes, [{ signedIn: true }, { signedIn: true }]);
});

test("no token comes out, even if the service sent one", async () => {
  const browser = new Browser();
  const opened = await browser.tab().countersign.login({ identifier: "ada", password: "x" });
  assert.deepEqual(Object.keys(opened).sort(), ["account", "expireTime", "sessionId"]);
});
