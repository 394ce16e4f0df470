import { useApp } from "../app-context";
import { Claim, type Proof } from "../ui/claim";
import { Link } from "../ui/link";

export function ConfirmEmailPage() {
  const { texts, countersign, account } = useApp();
  const confirm = async (proof: Proof) => {
    await countersign.account.confirmEmailChange(proof);
    account.forget();
  };
  return (
    <Claim texts={texts.confirmEmail} act={confirm}>
      <p class="more">
        <Link to="email">{texts.confirmEmail.another}</Link>
      </p>
    </Claim>
  );
}
