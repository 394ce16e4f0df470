import assert from "node:assert/strict";
import { test } from "node:test";
import type { Account, Countersign } from "@countersign/client";
import { AccountStore } from "../src/account-store";
import { Hearing } from "./browser";

/** A service that knows one account after the other, and answers when the test says so. */
function open() {
  const hearing = new Hearing(true);
  const waiting: ((email: string) => void)[] = [];
  const getMe = () => new Promise((resolve) => waiting.push((email) => resolve({ account: { email } as Account })));
  const service = { account: { getMe }, onChange: hearing.onChange.bind(hearing) } as unknown as Countersign;
  return { hearing, waiting, store: new AccountStore(service) };
}

test("an account is asked for once", async () => {
  const { store, waiting } = open();
  const loaded = store.load();
  waiting[0]?.("ada@example.org");
  assert.equal((await loaded).email, "ada@example.org");
  assert.equal((await store.load()).email, "ada@example.org");
  assert.equal(waiting.length, 1);
});

test("an answer about the one who was signed in before is not shown to the next", async () => {
  const { store, waiting, hearing } = open();
  const loaded = store.load();
  hearing.tell({ signedIn: true });
  waiting[0]?.("ada@example.org");
  while (waiting.length < 2) await Promise.resolve();
  waiting[1]?.("grace@example.org");
  assert.equal((await loaded).email, "grace@example.org");
});

test("a late answer to a change is not kept for the next, nor for nobody", async () => {
  for (const signedIn of [true, false]) {
    const { store, hearing } = open();
    let answer = (_: { account: Account }) => {};
    const changed = store.change(() => new Promise((resolve) => (answer = resolve)));
    hearing.tell({ signedIn });
    answer({ account: { accountId: "ada" } as Account });
    await changed;
    assert.equal(store.known, undefined);
  }
});

test("an answer to a change is kept", async () => {
  const { store } = open();
  await store.change(async () => ({ account: { accountId: "ada", displayName: "Ada" } as Account }));
  assert.equal(store.known?.displayName, "Ada");
});

test("what was typed is forgotten by signing out, and not by a session that ends by itself", () => {
  const { store, hearing } = open();
  store.identifier = "ada@example.org";
  hearing.tell({ signedIn: false, reason: "SESSION_EXPIRED" });
  assert.equal(store.identifier, "ada@example.org");
  hearing.tell({ signedIn: false });
  assert.equal(store.identifier, "");
});

test("a user name that was wished for is taken once, by whoever verifies the address that it was wished with", () => {
  const { store } = open();
  store.wish("ada@example.org", " ada ");
  assert.equal(store.takeWish("grace@example.org"), "", "it is somebody else's");
  assert.equal(store.takeWish(" Ada@Example.org\u00a0"), "ada");
  assert.equal(store.takeWish("ada@example.org"), "");
});

test("a link does not say whose it is, and is taken for the last sign-up's", () => {
  const { store } = open();
  store.wish("ada@example.org", "ada");
  assert.equal(store.takeWish(), "ada");
  assert.equal(store.takeWish(), "");
});

test("a wish is forgotten when another person registers, whether or not they wish for a name", () => {
  for (const username of ["grace", "", " "]) {
    const { store } = open();
    store.wish("ada@example.org", "ada");
    store.wish("grace@example.org", username);
    assert.equal(store.takeWish("ada@example.org"), "");
    assert.equal(store.takeWish(), username.trim());
  }
});

test("a wish is forgotten when somebody signs in or out, and not by a session that ends by itself", () => {
  for (const [change, left] of [
    [{ signedIn: true }, ""],
    [{ signedIn: false }, ""],
    [{ signedIn: false, reason: "SESSION_EXPIRED" }, "ada"],
  ] as const) {
    const { store, hearing } = open();
    store.wish("ada@example.org", "ada");
    hearing.tell(change);
    assert.equal(store.takeWish(), left);
  }
});

test("a user name is no address", () => {
  const { store } = open();
  store.identifier = "ada";
  assert.equal(store.address, "");
  store.identifier = " ada@example.org ";
  assert.equal(store.address, "ada@example.org");
});
