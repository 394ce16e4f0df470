import { useState } from "preact/hooks";
import { useApp } from "../app-context";
import { Done } from "../ui/done";
import { Field, Owner, PasswordField } from "../ui/field";
import { Form, Submit } from "../ui/form";
import { Sheet } from "../ui/frame";
import { Link } from "../ui/link";
import { Mailed } from "../ui/mailed";

export function ResetPage() {
  const { texts, countersign, account, place } = useApp();
  const [done, setDone] = useState(false);
  const { token } = place;
  const withToken = async ({ new_password: newPassword }: { new_password: string }) => {
    await countersign.account.reset({ token: token ?? "", newPassword });
    setDone(true);
  };
  const withCode = async ({ email, code, new_password: newPassword }: Record<"email" | "code" | "new_password", string>) => {
    account.identifier = email;
    await countersign.account.reset({ email, code, newPassword });
    setDone(true);
  };
  if (done) return <Done title={texts.reset.done} text={texts.reset.doneText} to="signIn" />;
  return (
    <Sheet title={texts.reset.title}>
      <Mailed otherwise={texts.reset.lead} />
      {token === undefined ? (
        <Form fields={["email", "code", "new_password"]} send={withCode}>
          <Field name="email" type="email" autocomplete="username" first={account.address} />
          <Field name="code" autocomplete="one-time-code" digits hint={texts.hints.code} />
          <PasswordField name="new_password" autocomplete="new-password" hint={texts.hints.newPassword} />
          <Submit>{texts.reset.action}</Submit>
        </Form>
      ) : (
        <Form fields={["new_password"]} send={withToken}>
          <Owner address={account.address} />
          <PasswordField name="new_password" autocomplete="new-password" hint={texts.hints.newPassword} />
          <Submit>{texts.reset.action}</Submit>
        </Form>
      )}
      <p class="more">
        <Link to="forgotPassword">{texts.reset.another}</Link>
      </p>
    </Sheet>
  );
}
