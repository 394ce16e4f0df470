import assert from "node:assert/strict";
import { test } from "node:test";
import { linkIn, straightened, tokenIn } from "../src/mail-link";
import { Navigation } from "../src/navigation";
import { needsSession, pageAt, PATHS } from "../src/routes";
import { Tab } from "./browser";

test("the token of a mailed link is taken, and is gone from the address and from the history", () => {
  for (const path of [PATHS.verify, PATHS.reset, PATHS.confirmEmail]) {
    const tab = new Tab(`${path}#token=v4.local.abc_-`);
    const { place } = new Navigation(tab);
    assert.equal(place.token, "v4.local.abc_-");
    assert.deepEqual(tab.entries, [path]);
  }
});

test("a link that a gateway or a mail program bent leads to its page with its token, and the address is clean", () => {
  const bent = [
    "/verify%23token=v4.local.abc",
    "/verify%23token%3Dv4.local.abc",
    "/verify/#token=v4.local.abc",
    "/verify/%23token=v4.local.abc",
    "/verify#token=v4.local.abc&utm_source=mail",
    "/verify?utm_source=mail#token=v4.local.abc",
    "/verify?token=v4.local.abc",
    "/verify#token=v4.local.abc.",
    "/verify#token=v4.local.abc%3E",
    "/verify#token=v4.local.abc>",
    "/verify#token%3Dv4.local.abc",
    "/verify#token=3Dv4.local.abc",
  ];
  for (const address of bent) {
    const tab = new Tab(address);
    const { place } = new Navigation(tab);
    assert.deepEqual([place.page, place.token, tab.entries], ["verify", "v4.local.abc", ["/verify"]], address);
  }
});

test("a link that lost its token leads to the page that asks for the code", () => {
  for (const address of ["/verify", "/verify/", "/verify#", "/verify#token=", "/verify%3E", "/verify."]) {
    const tab = new Tab(address);
    const { place } = new Navigation(tab);
    assert.deepEqual([place.page, place.token, tab.entries[0]?.split("#")[0]], ["verify", undefined, "/verify"], address);
  }
});

test("a path that no page has stays as it is, whatever is behind it", () => {
  assert.equal(new Navigation(new Tab("/nowhere/")).place.page, undefined);
  assert.equal(new Navigation(new Tab("/nowhere%23token=abc")).place.page, undefined);
  assert.equal(straightened("/"), "");
});

test("the token is found in whatever was pasted in place of a code", () => {
  for (const pasted of ["v4.local.abc", "https://id.example.org/verify#token=v4.local.abc", "<https://id.example.org/verify#token=v4.local.abc>."]) {
    assert.equal(tokenIn(pasted), "v4.local.abc", pasted);
  }
  for (const typed of ["1234 5678", "", "token", "#token="]) assert.equal(tokenIn(typed), undefined, typed);
});

test("a token on a page that takes none is dropped, and dropped from the address", () => {
  const tab = new Tab("/sign-in#token=abc");
  assert.equal(new Navigation(tab).place.token, undefined);
  assert.deepEqual(tab.entries, ["/sign-in"]);
});

test("a second link pasted into the same tab takes the place of the first", () => {
  const tab = new Tab("/verify#token=first");
  const navigation = new Navigation(tab);
  tab.paste("/verify#token=second");
  assert.equal(navigation.place.token, "second");
  assert.deepEqual(tab.entries, ["/verify", "/verify"]);
});

test("a token lasts as long as the visit: who goes back finds the page without it", () => {
  const tab = new Tab("/reset#token=abc");
  const navigation = new Navigation(tab);
  navigation.go(PATHS.forgotPassword);
  tab.back();
  assert.deepEqual([navigation.place.page, navigation.place.token], ["reset", undefined]);
});

test("a link that is followed within the pages never shows its token", () => {
  const tab = new Tab("/dev/mailbox");
  const navigation = new Navigation(tab);
  navigation.go(PATHS.verify, { token: "abc" });
  assert.equal(navigation.place.token, "abc");
  assert.deepEqual(tab.entries, ["/dev/mailbox", "/verify"]);
});

test("every visit is told and counted, and going where one is leaves no second entry", () => {
  const tab = new Tab("/sign-in");
  const navigation = new Navigation(tab);
  const visits: number[] = [];
  navigation.onMove(() => visits.push(navigation.place.visit));
  navigation.go(PATHS.register);
  navigation.go(PATHS.register);
  tab.back();
  assert.deepEqual(visits, [1, 2, 3]);
  assert.deepEqual(tab.entries, ["/sign-in", "/register"]);
});

test("a fragment that is no token leaves the page, and what was typed into it, as it stands", () => {
  const tab = new Tab("/register");
  const navigation = new Navigation(tab);
  const before = navigation.place;
  tab.paste("/register#main");
  assert.equal(navigation.place, before);
});

test("only the paths that the service answers for are pages", () => {
  for (const path of ["/nowhere", "/account/", "/Sign-in", "//evil.example", "/constructor", ""]) {
    assert.equal(pageAt(path), undefined, path);
  }
  for (const path of Object.values(PATHS)) assert.ok(pageAt(path), path);
});

test("exactly the pages below the account need a session", () => {
  const guarded = Object.values(PATHS).filter((path) => needsSession(pageAt(path)));
  const own = ["password", "email", "sessions", "security", "delete"].map((page) => `/account/${page}`);
  assert.deepEqual(guarded, ["/account", ...own]);
  assert.equal(needsSession(undefined), false);
});

test("the link in a mail is found, and one that leads elsewhere is not", () => {
  const text = "Hello,\n\nhttps://id.example.org:8443/reset#token=v4.local.x-y_z\n\nThe link works once.";
  assert.deepEqual(linkIn(text), { path: "/reset", token: "v4.local.x-y_z" });
  assert.equal(linkIn("see https://id.example.org/account#token=abc"), undefined);
  assert.equal(linkIn("no link"), undefined);
  assert.deepEqual(linkIn("https://id.example.org/reset/#token=v4.local.x&utm=1"), { path: "/reset", token: "v4.local.x" });
});

test("an answer that comes late takes nobody away from where they went", () => {
  const tab = new Tab("/register");
  const navigation = new Navigation(tab);
  const asked = navigation.place;
  navigation.go(PATHS.signIn);
  navigation.go(PATHS.verify, { from: asked });
  assert.equal(navigation.place.page, "signIn");
  navigation.go(PATHS.verify, { from: navigation.place });
  assert.equal(navigation.place.page, "verify");
});
