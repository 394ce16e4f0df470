import { useApp } from "../app-context";
import { Link } from "./link";

/** A link to continue, for a page whose mail was already used or is no longer wanted. */
export function WayOn() {
  const { texts, countersign } = useApp();
  const to = countersign.signedIn ? "account" : "signIn";
  return (
    <p class="more">
      <Link to={to}>{to === "account" ? texts.toAccount : texts.toSignIn}</Link>
    </p>
  );
}
