import mark from "../assets/mark.svg";
import { useApp } from "../app-context";
import { needsSession } from "../routes";
import { Action } from "./action";
import { Link } from "./link";

export function Header() {
  const { place, texts, countersign, presence } = useApp();
  const signOut = () => presence.leave("signedOut", () => countersign.logout());
  return (
    <header class="top">
      <Link to="start" class="brand">
        <img class="brand-mark" src={mark} alt="" width={28} height={28} />
        Countersign
      </Link>
      {needsSession(place.page) && (
        <Action kind="quiet" act={signOut}>
          {texts.account.signOut}
        </Action>
      )}
    </header>
  );
}
