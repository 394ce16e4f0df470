import { useState } from "preact/hooks";
import { useApp } from "../app-context";
import { Owner, PasswordField } from "../ui/field";
import { Submit } from "../ui/form";
import { ProtectedForm } from "../ui/step-up";
import { AccountFrame, WithAccount } from "../ui/frame";
import { Done } from "../ui/done";

export function PasswordPage() {
  const { texts, countersign, account: store } = useApp();
  const [done, setDone] = useState(false);
  const change = async (values: Record<"current_password" | "new_password", string>) => {
    await countersign.account.changePassword({ currentPassword: values.current_password, newPassword: values.new_password });
    store.forget();
    setDone(true);
  };
  if (done) return <Done title={texts.password.done} text={texts.password.doneText} to="account" />;
  return (
    <AccountFrame title={texts.password.title}>
      <p class="lead">{texts.password.lead}</p>
      <WithAccount>
        {({ email }) => (
          <section class="card">
            <ProtectedForm fields={["current_password", "new_password"]} send={change}>
              <Owner address={email} />
              <PasswordField name="current_password" autocomplete="current-password" />
              <PasswordField name="new_password" autocomplete="new-password" hint={texts.hints.newPassword} />
              <Submit>{texts.password.action}</Submit>
            </ProtectedForm>
          </section>
        )}
      </WithAccount>
    </AccountFrame>
  );
}
