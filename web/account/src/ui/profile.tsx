import type { Account } from "@countersign/client";
import { useState } from "preact/hooks";
import { useApp } from "../app-context";
import { changedPaths, type ProfileValues } from "../profile-change";
import { Choice, Field } from "./field";
import { Form, Submit } from "./form";
import { Note } from "./note";

/** The languages that mails are written in. */
const MAIL_LANGUAGES = [
  ["en", "English"],
  ["de", "Deutsch"],
] as const;

/** What the person can change about themselves. */
export function Profile({ account: first }: { readonly account: Account }) {
  const { texts, countersign, account: store, announce } = useApp();
  const [account, setAccount] = useState(first);
  const [result, setResult] = useState<"saved" | "unchanged">();
  const say = (result: "saved" | "unchanged") => {
    setResult(result);
    announce(texts.account[result]);
  };
  const save = async (values: ProfileValues) => {
    setResult(undefined);
    const paths = changedPaths(account, values);
    if (paths.length === 0) return say("unchanged");
    const { display_name: displayName, username, locale } = values;
    const ask = { account: { displayName, username, locale }, updateMask: { paths } };
    const changed = await store.change(() => countersign.account.updateMe(ask));
    if (changed) setAccount(changed);
    say("saved");
  };
  return (
    <section class="card">
      <h2>{texts.account.profile}</h2>
      <Form fields={["display_name", "username", "locale"]} optional={["display_name", "username"]} send={save}>
        <Field name="display_name" autocomplete="name" first={account.displayName} optional hint={texts.hints.displayName} />
        <Field name="username" autocomplete="off" first={account.username} optional hint={texts.hints.username} />
        <Choice name="locale" first={account.locale} options={MAIL_LANGUAGES} />
        {result && <Note tone={result === "saved" ? "good" : "plain"}>{texts.account[result]}</Note>}
        <Submit kind="plain">{texts.account.save}</Submit>
      </Form>
    </section>
  );
}
