import type { Account } from "@countersign/client";
import { useState } from "preact/hooks";
import { useApp } from "../app-context";
import { changedPaths, isRenamed, type ProfileValues } from "../profile-change";
import { Choice, Field, PasswordField } from "./field";
import { Submit } from "./form";
import { ProtectedForm } from "./step-up";
import { Note } from "./note";

/** The languages of mails. */
const MAIL_LANGUAGES = [
  ["en", "English"],
  ["de", "Deutsch"],
] as const;

/** The profile fields that the person can change. */
export function Profile({ account: first }: { readonly account: Account }) {
  const { texts, countersign, account: store, announce } = useApp();
  const [account, setAccount] = useState(first);
  const [result, setResult] = useState<"saved" | "unchanged">();
  const [typedName, setTypedName] = useState(first.username);
  // People sign in with the user name, so the service requires the password for a change.
  const renames = isRenamed(account, typedName);
  const say = (result: "saved" | "unchanged") => {
    setResult(result);
    announce(texts.account[result]);
  };
  const save = async (values: ProfileValues & { readonly current_password: string }) => {
    setResult(undefined);
    const paths = changedPaths(account, values);
    if (paths.length === 0) return say("unchanged");
    const { display_name: displayName, username, locale, current_password: currentPassword } = values;
    const ask = { account: { displayName, username, locale }, updateMask: { paths }, currentPassword };
    const changed = await store.change(() => countersign.account.updateMe(ask));
    if (changed) setAccount(changed);
    say("saved");
  };
  return (
    <section class="card">
      <h2>{texts.account.profile}</h2>
      <ProtectedForm
        fields={["display_name", "username", "current_password", "locale"]}
        optional={renames ? ["display_name", "username"] : ["display_name", "username", "current_password"]}
        send={save}
      >
        <Field name="display_name" autocomplete="name" first={account.displayName} optional hint={texts.hints.displayName} />
        <Field name="username" autocomplete="off" first={account.username} optional hint={texts.hints.username} onType={setTypedName} />
        {renames && <PasswordField name="current_password" autocomplete="current-password" hint={texts.hints.renaming} />}
        <Choice name="locale" first={account.locale} options={MAIL_LANGUAGES} />
        {result && <Note tone={result === "saved" ? "good" : "plain"}>{texts.account[result]}</Note>}
        <Submit kind="plain">{texts.account.save}</Submit>
      </ProtectedForm>
    </section>
  );
}
