import assert from "node:assert/strict";
import { test } from "node:test";
import { proofMethodsOf, reasonOf } from "../src/index.js";
import { Browser } from "./browser.js";

const ADA = { identifier: "ada", password: "x" };

/** A browser of a person whose account has a second factor. */
function browserOfAda(): Browser {
  const browser = new Browser();
  browser.secondFactor = true;
  return browser;
}

test("a login with a second factor opens no session before the code, and then one for all tabs", async () => {
  const browser = browserOfAda();
  const [one, other] = [browser.tab(), browser.tab()];
  const { challenge } = await one.countersign.login(ADA);
  assert.deepEqual(challenge?.methods, ["TOTP", "BACKUP_CODE", "PASSKEY"], "a method that this version does not know is left out");
  assert.deepEqual([one.countersign.signedIn, browser.jar, one.changes], [undefined, undefined, []]);
  const { sessionId } = await one.countersign.completeLogin({ totpCode: "right" });
  assert.equal(sessionId, "1");
  await other.countersign.account.getMe({});
  assert.deepEqual([one.changes, other.countersign.signedIn], [[{ signedIn: true }], true]);
  assert.deepEqual(browser.received, ["Login", "CompleteLogin", "GetMe", "GetMe"]);
});

test("without a second factor a login has no challenge", async () => {
  const opened = await new Browser().tab().countersign.login(ADA);
  assert.equal(opened.challenge, undefined);
});

test("no token of a challenge comes out, even if the service sent one", async () => {
  const opened = await browserOfAda().tab().countersign.login(ADA);
  assert.deepEqual(Object.keys(opened), ["challenge"]);
  assert.deepEqual(Object.keys(opened.challenge ?? {}).sort(), ["expireTime", "methods", "rememberFor"]);
});

test("a challenge ends in time by the clock of the browser, however wrong it is", async () => {
  const browser = browserOfAda();
  browser.time = 9_000_000;
  const { challenge } = await browser.tab().countersign.login(ADA);
  assert.equal(challenge?.expireTime?.getTime(), 9_300_000);
});

test("a challenge says for how long the device can be remembered, and nothing where none is", async () => {
  const browser = browserOfAda();
  const rememberFor = async () => (await browser.tab().countersign.login(ADA)).challenge?.rememberFor;
  assert.equal(await rememberFor(), 30 * 86_400_000);
  browser.rememberSeconds = undefined;
  assert.equal(await rememberFor(), undefined);
});

test("a device is remembered only when that is requested, by whatever proof", async () => {
  const browser = browserOfAda();
  const { countersign } = browser.tab();
  for (const proof of [{ totpCode: "right" }, { backupCode: "right" }, { passkey: true }] as const) {
    for (const completion of [undefined, {}, { rememberDevice: false }, { rememberDevice: true }]) {
      await countersign.login(ADA);
      await countersign.completeLogin(proof, completion);
    }
  }
  const [no, yes] = [false, true];
  assert.deepEqual(browser.remembered, [no, no, no, yes, no, no, no, yes, no, no, no, yes]);
});

test("options of the call go with the wish to remember the device", async () => {
  const browser = browserOfAda();
  const { countersign } = browser.tab();
  await countersign.login(ADA);
  let headers = 0;
  await countersign.completeLogin({ totpCode: "right" }, { rememberDevice: true, onHeader: () => headers++ });
  assert.deepEqual([browser.remembered, headers], [[true], 1]);
});

test("a login by passkey alone remembers no device", async () => {
  const browser = browserOfAda();
  await browser.tab().countersign.loginWithPasskey();
  assert.deepEqual(browser.remembered, [false]);
});

test("a wrong code is not repeated, and the next one may be right", async () => {
  const browser = browserOfAda();
  const { countersign, changes } = browser.tab();
  await countersign.login(ADA);
  const wrong = countersign.completeLogin({ backupCode: "wrong" });
  await assert.rejects(wrong, (error) => reasonOf(error) === "CODE_INVALID");
  assert.deepEqual([browser.count("CompleteLogin"), changes], [1, []]);
  await countersign.completeLogin({ backupCode: "right" });
  assert.equal(countersign.signedIn, true);
});

test("a second step whose answer is lost is not repeated, and then the challenge is used", async () => {
  const browser = browserOfAda();
  const { countersign } = browser.tab();
  await countersign.login(ADA);
  browser.homeward = async (method) => {
    if (method === "CompleteLogin" && browser.count(method) === 1) throw new TypeError("Failed to fetch");
  };
  await assert.rejects(countersign.completeLogin({ totpCode: "right" }), (error) => reasonOf(error) === undefined);
  assert.equal(browser.count("CompleteLogin"), 1);
  const again = countersign.completeLogin({ totpCode: "right" });
  await assert.rejects(again, (error) => reasonOf(error) === "CHALLENGE_INVALID");
  assert.equal(countersign.signedIn, undefined);
});

test("a fresh proof is a code where the account has a factor, and the error says so", async () => {
  const browser = browserOfAda();
  browser.signIn();
  const { countersign } = browser.tab();
  const refused = countersign.reauthenticate("right");
  await assert.rejects(refused, (error) => proofMethodsOf(error).join() === "TOTP,BACKUP_CODE");
  await countersign.reauthenticate({ totpCode: "right" });
  await countersign.reauthenticate({ backupCode: "right" });
  assert.deepEqual(browser.jar, { session: 1, generation: 3, access: true });
});

test("a password may be named or not", async () => {
  const browser = new Browser();
  browser.signIn();
  const { countersign } = browser.tab();
  await countersign.reauthenticate("right");
  await countersign.reauthenticate({ password: "right" });
  assert.equal(browser.count("Reauthenticate"), 2);
});

test("the factors refresh like any other call", async () => {
  const browser = browserOfAda();
  browser.signIn();
  browser.expire();
  const { factors } = await browser.tab().countersign.factors.listFactors({});
  assert.deepEqual(factors.map(({ name }) => name), ["Phone"]);
  assert.deepEqual(browser.received, ["ListFactors", "Refresh", "ListFactors"]);
});

test("remembered devices refresh like any other call, and a device that is forgotten already says so", async () => {
  const browser = browserOfAda();
  browser.signIn();
  browser.expire();
  const { factors } = browser.tab().countersign;
  const { devices } = await factors.listRememberedDevices({});
  assert.deepEqual(devices.map(({ deviceId, current }) => [deviceId, current]), [["laptop", true]]);
  await factors.forgetDevice({ deviceId: "laptop" });
  const refused = factors.forgetDevice({ deviceId: "other" });
  await assert.rejects(refused, (error) => reasonOf(error) === "DEVICE_NOT_FOUND");
  const calls = ["ListRememberedDevices", "Refresh", "ListRememberedDevices", "ForgetDevice", "ForgetDevice"];
  assert.deepEqual(browser.received, calls);
});
