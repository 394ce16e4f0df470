import assert from "node:assert/strict";
import { test } from "node:test";
import type { Account, Countersign } from "@countersign/client";
import { AccountStore } from "../src/account-store";
import { Era } from "../src/era";
import { Navigation } from "../src/navigation";
import { Notices } from "../src/notices";
import { Presence } from "../src/presence";
import { PATHS } from "../src/routes";
import { Hearing, Tab } from "./browser";

function open(address: string, signedIn?: boolean) {
  const tab = new Tab(address);
  const navigation = new Navigation(tab);
  const notices = new Notices();
  const hearing = new Hearing(signedIn);
  // The person of the cookies; `undefined` when the service cannot be reached.
  const who: { is: string | undefined } = { is: "ada" };
  const getMe = async () => {
    if (who.is === undefined) throw new Error("no answer");
    return { account: { accountId: who.is } as Account };
  };
  const account = new AccountStore({ account: { getMe }, onChange: hearing.onChange.bind(hearing) } as unknown as Countersign);
  const era = new Era({ concerns: () => true, listen: () => {} });
  const presence = new Presence(hearing, navigation, notices, account, era);
  return { tab, navigation, notices, hearing, presence, account, who };
}

/** Waits until everything that has begun has ended. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("the start leads to the account of whoever is signed in, and everybody else to signing in", () => {
  assert.equal(open("/", true).navigation.place.page, "account");
  assert.equal(open("/", false).navigation.place.page, "signIn");
  assert.deepEqual(open("/").tab.entries, ["/sign-in"]);
});

test("who is signed in has no use for signing in", () => {
  assert.equal(open("/sign-in", true).navigation.place.page, "account");
});

test("who has to sign in first comes to where they wanted to go", () => {
  const { navigation, notices, hearing, tab } = open("/account/sessions", false);
  assert.equal(navigation.place.page, "signIn");
  assert.deepEqual(notices.take(), { tone: "plain", key: "signInFirst" });
  hearing.tell({ signedIn: true });
  assert.deepEqual(tab.entries, ["/account/sessions"]);
});

test("what is shown once keeps the person on the sign-in page until it is stored", () => {
  const { navigation, hearing, presence, tab } = open("/account/sessions", false);
  const [leave, other] = [presence.stay(), presence.stay()];
  hearing.tell({ signedIn: true });
  presence.arrive();
  assert.equal(navigation.place.page, "signIn");
  other();
  other();
  assert.equal(navigation.place.page, "signIn", "the first one still shows something");
  leave();
  assert.deepEqual(tab.entries, ["/account/sessions"]);
});

test("who gives up what is shown once stays on the sign-in page", () => {
  const { navigation, presence } = open("/sign-in", false);
  presence.stay()();
  assert.equal(navigation.place.page, "signIn");
});

test("where somebody wanted to go is forgotten once they got there", () => {
  const { navigation, hearing } = open("/account/delete", false);
  hearing.tell({ signedIn: true });
  navigation.go(PATHS.signIn);
  assert.equal(navigation.place.page, "account");
});

test("a session that ends is told with its reason, and the way back is kept", () => {
  const { navigation, notices, hearing } = open("/account/email", true);
  hearing.tell({ signedIn: false, reason: "REFRESH_TOKEN_REUSED" });
  assert.equal(navigation.place.page, "signIn");
  assert.deepEqual(notices.take(), { tone: "bad", reason: "REFRESH_TOKEN_REUSED" });
  hearing.tell({ signedIn: true });
  assert.equal(navigation.place.page, "email");
});

test("who was never signed in is not told that a session ended", () => {
  const { notices, hearing } = open("/account");
  hearing.tell({ signedIn: false, reason: "TOKEN_MISSING" });
  assert.deepEqual(notices.take(), { tone: "plain", key: "signInFirst" });
});

test("signing out in another tab is told as that", () => {
  const { notices, hearing } = open("/account", true);
  hearing.tell({ signedIn: false });
  assert.deepEqual(notices.take(), { tone: "plain", key: "signedOutElsewhere" });
});

test("who signs out here is told so, whatever the service still knew, and is led nowhere afterwards", async () => {
  for (const change of [{ signedIn: false }, { signedIn: false, reason: "SESSION_ENDED" }] as const) {
    const { presence, navigation, notices, hearing } = open("/account/sessions", true);
    await presence.leave("signedOut", async () => hearing.tell(change));
    assert.deepEqual(notices.take(), { tone: "good", key: "signedOut" });
    hearing.tell({ signedIn: true });
    assert.equal(navigation.place.page, "account");
  }
});

test("a session that ends while the account is being deleted did not end because it was", async () => {
  const { presence, notices, hearing } = open("/account/delete", true);
  await presence.leave("deleted", async () => hearing.tell({ signedIn: false, reason: "SESSION_ENDED" }));
  assert.deepEqual(notices.take(), { tone: "bad", reason: "SESSION_ENDED" });
});

test("a sign-out that failed leaves nothing behind", async () => {
  const { presence, notices, hearing } = open("/account", true);
  await assert.rejects(presence.leave("signedOut", () => Promise.reject(new Error("no answer"))));
  hearing.tell({ signedIn: false });
  assert.deepEqual(notices.take(), { tone: "plain", key: "signedOutElsewhere" });
});

test("pages that need nobody stay where they are when a session ends", () => {
  const { navigation, hearing } = open("/verify", true);
  const before = navigation.place;
  hearing.tell({ signedIn: false, reason: "SESSION_ENDED" });
  assert.equal(navigation.place, before);
});

test("who signs in elsewhere while reading a mailed link is not taken away from it", () => {
  const { navigation, hearing } = open("/reset#token=abc", false);
  hearing.tell({ signedIn: true });
  assert.deepEqual([navigation.place.page, navigation.place.token], ["reset", "abc"]);
});

test("what another tab did, found out while guarding a page, is told once and leads back to that page", () => {
  const { tab, navigation, notices, hearing } = open("/sign-in", false);
  hearing.signedIn = true;
  // Reading `signedIn` reads the note of the other tab, and notifies all listeners before it returns.
  Object.defineProperty(hearing, "signedIn", {
    configurable: true,
    get() {
      Object.defineProperty(hearing, "signedIn", { value: false, writable: true });
      hearing.tell({ signedIn: false, reason: "SESSION_ENDED" });
      return false;
    },
  });
  navigation.go(PATHS.sessions);
  assert.deepEqual(notices.take(), { tone: "bad", reason: "SESSION_ENDED" });
  hearing.tell({ signedIn: true });
  assert.equal(tab.address, "/account/sessions");
});

test("a page about an account is made anew, and says so, when another tab signs in as somebody else", async () => {
  for (const path of ["/account", "/account/email", "/account/password", "/account/sessions", "/account/delete"]) {
    const { tab, navigation, notices, hearing, account, who } = open(path, true);
    await account.load();
    const { visit } = navigation.place;
    who.is = "grace";
    hearing.tell({ signedIn: true });
    await settled();
    assert.equal(navigation.place.visit, visit + 1);
    assert.deepEqual(tab.entries, [path]);
    assert.deepEqual(notices.take(), { tone: "plain", key: "otherAccount" });
    assert.equal(account.known?.accountId, "grace");
  }
});

test("who signs in again finds what they typed; only the list of devices is asked for again", async () => {
  for (const [path, anew] of [["/account", 0], ["/account/email", 0], ["/account/sessions", 1]] as const) {
    const { navigation, notices, hearing, account } = open(path, true);
    await account.load();
    const { visit } = navigation.place;
    hearing.tell({ signedIn: true });
    await settled();
    assert.equal(navigation.place.visit, visit + anew);
    assert.equal(notices.take(), undefined);
  }
});

test("a page is made anew where nobody can tell whose it was or is", async () => {
  for (const [was, is] of [[undefined, "grace"], ["ada", undefined]]) {
    const { navigation, notices, hearing, account, who } = open("/account", true);
    if (was) await account.load();
    const { visit } = navigation.place;
    who.is = is;
    hearing.tell({ signedIn: true });
    await settled();
    assert.equal(navigation.place.visit, visit + 1);
    assert.equal(notices.take(), undefined);
  }
});
