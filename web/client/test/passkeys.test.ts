import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Code } from "@connectrpc/connect";
import { CookiesNotKept, NoPasskey, reasonOf, type PasskeyFault } from "../src/index.js";
import { Authenticator } from "./authenticator.js";
import { Browser, gate, refusal } from "./browser.js";

const ADA = { identifier: "ada", password: "x" };
const MINUTE = 60_000;

/** A tab of a browser whose person has a passkey. */
function open() {
  const browser = new Browser();
  const authenticator = (browser.authenticator = new Authenticator());
  return { browser, authenticator, ...browser.tab() };
}

/** A browser in whose autofill the person may choose a passkey, as often as the test says. */
function autofilling() {
  const opened = open();
  const { authenticator, countersign } = opened;
  let choice = gate();
  const choose = () => {
    choice.open();
    choice = gate();
  };
  authenticator.person = ({ autofill }) => (autofill ? choice.pass : Promise.resolve());
  const chosen: string[] = [];
  const offer = (signal?: AbortSignal) => {
    const onChosen = () => chosen.push("chosen");
    return countersign.loginWithPasskey({ autofill: true, onChosen, ...(signal && { signal }) });
  };
  return { ...opened, chosen, choose, offer };
}

/** Waits until everything that does not wait for the person is done. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await setImmediate();
}

function noPasskey(fault: PasskeyFault) {
  return (error: unknown) => error instanceof NoPasskey && error.fault === fault;
}

test("a passkey alone opens a session, for all tabs, and no token comes out", async () => {
  const { browser, countersign, changes, authenticator } = open();
  const other = browser.tab();
  const opened = await countersign.loginWithPasskey({ audience: "shop", deviceName: "Desk" });
  assert.deepEqual(Object.keys(opened).sort(), ["account", "expireTime", "sessionId"]);
  await other.countersign.account.getMe({});
  assert.deepEqual([changes, other.countersign.signedIn], [[{ signedIn: true }], true]);
  assert.deepEqual(browser.named, ["shop", "Desk"]);
  assert.deepEqual(authenticator.last?.autofill, false);
  assert.deepEqual(browser.received, ["StartPasskeyLogin", "CompleteLogin", "GetMe", "GetMe"]);
});

test("a login by passkey begins again when its first answer is lost, and is completed once", async () => {
  const { browser, countersign } = open();
  browser.homeward = async (method) => {
    const isLost = { StartPasskeyLogin: 1, CompleteLogin: 1 }[method] === browser.count(method);
    if (isLost) throw new TypeError("Failed to fetch");
  };
  await assert.rejects(countersign.loginWithPasskey(), (error) => reasonOf(error) === undefined);
  assert.deepEqual([browser.count("StartPasskeyLogin"), browser.count("CompleteLogin")], [2, 1]);
});

test("tabs that begin at once in a new browser are bound to the same cookie", async () => {
  const { browser } = open();
  const tabs = [browser.tab(), browser.tab()];
  await Promise.all(tabs.map(({ countersign }) => countersign.loginWithPasskey()));
  assert.equal(browser.count("CompleteLogin"), 2);
});

test("another tab that hangs while it begins is not waited for endlessly", async () => {
  const { browser, countersign } = open();
  const held = gate();
  void browser.locks.request("countersign https://id.example.org passkey", {}, () => held.pass);
  const login = countersign.loginWithPasskey();
  await settled();
  assert.equal(browser.count("StartPasskeyLogin"), 0);
  browser.pass(15_000);
  await login;
  held.open();
});

test("what the browser answers instead of a passkey is told apart", async () => {
  for (const [name, fault] of [
    ["NotAllowedError", "DISMISSED"],
    ["AbortError", "DISMISSED"],
    ["SecurityError", "ORIGIN"],
    ["NotSupportedError", "UNUSABLE"],
    ["ConstraintError", "UNUSABLE"],
    ["UnknownError", "UNUSABLE"],
  ] as const) {
    const { browser, countersign, authenticator } = open();
    authenticator.person = async () => Promise.reject(new DOMException("no", name));
    await assert.rejects(countersign.loginWithPasskey(), noPasskey(fault), name);
    assert.equal(browser.count("CompleteLogin"), 0);
  }
});

test("a browser without passkeys says so", async () => {
  const browser = new Browser();
  browser.authenticator = undefined;
  await assert.rejects(browser.tab().countersign.loginWithPasskey(), noPasskey("UNUSABLE"));
});

test("a service without passkeys says so before anybody is asked", async () => {
  const { browser, countersign, authenticator } = open();
  browser.instead = () => refusal("PASSKEYS_UNAVAILABLE", { code: Code.FailedPrecondition });
  await assert.rejects(countersign.loginWithPasskey(), (error) => reasonOf(error) === "PASSKEYS_UNAVAILABLE");
  assert.deepEqual(authenticator.asked, []);
});

test("a passkey opens no session where no cookie is kept", async () => {
  const { browser, countersign } = open();
  browser.keepsCookies = false;
  await assert.rejects(countersign.loginWithPasskey(), CookiesNotKept);
  browser.saysCookies = false;
  browser.received.length = 0;
  await assert.rejects(countersign.loginWithPasskey(), CookiesNotKept);
  assert.deepEqual([browser.received, countersign.signedIn], [[], undefined]);
});

test("a person who gives up ends the request", async () => {
  const { browser, countersign, authenticator } = open();
  authenticator.person = () => new Promise(() => {});
  const hurried = new AbortController();
  const login = countersign.loginWithPasskey({ signal: hurried.signal });
  await settled();
  hurried.abort();
  await assert.rejects(login, (error) => error === hurried.signal.reason);
  assert.equal(browser.count("CompleteLogin"), 0);
});

test("the autofill waits until a passkey is chosen", async () => {
  const { browser, authenticator, offer, choose, chosen } = autofilling();
  const login = offer();
  await settled();
  assert.deepEqual([authenticator.last?.autofill, chosen, browser.received], [true, [], ["StartPasskeyLogin"]]);
  choose();
  await login;
  assert.deepEqual([chosen, browser.live?.session], [["chosen"], 1]);
});

test("the autofill has a new challenge before the old one expires, by whatever clock", async () => {
  const { browser, authenticator, offer, choose } = autofilling();
  browser.time = 9_000_000;
  const login = offer();
  await settled();
  browser.pass(4 * MINUTE);
  await settled();
  assert.equal(browser.count("StartPasskeyLogin"), 1);
  for (let times = 2; times < 5; times++) {
    browser.pass(4.5 * MINUTE);
    await settled();
    assert.equal(browser.count("StartPasskeyLogin"), times);
  }
  assert.equal(new Set(authenticator.asked.map(({ challenge }) => challenge)).size, 4);
  choose();
  await login;
});

test("the autofill gives way to whatever the person begins, and comes back when that fails", async () => {
  const { browser, countersign, authenticator, offer, choose } = autofilling();
  browser.instead = (method) => (method === "Login" ? refusal("CREDENTIALS_INVALID") : undefined);
  const login = offer();
  await settled();
  await assert.rejects(countersign.login(ADA));
  await settled();
  assert.deepEqual(authenticator.asked.map(({ autofill }) => autofill), [true, true]);
  const agreeing = authenticator.person;
  authenticator.person = (asked) =>
    asked.autofill ? agreeing(asked) : Promise.reject(new DOMException("no", "NotAllowedError"));
  await assert.rejects(countersign.loginWithPasskey(), noPasskey("DISMISSED"));
  await settled();
  assert.deepEqual(authenticator.asked.map(({ autofill }) => autofill), [true, true, false, true]);
  choose();
  await login;
});

test("nothing is offered while a password is checked", async () => {
  const { browser, countersign, authenticator, offer, choose } = autofilling();
  const late = gate();
  browser.homeward = async (method) => (method === "Login" ? late.pass : undefined);
  const ended = new AbortController();
  const offered = offer(ended.signal);
  await settled();
  const login = countersign.login(ADA);
  browser.pass(10 * MINUTE);
  await settled();
  choose();
  await settled();
  assert.deepEqual([authenticator.asked.length, browser.count("CompleteLogin")], [1, 0]);
  ended.abort();
  await assert.rejects(offered, (error) => error === ended.signal.reason);
  late.open();
  await login;
});

test("an autofill that is ended asks for nothing more", async () => {
  const { browser, authenticator, offer } = autofilling();
  const ended = new AbortController();
  const login = offer(ended.signal);
  await settled();
  ended.abort();
  await assert.rejects(login, (error) => error === ended.signal.reason);
  browser.pass(60 * MINUTE);
  await settled();
  assert.deepEqual([browser.received, authenticator.asked.length], [["StartPasskeyLogin"], 1]);
});

test("what the person dismisses in the autofill is offered again; what the browser refuses at once is not", async () => {
  const { browser, authenticator, offer, choose } = autofilling();
  const agreeing = authenticator.person;
  authenticator.person = async () => {
    authenticator.person = agreeing;
    browser.pass(3_000);
    throw new DOMException("no", "NotAllowedError");
  };
  const login = offer();
  await settled();
  assert.equal(authenticator.asked.length, 2);
  choose();
  await login;
  authenticator.person = async () => Promise.reject(new DOMException("no", "NotAllowedError"));
  await assert.rejects(offer(), noPasskey("DISMISSED"));
});

test("a browser that does not end the autofill delays the person no further", async () => {
  const { browser, countersign, authenticator, offer } = autofilling();
  authenticator.endsOnAbort = false;
  offer().catch(() => {});
  await settled();
  await assert.rejects(countersign.loginWithPasskey(), noPasskey("UNUSABLE"));
  await countersign.login(ADA);
  assert.equal(browser.live?.session, 1);
});

test("a passkey is a second step, without another call before it", async () => {
  const { browser, countersign } = open();
  browser.secondFactor = true;
  const { challenge } = await countersign.login(ADA);
  assert.ok(challenge?.methods.includes("PASSKEY"));
  await countersign.completeLogin({ passkey: true });
  assert.deepEqual(browser.received, ["Login", "CompleteLogin", "GetMe"]);
});

test("a second step that was dismissed may be tried again", async () => {
  const { browser, countersign, authenticator } = open();
  browser.secondFactor = true;
  await countersign.login(ADA);
  const agreeing = authenticator.person;
  authenticator.person = async () => Promise.reject(new DOMException("no", "NotAllowedError"));
  await assert.rejects(countersign.completeLogin({ passkey: true }), noPasskey("DISMISSED"));
  authenticator.person = agreeing;
  await countersign.completeLogin({ passkey: true });
  assert.equal(countersign.signedIn, true);
});

test("no tab waits while a person looks for a passkey", async () => {
  const { browser, countersign, authenticator } = open();
  browser.secondFactor = true;
  await countersign.login(ADA);
  const looking = gate();
  authenticator.person = () => looking.pass;
  const step = countersign.completeLogin({ passkey: true });
  await browser.tab().countersign.logout();
  looking.open();
  await step;
});

test("a passkey is a fresh proof", async () => {
  const { browser, countersign } = open();
  browser.signIn();
  browser.secondFactor = true;
  const { sessionId } = await countersign.reauthenticate({ passkey: true });
  assert.equal(sessionId, "1");
  assert.deepEqual(browser.jar, { session: 1, generation: 2, access: true });
  assert.deepEqual(browser.received, ["StartPasskeyReauthentication", "Reauthenticate"]);
});

test("a fresh proof refreshes before the person is asked, and asks once", async () => {
  const { browser, countersign, authenticator } = open();
  browser.signIn();
  browser.expire();
  const looking = gate();
  authenticator.person = () => looking.pass;
  const proof = countersign.reauthenticate({ passkey: true });
  await settled();
  assert.deepEqual(browser.received, ["StartPasskeyReauthentication", "Refresh", "StartPasskeyReauthentication"]);
  browser.expire();
  looking.open();
  await proof;
  assert.deepEqual(browser.received.slice(3), ["Reauthenticate", "Refresh", "Reauthenticate"]);
  assert.equal(authenticator.asked.length, 1);
});

test("a passkey that signs too late leaves the session, and is a fresh proof when it signs again", async () => {
  const { browser, countersign, authenticator } = open();
  browser.signIn();
  authenticator.person = async () => browser.pass(300_000);
  await assert.rejects(countersign.reauthenticate({ passkey: true }), (error) => reasonOf(error) === "CHALLENGE_INVALID");
  assert.equal(browser.count("Reauthenticate"), 1);
  authenticator.person = async () => {};
  assert.equal((await countersign.reauthenticate({ passkey: true })).sessionId, "1");
});

test("a passkey is added, and named after its authenticator unless there is a name", async () => {
  const { browser, countersign, authenticator } = open();
  browser.signIn();
  const { factor, backupCodes } = await countersign.addPasskey();
  assert.deepEqual([factor?.name, backupCodes], ["unnamed", ["one", "two"]]);
  assert.equal((await countersign.addPasskey({ name: "Key" })).factor?.name, "Key");
  assert.equal(authenticator.last?.kind, "create");
  assert.deepEqual(browser.received, ["StartPasskey", "FinishPasskey", "StartPasskey", "FinishPasskey"]);
});

test("an authenticator that has a passkey of the account adds none", async () => {
  const { browser, countersign, authenticator } = open();
  browser.signIn();
  authenticator.person = async () => Promise.reject(new DOMException("no", "InvalidStateError"));
  await assert.rejects(countersign.addPasskey(), noPasskey("KNOWN"));
  assert.deepEqual(browser.received, ["StartPasskey"]);
});
