import assert from "node:assert/strict";
import { test } from "node:test";
import { reasonOf, type Countersign } from "../src/index.js";
import { Browser, NEWS } from "./browser.js";

/** The number of messages that arrive. */
async function listen(countersign: Countersign): Promise<number> {
  const news = countersign.client(NEWS) as unknown as { listen(request: object): AsyncIterable<unknown> };
  let said = 0;
  for await (const _ of news.listen({})) said++;
  return said;
}

test("a stream is opened again with fresh tokens, in ten tabs with one refresh", async () => {
  const browser = new Browser();
  browser.signIn();
  browser.expire();
  const said = await Promise.all(Array.from({ length: 10 }, () => listen(browser.tab().countersign)));
  assert.deepEqual(said, Array.from({ length: 10 }, () => 3));
  assert.deepEqual([browser.count("Listen"), browser.count("Refresh")], [20, 1]);
});

test("a stream that breaks after its first message is not opened again", async () => {
  const browser = new Browser();
  browser.signIn();
  browser.breakAfter = 1;
  await assert.rejects(listen(browser.tab().countersign), (error) => reasonOf(error) === "TOKEN_EXPIRED");
  assert.deepEqual(browser.received, ["Listen"]);
});

test("a stream without a session says why it is refused", async () => {
  const browser = new Browser();
  await assert.rejects(listen(browser.tab().countersign), (error) => reasonOf(error) === "TOKEN_MISSING");
});
