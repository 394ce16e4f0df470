import assert from "node:assert/strict";
import { test } from "node:test";
import { LANGUAGES } from "../src/language";
import { TEXTS } from "../src/texts";
import { verifiedText } from "../src/verified";

for (const language of LANGUAGES) {
  const { verify: texts } = TEXTS[language];
  for (const [passwordLinkMailed, first] of [[false, texts.doneText], [true, texts.doneMailed]] as const) {
    const told = (username: string, wish: string) => verifiedText({ passwordLinkMailed, username, wish }, texts);
    const where = `in ${language}, ${passwordLinkMailed ? "with a password still to be set" : "with a password that counts"}`;

    test(`whoever got a user name is told it, ${where}`, () => {
      assert.deepEqual(told("Ada", ""), [first, texts.withUsername("Ada")]);
      assert.deepEqual(told("Ada", "ada"), [first, texts.withUsername("Ada")]);
      assert.match(told("Ada", "").at(-1) ?? "", /Ada/);
    });

    test(`whoever did not get the user name that they wished for is told so, ${where}`, () => {
      assert.deepEqual(told("", "ada"), [first, texts.usernameGone("ada")]);
      assert.match(told("", "ada").at(-1) ?? "", /ada/);
    });

    test(`whoever has no user name and is not known to have wished for one is told nothing of it, ${where}`, () => {
      assert.deepEqual(told("", ""), [first]);
    });
  }
}
