import { useApp } from "../app-context";
import { Link } from "./link";

/** Where to go from a page whose mail did its work already, or is not wanted any more. */
export function WayOn() {
  const { texts, countersign } = useApp();
  const to = countersign.signedIn ? "account" : "signIn";
  return (
    <p class="more">
      <Link to={to}>{to === "account" ? texts.toAccount : texts.toSignIn}</Link>
    </p>
  );
}
