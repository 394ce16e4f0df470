import { useApp } from "../app-context";
import { Sheet } from "./frame";
import { ButtonLink } from "./link";

/** The end of something, and where to go from here. */
export function Done({ title, text, to }: { readonly title: string; readonly text: string; readonly to: "signIn" | "account" | "reset" }) {
  const { texts } = useApp();
  return (
    <Sheet title={title} moved>
      <p class="lead">{text}</p>
      <ButtonLink to={to} kind="main">
        {{ account: texts.toAccount, signIn: texts.signIn.title, reset: texts.reset.title }[to]}
      </ButtonLink>
    </Sheet>
  );
}
