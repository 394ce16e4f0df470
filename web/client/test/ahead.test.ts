import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { reasonOf } from "../src/index.js";
import { Browser, refusal } from "./browser.js";

const HOUR = 3_600_000;

/** A browser with ten tabs and a signed-in person. Its clock is wrong by `wrong` milliseconds. */
async function signedIn({ wrong = 0, lifetime = 600_000 } = {}) {
  const browser = Object.assign(new Browser(), { lifetime });
  browser.time += wrong;
  const tabs = Array.from({ length: 10 }, () => browser.tab().countersign);
  const [first] = tabs as [(typeof tabs)[0]];
  await first.login({ identifier: "ada", password: "x" });
  browser.received.length = 0;
  const callInAll = () => Promise.all(tabs.map(({ account }) => account.getMe({})));
  return { browser, first, callInAll };
}

for (const wrong of [0, HOUR, -HOUR]) {
  test(`shortly before the token expires ten tabs refresh once, with a clock that is wrong by ${wrong} ms`, async () => {
    const { browser, callInAll } = await signedIn({ wrong });
    browser.pass(560_000);
    await callInAll();
    assert.equal(browser.count("Refresh"), 0);
    browser.pass(15_000);
    await callInAll();
    await callInAll();
    assert.deepEqual([browser.count("Refresh"), browser.count("GetMe")], [1, 30]);
    browser.pass(575_000);
    await callInAll();
    assert.equal(browser.count("Refresh"), 2);
  });
}

test("tokens that live a minute are refreshed when they are refused", async () => {
  const { browser, callInAll } = await signedIn({ lifetime: 60_000 });
  browser.pass(59_000);
  await callInAll();
  assert.equal(browser.count("Refresh"), 0);
});

test("a refresh ahead of time that fails does not fail the call", async () => {
  const { browser, first } = await signedIn();
  browser.pass(575_000);
  browser.instead = (method) => (method === "Refresh" ? refusal("OVERLOADED", { code: Code.ResourceExhausted, wait: 60_000 }) : undefined);
  await first.account.getMe({});
  assert.equal(first.signedIn, true);
});

test("a refresh ahead of time that finds the session ended says so", async () => {
  const { browser, first } = await signedIn();
  browser.pass(575_000);
  browser.live = undefined;
  await assert.rejects(first.account.getMe({}), (error) => reasonOf(error) === "SESSION_ENDED");
  assert.equal(first.signedIn, false);
  assert.equal(browser.count("GetMe"), 0);
});
