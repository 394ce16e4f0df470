import { useApp } from "../app-context";
import { PATHS } from "../routes";
import { Field, Owner, PasswordField } from "../ui/field";
import { Submit } from "../ui/form";
import { ProtectedForm } from "../ui/step-up";
import { AccountFrame, WithAccount } from "../ui/frame";

export function EmailPage() {
  const { texts, countersign, account: store, navigation, place } = useApp();
  const ask = async (values: Record<"new_email" | "current_password", string>) => {
    await countersign.account.requestEmailChange({ newEmail: values.new_email, currentPassword: values.current_password });
    store.identifier = values.new_email;
    store.mailed = "sent";
    navigation.go(PATHS.confirmEmail, { from: place });
  };
  return (
    <AccountFrame title={texts.email.title}>
      <WithAccount>
        {({ email }) => (
          <>
            <p class="lead">{texts.email.now(email)}</p>
            <section class="card">
              <ProtectedForm fields={["new_email", "current_password"]} send={ask}>
                <Field name="new_email" type="email" autocomplete="email" />
                <Owner address={email} />
                <PasswordField name="current_password" autocomplete="current-password" />
                <Submit>{texts.email.action}</Submit>
              </ProtectedForm>
            </section>
          </>
        )}
      </WithAccount>
    </AccountFrame>
  );
}
