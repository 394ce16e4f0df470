import { useApp } from "../app-context";
import { Confirmation, Owner, PasswordField } from "../ui/field";
import { Submit } from "../ui/form";
import { ProtectedForm } from "../ui/step-up";
import { AccountFrame, WithAccount } from "../ui/frame";
import { ButtonLink, Link } from "../ui/link";

export function DeletePage() {
  const { texts, countersign, presence } = useApp();
  const remove = ({ current_password: currentPassword }: Record<"current_password" | "understood", string>) =>
    presence.leave("deleted", () => countersign.account.deleteMe({ currentPassword }));
  return (
    <AccountFrame title={texts.delete.title}>
      <p class="lead">{texts.delete.lead}</p>
      <p>
        <Link to="account">{texts.delete.before}</Link>
      </p>
      <WithAccount>
        {({ email }) => (
          <section class="card">
            <ProtectedForm fields={["current_password", "understood"]} send={remove}>
              <Owner address={email} />
              <PasswordField name="current_password" autocomplete="current-password" />
              <Confirmation name="understood" />
              <div class="buttons">
                <Submit kind="danger">{texts.delete.action}</Submit>
                <ButtonLink to="account" kind="plain">
                  {texts.delete.cancel}
                </ButtonLink>
              </div>
            </ProtectedForm>
          </section>
        )}
      </WithAccount>
    </AccountFrame>
  );
}
