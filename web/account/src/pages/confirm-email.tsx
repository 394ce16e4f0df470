import { useApp } from "../app-context";
import { Claim } from "../ui/claim";
import { Link } from "../ui/link";
import type { Proof } from "../ui/proof";

export function ConfirmEmailPage() {
  const { texts, countersign, account } = useApp();
  const confirm = async (proof: Proof) => {
    await countersign.account.confirmEmailChange(proof);
    account.forget();
    return undefined;
  };
  return (
    <Claim texts={texts.confirmEmail} act={confirm}>
      <p class="more">
        <Link to="email">{texts.confirmEmail.another}</Link>
      </p>
    </Claim>
  );
}
